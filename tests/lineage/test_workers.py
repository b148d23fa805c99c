"""Records that other processes read give the graph that one reads, whatever happens to them.

Seen to fail with versions asked for that an earlier lot has, with what a worker leaves out left out
here too, with ``_idle`` getting back a process that ended, and without ``sys.path`` in ``_CODE``.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lineage.kit import (
    History,
    data_record,
    everything,
    model_record,
    reading,
    training_record,
    wander,
)
from tests.lineage.test_streams import object_path
from tests.repository.conftest import isolated
from veml_vcs.lineage import sync as syncing
from veml_vcs.lineage import workers
from veml_vcs.lineage.sync import database, sync
from veml_vcs.lineage.workers import Workers
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Have every history be worth two processes; return those that were started."""
    found: list[subprocess.Popen[bytes]] = []
    start = workers._start

    def noted(folder: str) -> subprocess.Popen[bytes]:
        found.append(start(folder))
        return found[-1]

    monkeypatch.setattr(workers, "_start", noted)
    monkeypatch.setattr(workers, "_processors", lambda: 3)
    monkeypatch.setattr(workers, "WORTH", 1)
    monkeypatch.setattr(syncing, "_LOT", 3)
    yield found
    assert all(one.poll() is not None for one in found), "a process was left behind"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many versions the processes of each sync read."""
    found: list[int] = []
    close = Workers.close

    def noted(self: Workers) -> None:
        close(self)
        found.append(self.read)

    monkeypatch.setattr(Workers, "close", noted)
    return found


@pytest.fixture
def history(tmp_path: Path, isolated: Path) -> History:
    found = History(tmp_path / "project")
    for number in range(1, 13):
        found.commit({"d.veml": data_record(number), f"e{number % 3}.veml": data_record(number)})
    return found


def both(history: History) -> list[tuple[object, ...]]:
    """Return the graph read by several processes, which is the one that one reads."""
    with Repository(str(history.root)) as repo:
        base = database(repo)
        found = []
        for how in ("streams", "objects"):
            with reading(how):
                sync(repo, base, full=True)
            found.append((everything(base), [*base.connection.execute("SELECT * FROM node")]))
        base.close()
    assert found[0][0] == found[1][0]
    return found[0][0]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_history_holds(
    history: History, started: list[object], read: list[int], seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        wander(history, chance)
    assert both(history)
    assert len(started) == 2
    assert read[0] >= 12


def test_what_is_refused_is_said_as_ever(
    history: History, started: list[object], read: list[int]
) -> None:
    """Damage, a blob that is gone, a record at two places, something that is no record."""
    other, gone = data_record(105), data_record(106)
    history.commit({"other.veml": other, "gone.veml": gone, "no.veml": b"{}\n", "x.veml": b"\xff"})
    history.commit({"broken.veml": data_record(107).replace(b'"samples"', b'"sample"')})
    model = model_record(50)
    history.commit({"m.veml": model, "models/m.veml": model, "d9.veml": model_record(18)})
    history.commit({
        "again.veml": data_record(3), "d9.veml": data_record(107),
        "trainings/t.veml": training_record(blob_id(data_record(3)), blob_id(model), metrics={}),
    })  # fmt: skip
    path = object_path(history, blob_id(other))
    path.chmod(0o644)
    path.write_bytes(object_path(history, blob_id(data_record(1))).read_bytes())
    object_path(history, blob_id(gone)).unlink()
    rows = both(history)
    assert len({row[0] for row in rows if len(row) == 3}) >= 4
    assert read[0] >= 14
    assert len(started) == 2


def test_what_comes_later(history: History, started: list[object], read: list[int]) -> None:
    """Versions that are known are not read again, and are said of new places."""
    with Repository(str(history.root)) as repo:
        base = database(repo)
        with reading("streams"):
            sync(repo, base)
            history.commit({"a.veml": data_record(1), "b.veml": data_record(2)})
            for number in range(20, 25):
                history.commit({"a.veml": data_record(number), "b.veml": data_record(number - 1)})
            sync(repo, base)
        followed = everything(base)
        base.close()
    assert read == [12, 6]
    assert len(started) == 4
    assert followed == both(history)


@pytest.mark.parametrize("which", [[0], [0, 1]])
def test_killed_in_the_middle(
    history: History, started: list[subprocess.Popen[bytes]], read: list[int], which: list[int]
) -> None:
    for number in range(30, 60):
        history.commit({"d.veml": data_record(number)})
    right = both(history)

    def kill(what: str, done: int, total: int) -> None:
        for one in which:
            started[-2:][one].kill()

    with Repository(str(history.root)) as repo:
        base = database(repo)
        with reading("streams"):
            assert sync(repo, base, full=True, progress=kill).versions == read[0]
        assert everything(base) == right
        base.close()
    assert read[-1] < read[0]


def test_ctrl_c_ends_them(history: History, started: list[object]) -> None:
    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with Repository(str(history.root)) as repo:
        base = database(repo)
        before = everything(base)
        with reading("streams"), pytest.raises(KeyboardInterrupt):
            sync(repo, base, full=True, progress=stop)
        assert everything(base) == before
        base.close()
    assert len(started) == 2


@pytest.mark.parametrize("program", ["", "/no/such/python", "false"])
def test_no_python_to_start(
    history: History, started: list[object], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """Of an embedded Python nobody may know where it is."""
    monkeypatch.setattr(sys, "executable", program)
    assert both(history)


def test_few_commits_start_none(
    history: History, started: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "WORTH", 13)
    assert both(history)
    monkeypatch.setattr(workers, "WORTH", 1)
    monkeypatch.setattr(workers, "_processors", lambda: 1)
    assert both(history)
    assert not started


def test_what_a_folder_has_is_not_run(
    history: History, started: list[object], read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module of a name that Python imports, where a user happens to be."""
    bad = f"open({str(history.root / 'run')!r}, 'w'); raise SystemExit\n"
    for name in ("json", "marshal", "veml_vcs", "signal"):
        (history.root / f"{name}.py").write_text(bad)
    monkeypatch.chdir(history.root)
    assert both(history)
    assert not os.path.exists("run")
    assert read[0] == 12
