"""The gate of a store: batches go through it side by side, removal only alone.

A batch holds the gate shared from its first question ("is this object known?") until it is
published; whoever removes packs holds it exclusively. So nothing that a batch found is removed
before the batch shows that it relies on it. Like ``lock.py`` it is ``flock`` on a file that is
never removed, and the kernel lets go of it when its owner dies.

This is not the repository's lock: batches do not wait for each other.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from veml_vcs.errors import LockedError, StorageError

GATE_TIMEOUT_SECONDS = 60.0
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
_WOULD_WAIT = (errno.EAGAIN, errno.EACCES)
_FIRST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.1


@contextmanager
def passing(path: str, timeout_seconds: float = GATE_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the gate together with others, as a batch does.

    Args:
        path: The gate's file; its folder must exist.
        timeout_seconds: How long to wait for somebody who removes packs.

    Raises:
        LockedError: Somebody removed packs for all of the timeout.
        StorageError: The file cannot be made.
    """
    with _held(path, fcntl.LOCK_SH, timeout_seconds, "is removing packs"):
        yield


@contextmanager
def closed(path: str, timeout_seconds: float = GATE_TIMEOUT_SECONDS) -> Iterator[None]:
    """Hold the gate alone: no batch is open meanwhile, and none begins.

    Args:
        path: The gate's file; its folder must exist.
        timeout_seconds: How long to wait for open batches.

    Raises:
        LockedError: There was an open batch for all of the timeout.
        StorageError: The file cannot be made.
    """
    with _held(path, fcntl.LOCK_EX, timeout_seconds, "is storing data"):
        yield


@contextmanager
def _held(path: str, how: int, timeout_seconds: float, what: str) -> Iterator[None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StorageError(f"cannot open {path}: {error.strerror}") from error
    try:
        _wait(descriptor, path, how, timeout_seconds, what)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: str, how: int, timeout_seconds: float, what: str) -> None:
    deadline = time.monotonic() + timeout_seconds
    pause_seconds = _FIRST_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return  # a file system without locks: the grace period alone protects
            if error.errno not in _WOULD_WAIT:
                raise StorageError(f"cannot lock {path}: {error.strerror}") from error
        else:
            return
        left_seconds = deadline - time.monotonic()
        if left_seconds <= 0:
            raise LockedError(
                f"another veml command {what} ({path}); waited {timeout_seconds:g} s",
                hint="wait for it to end, and run the command again",
            )
        time.sleep(min(pause_seconds, left_seconds))
        pause_seconds = min(2 * pause_seconds, _LONGEST_WAIT_SECONDS)
