"""The lock between processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from veml_vcs.errors import InvalidInputError, LockedError, StorageError
from veml_vcs.objects import FileLock

HOLDER = """
import sys, time
from veml_vcs.objects import FileLock
with FileLock(sys.argv[1], timeout_seconds=5, purpose="commit of night"):
    print("held", flush=True)
    sys.stdin.readline()
print("released", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def lock(folder: Path, timeout_seconds: float = 0) -> FileLock:
    return FileLock(folder / "lock", timeout_seconds=timeout_seconds, purpose="test")


def test_the_owner_is_named(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LockedError) as caught, lock(tmp_path, 0.03):
        pass
    message = str(caught.value)
    assert f"process {holder.pid} on {os.uname().nodename} (commit of night, since 20" in message
    assert str(tmp_path / "lock") in message
    assert "0.03 s" in message


def test_it_waits_until_the_owner_lets_go(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.stdin.write("\n")
    holder.stdin.flush()
    with lock(tmp_path, 10):
        assert holder.stdout.readline() == "released\n"
        assert holder.poll() is None


def test_a_dead_owner_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    with lock(tmp_path, 10):
        pass


def test_it_excludes_another_lock_of_the_same_process(tmp_path: Path) -> None:
    with (
        lock(tmp_path),
        pytest.raises(LockedError, match=f"process {os.getpid()} "),
        lock(tmp_path),
    ):
        pass
    with lock(tmp_path):
        pass


def test_it_is_not_reentrant(tmp_path: Path) -> None:
    held = lock(tmp_path)
    with held, pytest.raises(InvalidInputError), held:
        pass
    with held:
        pass


def test_it_lets_go_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock(tmp_path):
        raise ZeroDivisionError
    with lock(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"{}", b'"text"', b"9" * 5000])
def test_an_owner_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    with lock(tmp_path):
        (tmp_path / "lock").write_bytes(content)
        with pytest.raises(LockedError, match="another process"), lock(tmp_path):
            pass


def test_nobody_is_named_after_release(tmp_path: Path) -> None:
    with lock(tmp_path):
        assert (tmp_path / "lock").stat().st_size > 0
    assert (tmp_path / "lock").stat().st_size == 0


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing"), lock(tmp_path / "missing"):
        pass


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_let_go(tmp_path: Path) -> None:
    with lock(tmp_path) as held:
        child = os.fork()
        if not child:
            held.__exit__(None, None, None)
            os._exit(0)
        os.waitpid(child, 0)
        with pytest.raises(LockedError), lock(tmp_path):
            pass
