"""A batch that is stopped at any write, fsync, rename or remove: the old state or the new one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from veml_vcs.errors import StorageError
from veml_vcs.ids import ObjectId
from veml_vcs.objects import Files, LocalObjectStore

OLD = [b"old %d" % i for i in range(3)]
NEW = [b"new %d" % i * 40 for i in range(12)]

# In Python 3.12 and later a fork warns when another test has left a thread behind.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class StoppedError(BaseException):
    """Stands for the end of the process, where the test wants to go on in it."""


class Stop:
    """An observer that counts the steps, and stops at one."""

    def __init__(self, step: int, *, kill: bool) -> None:
        self.steps: list[tuple[str, str]] = []
        self._step = step
        self._kill = kill

    def __call__(self, operation: str, path: str) -> None:
        self.steps.append((operation, path))
        if len(self.steps) == self._step:
            if self._kill:
                os._exit(9)
            raise StoppedError


def write(folder: Path, contents: list[bytes], files: Files, pack_bytes: int) -> list[ObjectId]:
    with LocalObjectStore(folder, files, pack_bytes=pack_bytes).write() as batch:
        return [batch.put(data, compress=i % 3 == 0) for i, data in enumerate(contents)]


def steps_of(folder: Path, pack_bytes: int) -> list[str]:
    """Return the operations of the batch that the tests stop."""
    write(folder, OLD, Files(), pack_bytes)
    stop = Stop(-1, kill=False)
    write(folder, NEW, Files(stop), pack_bytes)
    return [operation for operation, _ in stop.steps]


def test_a_batch_of_one_pack_is_one_rename_and_two_fsyncs(tmp_path: Path) -> None:
    steps = steps_of(tmp_path, 1 << 30)
    assert steps.count("fsync") == 2
    assert steps.count("rename") == 1
    assert steps.count("remove") == 0
    assert steps[-3:] == ["fsync", "rename", "fsync"]


def test_a_batch_of_several_packs_shows_none_before_all_are_synced(tmp_path: Path) -> None:
    steps = steps_of(tmp_path, 700)
    packs = steps.count("rename")
    assert packs > 2
    assert steps.count("fsync") == packs + 1
    assert steps[-packs - 2 :] == ["fsync", *["rename"] * packs, "fsync"]


@pytest.mark.parametrize("pack_bytes", [1 << 30, 700])
@pytest.mark.parametrize("kill", [False, True], ids=["raise", "kill"])
def test_stopped_at_every_step(tmp_path: Path, kill: bool, pack_bytes: int) -> None:
    steps = steps_of(tmp_path / "counted", pack_bytes)
    for step in range(1, len(steps) + 1):
        folder = tmp_path / str(step)
        old = write(folder, OLD, Files(), pack_bytes)
        reader = LocalObjectStore(folder)
        assert set(reader.ids()) == set(old)
        files = Files(Stop(step, kill=kill))
        if kill:
            child = os.fork()
            if not child:
                write(folder, NEW, files, pack_bytes)
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        else:
            with pytest.raises(StoppedError):
                write(folder, NEW, files, pack_bytes)
            assert not list(folder.glob("packs/.veml-tmp-*"))

        renamed = steps[: step - 1].count("rename")
        for store in (reader, LocalObjectStore(folder)):
            found = set(store.ids()) - set(old)
            assert [store.get(i) for i in old] == OLD
            assert bool(found) == bool(renamed)
            assert list(store.verify()) == []
            if pack_bytes > 700:
                assert len(found) in (0, len(NEW))

        again = write(folder, NEW, Files(), pack_bytes)
        assert [LocalObjectStore(folder).get(i) for i in again] == NEW
        assert [reader.get(i) for i in again] == NEW
        write(folder, [b"one more"], Files(), pack_bytes)
        assert not list(folder.glob("packs/.veml-tmp-*"))


@pytest.mark.parametrize("kill", [False, True], ids=["raise", "kill"])
def test_the_first_batch_ever_stopped_at_every_step(tmp_path: Path, kill: bool) -> None:
    stop = Stop(-1, kill=False)
    write(tmp_path / "counted", NEW, Files(stop), 1 << 30)
    for step in range(1, len(stop.steps) + 1):
        folder = tmp_path / str(step)
        files = Files(Stop(step, kill=kill))
        if kill:
            child = os.fork()
            if not child:
                write(folder, NEW, files, 1 << 30)
                os._exit(0)
            os.waitpid(child, 0)
        else:
            with pytest.raises(StoppedError):
                write(folder, NEW, files, 1 << 30)
        assert len(list(LocalObjectStore(folder).ids())) in (0, len(NEW))
        ids = write(folder, NEW, Files(), 1 << 30)
        assert [LocalObjectStore(folder).get(i) for i in ids] == NEW


def test_a_failed_put_spoils_the_batch(tmp_path: Path) -> None:
    """Whoever catches the error of a put must not get half a batch published."""
    old = write(tmp_path, OLD, Files(), 1 << 30)
    stop = Stop(3, kill=False)
    store = LocalObjectStore(tmp_path, Files(stop))

    def ignore_the_error() -> None:
        with store.write() as batch:
            batch.put(b"sound")
            with pytest.raises(StoppedError):
                batch.put(bytes(1 << 20))
            batch.put(b"sound again")

    with pytest.raises(StorageError, match="incomplete"):
        ignore_the_error()
    assert stop.steps[2][0] == "write"
    assert set(LocalObjectStore(tmp_path).ids()) == set(old)
    assert not list(tmp_path.glob("packs/.veml-tmp-*"))
