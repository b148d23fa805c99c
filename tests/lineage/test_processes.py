"""Several processes at once, and one that is killed: real ones, on one file.

Seen to fail with the transaction of ``Database.changing`` taken out.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lineage.kit import History, data_record, everything
from tests.repository.conftest import isolated
from veml_vcs.errors import NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.lineage.ask import lineage
from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.related import common
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository import Repository

__all__ = ["isolated"]

_SYNC = """
import os, signal, sys
from veml_vcs.lineage import sync as module
from veml_vcs.repository import Repository
with Repository(sys.argv[1]) as repo:
    base = module.database(repo)
    if len(sys.argv) > 2:
        module._LOT = 1
        def progress(what, done, total):
            if done == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
        module.sync(repo, base, progress=progress)
    print(module.sync(repo, base).commits)
    base.close()
"""


@pytest.fixture
def history(tmp_path: Path, isolated: Path) -> History:
    found = History(tmp_path / "project")
    for number in range(1, 7):
        found.commit({"d.veml": data_record(number), f"e{number}.veml": data_record(number + 50)})
    return found


def syncing(history: History, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _SYNC, str(history.root), *more], stdout=subprocess.PIPE
    )


def anew(history: History) -> list[tuple[object, ...]]:
    with Repository(str(history.root)) as repo:
        base = Database(":memory:", repo.files)
        sync(repo, base)
        found = everything(base)
        base.close()
    return found


def test_a_killed_writer_loses_nothing(history: History) -> None:
    with Repository(str(history.root)) as repo:
        base = database(repo)
        sync(repo, base)
        before = everything(base)
        base.close()
    for number in range(4):
        history.commit({f"f{number}.veml": data_record(number + 90)})
    for stop in ("1", "3"):
        killed = syncing(history, stop)
        killed.communicate(timeout=120)
        assert killed.returncode == -9
        with Repository(str(history.root)) as repo:
            base = database(repo)
            assert everything(base) == before  # what was there before, whole
            base.close()
    with Repository(str(history.root)) as repo:
        base = database(repo)
        assert sync(repo, base).commits == 4
        assert everything(base) == anew(history)
        base.close()


def test_several_sync_at_once_and_a_reader_sees_one_history(history: History) -> None:
    """Each commit is added by one of them; who reads meanwhile sees what was before."""
    with Repository(str(history.root)) as repo:
        base = database(repo)
        reader = database(repo)
        with base.changing() as connection:
            connection.execute("DELETE FROM node")
            several = [syncing(history) for _ in range(3)]
            began = reader.connection.execute("SELECT count(*) FROM node").fetchone()
            time.sleep(0.5)  # they wait; the reader does not
            assert reader.connection.execute("SELECT count(*) FROM node").fetchone() == began
        told = [int(one.communicate(timeout=120)[0]) for one in several]
        assert [one.returncode for one in several] == [0, 0, 0]
        assert sorted(told) == [0, 0, 6]
        assert everything(reader) == anew(history)
        base.close()
        reader.close()


def test_who_waited_does_not_take_out_what_came_meanwhile(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refs are read before the lock is had; a commit that was synced in between was taken out.

    Seen to fail with ``None`` never returned by ``sync._sync``.
    """
    with Repository(str(history.root)) as repo, Repository(str(history.root)) as faster:
        base, other = database(repo), database(faster)
        read = repo.git.all_commits
        late = []

        def all_commits() -> list[CommitId]:
            found = read()
            if not late:
                late.append(history.commit({"late.veml": data_record(99)}))
                sync(faster, other)
            return found

        monkeypatch.setattr(repo.git, "all_commits", all_commits)
        sync(repo, base)
        assert base.connection.execute(
            "SELECT count(*) FROM node WHERE id = ?", (late[0],)
        ).fetchone() == (1,)
        base.close()
        other.close()


def test_what_git_drops_meanwhile_is_no_damage(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: a question beside git commit --amend and git gc said that Git lacks a commit,
    or has damaged a tree.
    """
    with Repository(str(history.root)) as repo, database(repo) as base:
        sync(repo, base)
        history.commit({"late.veml": data_record(99)})
        read = repo.git.all_commits
        asked = []

        def all_commits() -> list[CommitId]:
            found = read()
            asked.append(found)
            if len(asked) == 1:
                history.git("commit", "-q", "--amend", "-m", "another")
                history.git("reflog", "expire", "--expire=now", "--all")
                history.git("gc", "-q", "--prune=now")
            return found

        monkeypatch.setattr(repo.git, "all_commits", all_commits)
        assert sync(repo, base).commits == 1
        assert everything(base) == anew(history)
        # What Git lacks for good is said, and not tried for ever.
        monkeypatch.setattr(repo.git, "all_commits", lambda: [CommitId("ab" * 20)])
        with pytest.raises(NotFoundError, match="Git does not have the commit abababab"):
            sync(repo, base)


def test_a_question_is_of_one_state_of_the_graph(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process takes out in the middle of it what the first answer told of.

    Seen to fail with a KeyError.
    """
    history.git("checkout", "-q", "-b", "side", "HEAD~2")
    history.commit({"d.veml": data_record(70)})
    history.git("checkout", "-q", "--detach", "main")
    root = str(history.root)
    with (
        Repository(root) as repo, Repository(root) as faster,
        lineage(repo) as asked, database(faster) as other,
    ):  # fmt: skip
        found = asked.store.common

        def meanwhile(first: str, second: str) -> list[Node]:
            ancestors = found(first, second)
            history.git("branch", "-D", "side")
            assert sync(faster, other).removed == 1
            return ancestors

        monkeypatch.setattr(asked.store, "common", meanwhile)
        told = common(asked, "d@side", "d@main")
        assert [len(one.edges) for one in told.ways[0]] == [1, 2]
        assert asked.store.node(told.first.id) is None
