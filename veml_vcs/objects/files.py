"""The one door to the disk: every file operation of the store goes through ``Files``.

Three reasons. A crash test can hand over an *observer*, which is told of each write, fsync, rename
and remove just before it happens, and end the process there. Every refusal of the system becomes a
``StorageError`` that names the path and the reason. And "temp file, fsync, rename, fsync of the
folder" is written down once.

A temporary file is called ``.tmp-<pid>-<random>``, lies in the folder of the file it becomes, and
is locked (``flock``) while it is written, so that leftovers of a killed process can be told from
work in progress.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeAlias

from veml_vcs.errors import NotFoundError, StorageError
from veml_vcs.ids import Buffer

Observer: TypeAlias = Callable[[str, str], None]
"""Called before each ``write``, ``fsync``, ``rename``, ``remove``, with that word and the path."""

StrPath: TypeAlias = str | os.PathLike[str]

_TEMPORARY = re.compile(r"\.tmp-(\d{1,10})-[0-9a-f]+", re.ASCII)
_ABANDONED_SECONDS = 3600.0
_BUFFER_BYTES = 1 << 18
_READ_BYTES = 1 << 30  # one read or write call moves at most 2 GiB - 4 KiB
_KINDS = {
    errno.ENOSPC: "disk-full",
    errno.EDQUOT: "disk-full",
    errno.EROFS: "read-only",
    errno.EACCES: "no-permission",
    errno.EPERM: "no-permission",
}
_HINTS = {
    "disk-full": "free some space and run the command again; nothing was changed",
    "no-permission": "check the owner and the permissions of the folder",
}


class OpenFile:
    """A file opened by ``Files``: read anywhere, write at the end.

    Small writes are collected. Close it in every case; as a context manager it does so itself.
    """

    def __init__(self, path: str, descriptor: int, observe: Observer) -> None:
        self.path = path
        self._descriptor = descriptor
        self._observe = observe
        self._pending = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def size_bytes(self) -> int:
        """Return the file's length on disk; what is still collected does not count."""
        with _reporting("read", self.path):
            return os.fstat(self._descriptor).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``: fewer only at the end of the file.

        Raises:
            StorageError: The system says no.
        """
        self.flush()
        with _reporting("read", self.path):
            data = os.pread(self._descriptor, min(length, _READ_BYTES), offset)
            if len(data) == length or not data:
                return data
            parts = [data]
            got = len(data)
            while got < length:
                data = os.pread(self._descriptor, min(length - got, _READ_BYTES), offset + got)
                if not data:
                    break
                parts.append(data)
                got += len(data)
            return b"".join(parts)

    def write(self, data: Buffer) -> None:
        """Append bytes.

        Raises:
            StorageError: The disk is full, or the system says no for another reason.
        """
        if len(data) < _BUFFER_BYTES:
            self._pending += data
            if len(self._pending) >= _BUFFER_BYTES:
                self.flush()
        else:
            self.flush()
            self._write_out(data)

    def fsync(self) -> None:
        """Write out what was collected, and wait until the disk has it.

        Raises:
            StorageError: The system says no.
        """
        self.flush()
        self._observe("fsync", self.path)
        with _reporting("sync", self.path):
            os.fsync(self._descriptor)

    def flush(self) -> None:
        """Write out what was collected, without waiting for the disk.

        Raises:
            StorageError: The system says no.
        """
        if self._pending:
            pending, self._pending = self._pending, bytearray()
            self._write_out(pending)

    def close(self) -> None:
        """Close the file, once. What was collected and not flushed is given up.

        Raises:
            StorageError: The system reports a late failure.
        """
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with _reporting("close", self.path):
                os.close(descriptor)

    def _write_out(self, data: Buffer) -> None:
        self._observe("write", self.path)
        with _reporting("write", self.path), memoryview(data).cast("B") as view:
            done = 0
            while done < len(view):
                done += os.write(self._descriptor, view[done : done + _READ_BYTES])


class Files:
    """File operations with an observer and with veml's errors.

    Args:
        observer: Told of each operation that changes the disk, before it happens. Whatever it
            raises ends the operation; nothing is swallowed.
    """

    def __init__(self, observer: Observer | None = None) -> None:
        self._observe: Observer = observer or _ignore

    def open(self, path: StrPath) -> OpenFile:
        """Open a file for reading.

        Raises:
            NotFoundError: It is not there.
            StorageError: The system says no.
        """
        name = os.fspath(path)
        with _reporting("open", name):
            return OpenFile(name, os.open(name, os.O_RDONLY | os.O_CLOEXEC), self._observe)

    def read(self, path: StrPath) -> bytes:
        """Return the whole file.

        Raises:
            NotFoundError: It is not there.
            StorageError: The system says no.
        """
        with self.open(path) as file:
            return file.read_at(0, file.size_bytes())

    def map(self, path: StrPath) -> memoryview:
        """Map the whole file, read only.

        The map lives as long as the view or a slice of it. Before Python 3.13 each map keeps a file
        descriptor for that time.

        Raises:
            NotFoundError: It is not there.
            StorageError: The system says no, or the file system cannot map.
        """
        with self.open(path) as file:
            size_bytes = file.size_bytes()
            if not size_bytes:
                return memoryview(b"")
            with _reporting("map", file.path):
                if sys.version_info >= (3, 13):
                    mapped = mmap.mmap(
                        file._descriptor, size_bytes, access=mmap.ACCESS_READ, trackfd=False
                    )
                else:
                    mapped = mmap.mmap(file._descriptor, size_bytes, access=mmap.ACCESS_READ)
            return memoryview(mapped)

    def exists(self, path: StrPath) -> bool:
        """Tell whether there is a file or folder of this name.

        Raises:
            StorageError: The system does not let us look.
        """
        return self.modified_ns(path) is not None

    def modified_ns(self, path: StrPath) -> int | None:
        """Return when a file or folder was last changed (nanoseconds since 1970), None if absent.

        Raises:
            StorageError: The system does not let us look.
        """
        name = os.fspath(path)
        try:
            with _reporting("look at", name):
                return os.stat(name).st_mtime_ns
        except NotFoundError:
            return None

    def listdir(self, path: StrPath) -> list[str]:
        """Return the names in a folder, in no particular order; none if there is no folder.

        Raises:
            StorageError: The system says no.
        """
        name = os.fspath(path)
        try:
            with _reporting("list", name):
                return os.listdir(name)
        except NotFoundError:
            return []

    def open_new(self, path: StrPath, *, mode: int = 0o666) -> OpenFile:
        """Make a new file, locked against ``clean_temporary``, and open it.

        Args:
            path: Must not exist.
            mode: Permissions, before the umask.

        Raises:
            StorageError: It exists, or the system says no.
        """
        name = os.fspath(path)
        self._observe("write", name)
        with _reporting("create", name):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(name, flags, mode)
            # Some network file systems have no locks; there, age alone tells leftovers.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return OpenFile(name, descriptor, self._observe)

    def write_atomic(
        self, path: StrPath, data: Buffer, *, durable: bool = True, mode: int = 0o666
    ) -> None:
        """Replace or make a file in one step: readers see the old content or the new, whole.

        Args:
            path: The file; its folder must exist.
            data: All of its content.
            durable: Wait until the disk has the content and the name. Without it a power cut may
                leave an empty or garbled file: for caches only.
            mode: Permissions, before the umask.

        Raises:
            StorageError: The system says no. ``path`` is as it was, the temporary file is gone.
        """
        name = os.fspath(path)
        folder = os.path.dirname(name) or "."
        temporary = self.temporary_path(folder)
        with self.removing_on_failure(temporary):
            with self.open_new(temporary, mode=mode) as file:
                file.write(data)
                if durable:
                    file.fsync()
                else:
                    file.flush()
            self.rename(temporary, name)
        if durable:
            self.fsync_folder(folder)

    @contextlib.contextmanager
    def removing_on_failure(self, path: StrPath) -> Iterator[None]:
        """Remove ``path`` if the block raises; that error is the one the caller sees."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(StorageError):
                self.remove(path)
            raise

    def temporary_path(self, folder: StrPath) -> str:
        """Return a name for a new temporary file in ``folder``."""
        return os.path.join(os.fspath(folder), f".tmp-{os.getpid()}-{secrets.token_hex(8)}")

    def rename(self, source: StrPath, target: StrPath) -> None:
        """Give a file another name, in place of what had it. Not durable before ``fsync_folder``.

        Raises:
            NotFoundError: ``source`` is not there.
            StorageError: The system says no.
        """
        name = os.fspath(target)
        self._observe("rename", name)
        with _reporting("rename a file to", name):
            os.rename(source, name)

    def fsync_folder(self, path: StrPath) -> None:
        """Wait until the disk has the names in a folder.

        Raises:
            NotFoundError: The folder is not there.
            StorageError: The system says no.
        """
        name = os.fspath(path)
        self._observe("fsync", name)
        with _reporting("sync", name):
            descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            except OSError as error:
                # Some file systems (SMB, some FUSE) cannot sync a folder, and say so with EINVAL.
                if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                    raise
            finally:
                os.close(descriptor)

    def remove(self, path: StrPath) -> None:
        """Remove a file; one that is already gone is no error.

        Raises:
            StorageError: The system says no.
        """
        name = os.fspath(path)
        self._observe("remove", name)
        with contextlib.suppress(NotFoundError), _reporting("remove", name):
            os.remove(name)

    def make_folder(self, path: StrPath) -> None:
        """Make a folder and the ones above it, durably; one that is there is left alone.

        Raises:
            StorageError: The system says no, or a file has the name.
        """
        name = os.path.abspath(path)
        if os.path.isdir(name):
            return
        parent = os.path.dirname(name)
        self.make_folder(parent)
        self._observe("write", name)
        with _reporting("make the folder", name):
            try:
                os.mkdir(name)
            except FileExistsError:
                if not os.path.isdir(name):
                    raise
        self.fsync_folder(parent)

    def clean_temporary(self, folder: StrPath) -> int:
        """Remove the temporary files that killed processes left in ``folder``.

        A file is left alone while its writer holds its lock. Of those without a lock, only files of
        processes that are gone are removed, or files untouched for an hour (process numbers are
        used again, and mean something else in another container).

        Returns:
            How many files were removed.

        Raises:
            StorageError: The system does not let us list the folder or remove a file.
        """
        removed = 0
        for name in self.listdir(folder):
            match = _TEMPORARY.fullmatch(name) if name.startswith(".tmp-") else None
            if match:
                path = os.path.join(os.fspath(folder), name)
                if _is_abandoned(path, int(match[1])):
                    self.remove(path)
                    removed += 1
        return removed


def _ignore(operation: str, path: str) -> None:
    """Observe nothing."""


def _is_abandoned(path: str, process: int) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # gone meanwhile, or not ours to judge
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        age_seconds = time.time() - os.fstat(descriptor).st_mtime
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return age_seconds > _ABANDONED_SECONDS or not _is_alive(process)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _reporting(action: str, path: str) -> Iterator[None]:
    """Turn the system's refusals into veml's errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"cannot {action} {path}: it is not there") from error
    except OSError as error:
        reason = error.strerror or str(error)
        kind = _KINDS.get(error.errno or 0, "storage")
        refusal = StorageError(
            f"cannot {action} {path}: {reason}", hint=_HINTS.get(kind), kind=kind
        )
        refusal.errno = error.errno
        raise refusal from error
