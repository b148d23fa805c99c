"""An open file of the store, and how the system's refusals become veml's errors.

Apart from ``files`` only for its length: nobody opens files but ``Files``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeAlias

from veml_vcs.errors import NotFoundError, StorageError
from veml_vcs.ids import Buffer

Observer: TypeAlias = Callable[[str, str], None]
"""Called before each ``write``, ``fsync``, ``rename``, ``remove``, with that word and the path."""

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
    "disk-full": "free some space and run the command again; nothing is lost",
    "read-only": "mount the file system for writing, or work in a clone elsewhere",
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
        with reporting("read", self.path):
            found = os.fstat(self._descriptor)
            # Some file systems give a folder a length like that of a short file.
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            return found.st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``: fewer only at the end of the file.

        Raises:
            StorageError: The system says no.
        """
        self.flush()
        with reporting("read", self.path):
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
        with reporting("sync", self.path):
            self._observe("fsync", self.path)
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
            with reporting("close", self.path):
                os.close(descriptor)

    def _write_out(self, data: Buffer) -> None:
        with reporting("write", self.path):
            self._observe("write", self.path)
            write_all(self._descriptor, data)


def write_all(descriptor: int, data: Buffer) -> None:
    """Write all bytes, however few the system takes at a time."""
    with memoryview(data).cast("B") as view:
        done = os.write(descriptor, view[:_READ_BYTES]) if len(view) else 0
        while done < len(view):
            done += os.write(descriptor, view[done : done + _READ_BYTES])


@contextlib.contextmanager
def reporting(action: str, path: str) -> Iterator[None]:
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
