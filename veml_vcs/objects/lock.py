"""A lock between processes that the kernel lets go of when its owner dies.

The lock is ``flock`` on a file that is never removed (removing it would let two owners lock two
different files of one name). What the file says about the owner is for messages only. A child that
was forked while the lock is held keeps it until it ends too, if the parent dies.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from veml_vcs.errors import InvalidInputError, LockedError, StorageError
from veml_vcs.objects.files import StrPath
from veml_vcs.objects.open_file import reporting

_FIRST_WAIT_SECONDS = 0.005
_LONGEST_WAIT_SECONDS = 0.1
_OWNER_BYTES = 4096


class FileLock:
    """Held by one process at a time, as a context manager. Not re-entrant.

    Args:
        path: The lock file; its folder must exist.
        timeout_seconds: How long to wait for another owner; 0 means not at all.
        purpose: What the lock is held for, shown to those who wait (``commit``).
    """

    def __init__(self, path: StrPath, *, timeout_seconds: float, purpose: str) -> None:
        self.path = os.fspath(path)
        self.timeout_seconds = timeout_seconds
        self.purpose = purpose
        self._descriptor = -1
        self._process = -1

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            LockedError: Another owner held it for all of the timeout; the message names it.
            InvalidInputError: This object holds the lock already.
            StorageError: The file cannot be made or locked.
        """
        if self._descriptor >= 0:
            raise InvalidInputError(f"{self.path} is already locked by this very object")
        if not os.path.isdir(os.path.dirname(self.path) or "."):
            raise StorageError(f"cannot lock {self.path}: its folder is missing")
        with reporting("lock", self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._wait(descriptor)
            self._write_owner(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._process = os.getpid()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the lock, unless this is a forked child of its owner."""
        descriptor, self._descriptor = self._descriptor, -1
        if os.getpid() == self._process:
            with contextlib.suppress(OSError):  # a stale owner in the file hurts nobody
                os.ftruncate(descriptor, 0)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def _wait(self, descriptor: int) -> None:
        deadline = time.monotonic() + self.timeout_seconds
        pause_seconds = _FIRST_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise StorageError(f"cannot lock {self.path}: {error.strerror}") from error
            else:
                return
            left_seconds = deadline - time.monotonic()
            if left_seconds <= 0:
                raise LockedError(
                    f"{self.path} is locked by {_describe(descriptor)}; waited "
                    f"{self.timeout_seconds:g} s",
                    hint="wait for it to end; the lock goes away with its owner",
                )
            time.sleep(min(pause_seconds, left_seconds))
            pause_seconds = min(2 * pause_seconds, _LONGEST_WAIT_SECONDS)

    def _write_owner(self, descriptor: int) -> None:
        owner = {
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "purpose": self.purpose,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with contextlib.suppress(OSError):  # a full disk must not stop what would free it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(owner).encode(), 0)


def is_locked(path: StrPath) -> bool:
    """Tell whether somebody holds a lock now; without waiting, and without taking it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # nobody has made it yet
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    else:
        return False
    finally:
        os.close(descriptor)


def _describe(descriptor: int) -> str:
    """Say who holds the lock, as far as the file tells."""
    try:
        owner: Any = json.loads(os.pread(descriptor, _OWNER_BYTES, 0))
        return (
            f"process {owner['pid']} on {owner['host']} ({owner['purpose']}, since "
            f"{owner['since']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
