"""File operations: atomic, observed, and with errors that name path and reason."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from veml_vcs.errors import NotFoundError, StorageError
from veml_vcs.objects import Files, LocalObjectStore, OpenFile
from veml_vcs.objects import open_file as open_file_module

LIMIT_BYTES = 200_000


@pytest.fixture
def little_space() -> Iterator[None]:
    """Let the system refuse files longer than ``LIMIT_BYTES``, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("length", [0, 1, 5000, 1 << 20])
def test_what_is_written_is_read(tmp_path: Path, length: int) -> None:
    data = os.urandom(length)
    path = tmp_path / "file"
    Files().write_atomic(path, data)
    assert Files().read(path) == data
    assert Files().map(path) == data
    assert os.listdir(tmp_path) == ["file"]


def test_small_and_large_writes_keep_their_order(tmp_path: Path) -> None:
    parts = [os.urandom(n) for n in (1, 300_000, 2, 3, 200_000, 100_000, 0, 5)]
    expected = b"".join(parts)
    with Files().open_new(tmp_path / "file") as file:
        for part in parts:
            file.write(part)
        assert file.read_at(0, len(expected)) == expected
        assert file.read_at(299_999, 50) == expected[299_999:300_049]
        assert file.read_at(len(expected) - 2, 50) == expected[-2:]
        assert file.read_at(len(expected) + 2, 50) == b""
    assert (tmp_path / "file").read_bytes() == expected


def test_what_one_call_of_the_system_cannot_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_file_module, "_READ_BYTES", 1000)
    data = os.urandom(300_001)
    Files().write_atomic(tmp_path / "file", data)
    assert (tmp_path / "file").read_bytes() == data
    assert Files().read(tmp_path / "file") == data
    with Files().open(tmp_path / "file") as file:
        assert file.read_at(299_000, 5000) == data[299_000:]


def test_the_steps_of_an_atomic_write(tmp_path: Path) -> None:
    steps: list[tuple[str, str]] = []
    files = Files(lambda operation, path: steps.append((operation, path)))
    target = str(tmp_path / "file")
    files.write_atomic(target, b"data")
    temporary = steps[0][1]
    assert os.path.dirname(temporary) == str(tmp_path)
    assert os.path.basename(temporary).startswith(f".veml-tmp-{os.getpid()}-")
    assert steps == [
        ("write", temporary),
        ("write", temporary),
        ("fsync", temporary),
        ("rename", target),
        ("fsync", str(tmp_path)),
    ]
    steps.clear()
    files.write_atomic(target, b"more", durable=False)
    files.remove(target)
    files.make_folder(tmp_path / "new")
    assert [operation for operation, _ in steps] == [
        "write",
        "write",
        "rename",
        "remove",
        "write",
        "fsync",
    ]


def test_a_stop_at_any_step_leaves_the_old_content_or_the_new(tmp_path: Path) -> None:
    target = tmp_path / "file"
    for step in range(5):
        target.write_bytes(b"old")
        left = iter(range(step, -1, -1))

        def stop(operation: str, path: str, left: Iterator[int] = left) -> None:
            if next(left, -1) == 0:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            Files(stop).write_atomic(target, b"new")
        assert target.read_bytes() == (b"old" if step < 4 else b"new")
        assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk(tmp_path: Path, little_space: None) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(StorageError, match=r"cannot write .*/file: File too large") as caught:
        Files().write_atomic(target, bytes(2 * LIMIT_BYTES))
    assert caught.value.errno == errno.EFBIG
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_in_a_batch(tmp_path: Path, little_space: None) -> None:
    store = LocalObjectStore(tmp_path)

    def fill() -> None:
        with store.write() as batch:
            for i in range(300):
                batch.put(bytes([i % 256]) * 1000 + b"%d" % i)

    with pytest.raises(StorageError, match="File too large"):
        fill()
    assert list(store.ids()) == []
    assert os.listdir(tmp_path / "packs") == []


def test_a_device_that_is_full() -> None:
    """The real message of the system, where there is such a device."""
    with OpenFile("/dev/full", os.open("/dev/full", os.O_RDWR), lambda *_: None) as file:
        file.write(b"data")
        with pytest.raises(StorageError, match="No space left") as caught:
            file.flush()
    assert caught.value.kind == "disk-full"
    assert caught.value.hint is not None


def test_what_is_missing(tmp_path: Path) -> None:
    files = Files()
    missing = tmp_path / "missing"
    for read in (files.read, files.map, files.open):
        with pytest.raises(NotFoundError, match="missing"):
            read(missing)
    assert not files.exists(missing)
    assert files.modified_ns(missing) is None
    assert files.listdir(missing) == []
    files.remove(missing)
    with pytest.raises(NotFoundError, match="missing"):
        files.write_atomic(missing / "file", b"data")


def test_what_the_system_refuses_names_path_and_reason(tmp_path: Path) -> None:
    files = Files()
    (tmp_path / "file").write_bytes(b"")
    below = tmp_path / "file" / "below"
    for call in (
        lambda: files.read(tmp_path),
        lambda: files.read(below),
        lambda: files.listdir(below),
        lambda: files.exists(below),
        lambda: files.make_folder(below),
        lambda: files.make_folder(tmp_path / "file"),
        lambda: files.open_new(tmp_path / "file"),
        lambda: files.write_atomic(tmp_path, b"data"),
        lambda: files.fsync_folder(tmp_path / "file"),
        lambda: files.remove(tmp_path),
    ):
        with pytest.raises(StorageError, match=rf"cannot .*{tmp_path}.*: \w+") as caught:
            call()
        assert caught.value.errno
    assert not list(tmp_path.parent.glob(".veml-tmp-*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError) as caught:
        Files().write_atomic(tmp_path / "file", b"data")
    assert caught.value.kind == "no-permission"
    tmp_path.chmod(0o700)


def test_a_folder_is_made_with_those_above(tmp_path: Path) -> None:
    files = Files()
    files.make_folder(tmp_path / "a" / "b" / "c")
    files.make_folder(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()


def test_a_map_outlives_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"mapped")
    view = Files().map(path)
    path.unlink()
    assert view[1:3] == b"ap"
    with pytest.raises(TypeError):
        view[0] = 1


def test_leftovers_of_dead_processes_are_removed(tmp_path: Path) -> None:
    files = Files()
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead = tmp_path / f".veml-tmp-{done.stdout.strip()}-00ff"
    alive = tmp_path / ".veml-tmp-1-00ff"
    forgotten = tmp_path / ".veml-tmp-1-00fe"
    others = [
        tmp_path / name for name in (".veml-tmp-x-00", ".veml-tmp-12", "tmp-1-00", "file.pack")
    ]
    impossible = tmp_path / ".tmp-9999999999-00"
    for path in (dead, alive, forgotten, impossible, *others):
        path.write_bytes(b"")
    os.utime(forgotten, (0, time.time() - 2 * 3600))
    with files.open_new(files.temporary_path(tmp_path)) as mine:
        os.utime(mine.path, (0, 0))
        assert files.clean_temporary(tmp_path) == 3
        assert os.path.exists(mine.path)
    assert not dead.exists()
    assert not forgotten.exists()
    assert not impossible.exists()
    assert alive.exists()
    assert all(path.exists() for path in others)
    assert files.clean_temporary(tmp_path) == 1
    assert files.clean_temporary(tmp_path / "missing") == 0
