"""A server that did not answer is not asked at every commit."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from tests.lineage.gate import gate, tries_ended, vanishing
from tests.lineage.kit import History, data_record
from tests.lineage.test_strangers import speaking
from tests.repository.conftest import isolated
from veml_vcs.lineage.neo4j.changes import At, Changes
from veml_vcs.lineage.neo4j.connecting import reach  # is what takes long to be imported
from veml_vcs.lineage.neo4j.follow import follow, follow_later
from veml_vcs.lineage.neo4j.place import place_of
from veml_vcs.lineage.neo4j.silence import (
    FILE,
    LONGEST_SECONDS,
    forget_silence,
    remember_silence,
    silence_of,
    waiting_for,
)
from veml_vcs.repository import Repository

__all__ = ["isolated", "reach"]


@pytest.fixture
def roads(tmp_path: Path, isolated: Path) -> History:
    history = History(tmp_path / "project")
    history.commit({"roads.veml": data_record(1)})
    repo, base = history.synced()
    base.close()
    repo.close()
    return history


def mirror_at(history: History, port: int) -> Path:
    """Say where the mirror is; return the file that remembers its silence."""
    history.git("config", "veml.neo4j.url", f"bolt://127.0.0.1:{port}")
    return history.root / ".git/veml" / FILE


def follow_in_vain(history: History, seconds: float) -> str:
    said = follow(str(history.root), {"VEML_NEO4J_SECONDS": f"{seconds:g}", "NEO4J_AUTH": "a/b"})
    tries_ended()
    assert said is not None
    assert said.startswith("the mirror in Neo4j ")
    assert "\n" not in said
    return said


def until_remembered(history: History, file: Path, tries: int = 1) -> str:
    """Follow until the silence is known; a busy machine may not come as far as asking at once."""
    for _ in range(20):
        said = follow_in_vain(history, 0.5)
        if file.exists() and json.loads(file.read_text())["tries"] == tries:
            return said
    raise AssertionError(said)


@pytest.mark.parametrize("how", ["is silent", "vanishes"])
def test_a_silent_server_is_not_asked_by_each_commit(roads: History, how: str) -> None:
    """Seen to fail without ``waiting_for``, and without ``reaching`` in ``follow``."""
    with gate() as there, vanishing() as nowhere:
        file = mirror_at(roads, there.port if how == "is silent" else nowhere)
        said = until_remembered(roads, file)
        assert "did not answer within 0.5 s, and is not tried again before" in said
        far = json.loads(file.read_text()) | {"until": int(time.time()) + LONGEST_SECONDS - 1}
        file.write_text(json.dumps(far))
        asked = there.asked
        assert (asked > 0) == (how == "is silent")
        for _ in range(2):
            assert "did not answer, and is not tried" in follow_in_vain(roads, 20)
        assert there.asked == asked
        assert json.loads(file.read_text()) == far
        file.write_text(json.dumps(far | {"until": int(time.time())}))  # its time has come
        until_remembered(roads, file, 2)
        assert there.asked > asked or how == "vanishes"


def test_a_server_that_refuses_costs_nothing(roads: History) -> None:
    """Nothing is remembered. Seen to fail with each error of ``reach`` taken for a silence."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        file = mirror_at(roads, nobody.getsockname()[1])
        assert "no Neo4j can be reached" in follow_in_vain(roads, 120)
    assert not file.exists()


def test_a_server_that_breaks_bolt_is_told_on_one_line(roads: History) -> None:
    """And is not silent. Seen to fail without ``_in_driver``."""
    with speaking(b"\0\0\4\5", "Neo4j/5.26.0", (2, b"\0\1\1\0\0")) as port:
        file = mirror_at(roads, port)
        said = follow_in_vain(roads, 120)
    assert f"127.0.0.1:{port} breaks Neo4j's protocol: ValueError: Expected structure" in said
    assert not file.exists()


def test_how_long_it_is_left_alone(roads: History) -> None:
    """A minute, doubled each time, up to a quarter of an hour; of this address alone."""
    file = mirror_at(roads, 7)
    with Repository(str(roads.root)) as repo:
        place = place_of(repo)
        assert place is not None
        assert waiting_for(repo, place) is None
        for tries, minutes in enumerate((1, 2, 4, 8, 15, 15), 1):
            before = int(time.time())
            found = remember_silence(repo, place)
            assert found.tries == tries
            assert before <= found.until - minutes * 60 <= int(time.time())
            assert waiting_for(repo, place) == silence_of(repo, place) == found
        later = json.loads(file.read_text()) | {"until": int(time.time()) + LONGEST_SECONDS + 60}
        for odd in (json.dumps(later), "{", "[]", "", '{"url": 1}'):
            file.write_text(odd)  # a clock that was set back; damaged
            assert waiting_for(repo, place) is None
        remember_silence(repo, place)
        other = type(place)("bolt://elsewhere:7687", *("x",) * 3)
        assert waiting_for(repo, other) is None
        assert remember_silence(repo, other).tries == 1
        forget_silence(repo)
        forget_silence(repo)
        assert waiting_for(repo, other) is None


def test_a_question_tries_in_a_process_of_its_own(roads: History) -> None:
    """Only where something is to be sent, to who is not silent, and once a minute.

    Seen to fail without each ``return None`` of ``follow_later``.
    """
    root = str(roads.root)
    assert follow_later(root) is None  # no mirror
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        file = mirror_at(roads, nobody.getsockname()[1])
        with Repository(root) as repo:
            place = place_of(repo)
            assert place is not None
            remember_silence(repo, place)
            assert follow_later(root) is None
            forget_silence(repo)
        process = follow_later(root)
        assert process is not None
        assert process.wait(120) == 0
        assert follow_later(root) is None
        tried = file.with_name("mirror-tried")
        tried.unlink()
        repo, base = roads.synced()
        changes = Changes(base)
        changes.listen()
        changes.settle(At("token", "log", number=changes.last))
        assert follow_later(root) is None  # it has all
        assert not tried.exists()
        base.close()
        repo.close()
