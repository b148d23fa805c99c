"""Git's own lock files (``index.lock``, ``refs/heads/main.lock``), which a dead veml cannot leave.

Git's convention: ``NAME.lock`` is made only if it is not there, gets the new content, and is
renamed to ``NAME``. It does not tell who made it. veml makes it as a hard link to a file in a
folder of its own, which the owner holds with ``flock``: a lock with the same inode whose ``flock``
is free belongs to a dead veml and is removed. Any other lock is Git's, and is waited for.

Design note 013. Locks of veml itself are in ``objects/lock.py``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote_to_bytes

from veml_vcs.errors import InvalidInputError, LockedError, NotFoundError, StorageError
from veml_vcs.objects.files import TEMPORARY_PREFIX, Files
from veml_vcs.objects.open_file import OpenFile

GIT_LOCK_TIMEOUT_SECONDS = 10.0
SUFFIX = ".lock"

_MARK = "~"
_LONGEST_NAME = 200
_FIRST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.1
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


class LockFolder:
    """Where the locks of one repository are made, and looked through.

    Args:
        common: Git's folder, shared by all work trees; locks are made for files below it.
        scratch: The folder for the owners' files; it is made when it is needed.
        files: All file operations go through it.
        timeout_seconds: How long to wait for somebody else's lock.
    """

    def __init__(
        self,
        common: str,
        scratch: str,
        files: Files,
        timeout_seconds: float = GIT_LOCK_TIMEOUT_SECONDS,
    ) -> None:
        self.common = common
        self.scratch = scratch
        self.files = files
        self.timeout_seconds = timeout_seconds

    def lock(self, path: str) -> GitLock:
        """Return the lock on a file, to be used as a context manager."""
        return GitLock(self, path)

    def sweep(self) -> None:
        """Remove the locks, and the temporary files, that dead processes left behind."""
        for name in self.files.listdir(self.scratch):
            if name.startswith(TEMPORARY_PREFIX) and _MARK in name:
                relative = os.fsdecode(unquote_to_bytes(name.partition(_MARK)[2]))
                locked = os.path.join(self.common, relative) + SUFFIX if relative else None
                self._release(os.path.join(self.scratch, name), locked)
        self.files.clean_temporary(self.scratch)

    def owner_file(self, path: str) -> str:
        """Return a new name for the file that stands for the owner of a lock."""
        relative = quote(os.fsencode(os.path.relpath(path, self.common)), safe="")
        if relative.startswith("..") or len(relative) > _LONGEST_NAME:
            relative = ""  # the lock is then found by its inode, when somebody wants it
        return self.files.temporary_path(self.scratch) + _MARK + relative

    def break_dead(self, lock: str) -> bool:
        """Remove a lock if its owner is a dead veml; return whether it is gone."""
        try:
            status = os.lstat(lock)
        except FileNotFoundError:
            return True
        if status.st_nlink < 2:
            return False
        for name in self.files.listdir(self.scratch):
            path = os.path.join(self.scratch, name)
            if _MARK in name and _same(path, status):
                return self._release(path, lock)
        return False

    def is_of_veml(self, lock: str) -> bool:
        """Tell whether a lock was made by veml: alive, it lets go; dead, it is swept up after."""
        try:
            status = os.lstat(lock)
        except FileNotFoundError:
            return True  # it let go
        return status.st_nlink > 1 and any(
            _MARK in name and _same(os.path.join(self.scratch, name), status)
            for name in self.files.listdir(self.scratch)
        )

    def _release(self, owner: str, lock: str | None) -> bool:
        """Remove a dead owner's file, and its lock; return whether the lock is gone."""
        abandoned = self.files.is_abandoned(owner)
        try:
            descriptor = os.open(owner, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False  # gone meanwhile
        try:
            # The owner held this before it made the lock. Whoever gets it here knows that the owner
            # is dead, and keeps it until the lock is gone, so that only one process removes it.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            status = os.fstat(descriptor)
            if lock is not None and _same(lock, status):
                self.files.remove(lock)
                self.files.remove(owner)
                return True
            # One name: it was not linked yet. More, and not the lock: it is the file it was made
            # for, or we do not know what it locks.
            if abandoned if status.st_nlink == 1 else lock is not None:
                self.files.remove(owner)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return False


class GitLock:
    """One lock, held by one owner. ``commit`` puts the new content in place; else nothing changes.

    Args:
        folder: Where the owner's file goes.
        path: The file that is locked.
    """

    def __init__(self, folder: LockFolder, path: str) -> None:
        self.path = path
        self._lock = path + SUFFIX
        self._folder = folder
        self._files = folder.files
        self._owner: OpenFile | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            LockedError: Somebody else held it for all of the timeout.
            StorageError: The system says no.
        """
        self._files.make_folder(self._folder.scratch, durable=False)
        name = self._folder.owner_file(self.path)
        owner = self._files.open_new(name)
        try:
            if not self._wait(name):
                owner.close()
                self._files.remove(name)
                owner = self._without_link()
        except BaseException:
            owner.close()
            with contextlib.suppress(StorageError):
                self._files.remove(name)
            raise
        self._owner = owner
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the lock; what was not committed is dropped."""
        owner, self._owner = self._owner, None
        if owner is None:
            return
        try:
            self._files.remove(self._lock)
            if owner.path != self._lock:
                self._files.remove(owner.path)
        finally:
            owner.close()

    def commit(self, data: bytes, *, durable: bool = True, mode: int | None = None) -> None:
        """Put the new content in place, and let go.

        Args:
            data: All of the file's content.
            durable: Wait until the disk has it.
            mode: Permissions; None is what the umask says.

        Raises:
            StorageError: The system says no. The file is as it was.
        """
        owner = self._owner
        if owner is None:
            raise InvalidInputError(f"{self.path}: not locked")
        owner.write(data)
        if durable:
            owner.fsync()
        else:
            owner.flush()
        if mode is not None:
            self._files.set_mode(self._lock, mode)
        self._files.rename(self._lock, self.path)
        self._owner = None
        try:
            if durable:
                self._files.fsync_folder(os.path.dirname(self.path))
        finally:
            if owner.path != self._lock:
                self._files.remove(owner.path)
            owner.close()

    def _wait(self, owner: str) -> bool:
        """Make the lock; return False where there are no hard links."""
        began = time.monotonic()
        pause_seconds = _FIRST_WAIT_SECONDS
        while True:
            try:
                if self._files.link(owner, self._lock):
                    return True
            except NotFoundError:
                # The last ref of a folder was removed, and the folder with it.
                self._files.make_folder(os.path.dirname(self._lock))
                continue
            except StorageError as error:
                if error.errno in _NO_LINKS:
                    return False
                raise
            if self._folder.break_dead(self._lock):
                continue
            waited = time.monotonic() - began
            if waited >= self._folder.timeout_seconds:
                raise LockedError(
                    f"{self._lock} is held by {_holder(self._lock)}; waited {waited:.0f} s",
                    hint=f"wait for it to end; if no Git program runs any more: rm {self._lock}",
                    kind="git-locked",
                )
            time.sleep(min(pause_seconds, self._folder.timeout_seconds - waited))
            pause_seconds = min(2 * pause_seconds, _LONGEST_WAIT_SECONDS)

    def _without_link(self) -> OpenFile:
        """Make the lock on a file system without hard links: what a dead owner leaves, stays."""
        try:
            return self._files.open_new(self._lock)
        except StorageError as error:
            if error.errno != errno.EEXIST:
                raise
            raise LockedError(
                f"{self._lock} is held by {_holder(self._lock)}",
                hint=f"wait for it to end; if no Git program runs any more: rm {self._lock}",
                kind="git-locked",
            ) from error


def _same(path: str, status: os.stat_result) -> bool:
    """Tell whether a path names this very file."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and os.path.samestat(found, status)


def _holder(lock: str) -> str:
    return holder_of(lock)[0]


def holder_of(lock: str) -> tuple[str, bool]:
    """Say who has a lock file open, as far as the system tells, and since when it is there.

    Returns:
        The owner in words, and whether a living process was seen to hold it.
    """
    since = ""
    with contextlib.suppress(OSError):
        made = time.localtime(os.stat(lock).st_mtime)
        since = f", since {time.strftime('%Y-%m-%d %H:%M:%S', made)}"
    with contextlib.suppress(OSError):
        for process in filter(str.isdigit, os.listdir("/proc")):
            if _has_open(process, lock):
                with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
                    return f"process {process} ({file.read().strip()}){since}", True
    return f"another Git program{since}", False


def _has_open(process: str, path: str) -> bool:
    try:
        return any(
            os.readlink(f"/proc/{process}/fd/{number}") == path
            for number in os.listdir(f"/proc/{process}/fd")
        )
    except OSError:
        return False  # another user's process, or gone
