"""The one door to the disk: every change of a file, veml's, Git's or the user's, is made here.

Three reasons. A crash test can hand over an *observer*, which is told of each write, fsync, rename
and remove just before it happens, and end the process there. Every refusal of the system becomes a
``StorageError`` that names the path and the reason. And "temp file, fsync, rename, fsync of the
folder" is written down once.

A temporary file is called ``.veml-tmp-<pid>-<random>`` and is locked (``flock``) while it is
written, so that leftovers of a killed process can be told from work in progress. It lies in the
folder of the file it becomes, so that it gets that folder's group and access list; those of files
inside Git's folder lie in one scratch folder, which is swept.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from typing import TypeAlias

from veml_vcs.errors import NotFoundError, StorageError
from veml_vcs.ids import Buffer
from veml_vcs.objects.open_file import Observer, OpenFile, reporting, write_all

StrPath: TypeAlias = str | os.PathLike[str]

TEMPORARY_PREFIX = ".veml-tmp-"
"""How the names of temporary files begin; such files are part of no data set."""

_TEMPORARY = re.compile(r"\.(?:veml-)?tmp-(\d{1,10})-[0-9a-f]+(~.*)?", re.ASCII | re.DOTALL)
_ABANDONED_SECONDS = 3600.0
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Files:
    """File operations with an observer and with veml's errors.

    Args:
        observer: Told of each operation that changes the disk, before it happens. Whatever it
            raises ends the operation; nothing is swallowed.
    """

    def __init__(self, observer: Observer | None = None) -> None:
        self._observe: Observer = observer or _ignore
        self._scratch: str | None = None
        self._scratch_for = ""

    def use_scratch(self, folder: StrPath, below: StrPath) -> None:
        """Make temporary files for what lies below ``below`` in ``folder`` (same file system)."""
        self._scratch = os.fspath(folder)
        self._scratch_for = os.path.join(os.fspath(below), "")

    def open(self, path: StrPath) -> OpenFile:
        """Open a file for reading.

        Raises:
            NotFoundError: It is not there.
            StorageError: The system says no.
        """
        name = os.fspath(path)
        with reporting("open", name):
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
            with reporting("map", file.path):
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
            with reporting("look at", name):
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
            with reporting("list", name):
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
        with reporting("create", name):
            self._observe("write", name)
            descriptor = os.open(name, _CREATE, mode)
            _hold(descriptor)
        return OpenFile(name, descriptor, self._observe)

    def write_atomic(
        self,
        path: StrPath,
        data: Buffer,
        *,
        durable: bool = True,
        sync_folder: bool = True,
        mode: int = 0o666,
    ) -> os.stat_result:
        """Replace or make a file in one step: readers see the old content or the new, whole.

        Args:
            path: The file; its folder must exist.
            data: All of its content.
            durable: Wait until the disk has the content and the name. Without it a power cut may
                leave an empty or garbled file: for caches, and for what the store has too.
            sync_folder: With ``durable``: wait for the name too. Without it the caller syncs the
                folder, once for several files.
            mode: Permissions, before the umask.

        Returns:
            What the system says of the new file.

        Raises:
            StorageError: The system says no. ``path`` is as it was, the temporary file is gone.
        """
        name = os.fspath(path)
        folder = os.path.dirname(name) or "."
        temporary = self.temporary_path(self._place(name, folder))
        with self.removing_on_failure(temporary), reporting("write", name):
            self._observe("write", temporary)
            descriptor = os.open(temporary, _CREATE, mode)
            try:
                _hold(descriptor)
                self._observe("write", temporary)
                write_all(descriptor, data)
                if durable:
                    self._observe("fsync", temporary)
                    os.fsync(descriptor)
                status = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            self._observe("rename", name)
            os.rename(temporary, name)
        if durable and sync_folder:
            self.fsync_folder(folder)
        return status

    def append(self, path: StrPath, data: Buffer) -> None:
        """Add bytes at the end of a file, in one write; make the file if it is not there.

        Raises:
            StorageError: The system says no.
        """
        name = os.fspath(path)
        with reporting("write", name):
            self._observe("write", name)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o666)
            try:
                write_all(descriptor, data)
            finally:
                os.close(descriptor)

    def symlink(self, target: str | bytes, path: StrPath) -> None:
        """Make a symbolic link in place of what is at ``path``, in one step.

        Raises:
            StorageError: The system says no.
        """
        name = os.fspath(path)
        temporary = self.temporary_path(os.path.dirname(name) or ".")
        with self.removing_on_failure(temporary), reporting("make the link", name):
            self._observe("write", temporary)
            os.symlink(target, os.fsencode(temporary))
            self._observe("rename", name)
            os.rename(temporary, name)

    def link(self, source: StrPath, path: StrPath) -> bool:
        """Give a file a second name; return False if something has that name already.

        Raises:
            StorageError: The system says no, or the file system has no hard links.
        """
        name = os.fspath(path)
        with reporting("create", name):
            self._observe("write", name)
            try:
                os.link(source, name)
            except FileExistsError:
                return False
        return True

    def set_mode(self, path: StrPath, mode: int) -> None:
        """Set a file's permissions.

        Raises:
            StorageError: The system says no.
        """
        name = os.fspath(path)
        with reporting("set the permissions of", name):
            self._observe("write", name)
            os.chmod(name, mode)

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
        return os.path.join(
            os.fspath(folder), f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
        )

    def rename(self, source: StrPath, target: StrPath) -> None:
        """Give a file another name, in place of what had it. Not durable before ``fsync_folder``.

        Raises:
            NotFoundError: ``source`` is not there.
            StorageError: The system says no.
        """
        name = os.fspath(target)
        with reporting("rename a file to", name):
            self._observe("rename", name)
            os.rename(source, name)

    def touch(self, path: StrPath, modified_ns: int | None = None) -> None:
        """Set when a file was last changed; its bytes stay.

        Args:
            path: The file.
            modified_ns: Nanoseconds since 1970; None is now.

        Raises:
            NotFoundError: It is not there.
            StorageError: The system says no.
        """
        name = os.fspath(path)
        with reporting("touch", name):
            if modified_ns is None:
                os.utime(name)
            else:
                os.utime(name, ns=(modified_ns, modified_ns))

    def fsync_folder(self, path: StrPath) -> None:
        """Wait until the disk has the names in a folder.

        Raises:
            NotFoundError: The folder is not there.
            StorageError: The system says no.
        """
        name = os.fspath(path)
        with reporting("sync", name):
            self._observe("fsync", name)
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
        with contextlib.suppress(NotFoundError), reporting("remove", name):
            self._observe("remove", name)
            os.remove(name)

    def remove_folder(self, path: StrPath) -> bool:
        """Remove an empty folder; return False if it is not empty, not there, or not ours."""
        name = os.fspath(path)
        with reporting("remove", name):
            self._observe("remove", name)
            try:
                os.rmdir(name)
            except OSError:
                return False  # somebody's files are in it, which is the point of asking
        return True

    def remove_tree(self, path: StrPath) -> None:
        """Remove a folder of veml's own with all that is in it; one that is gone is no error.

        Raises:
            StorageError: The system says no.
        """
        name = os.fspath(path)
        with reporting("remove", name):
            self._observe("remove", name)
            shutil.rmtree(name, ignore_errors=not os.path.isdir(name))

    def make_folder(self, path: StrPath, *, durable: bool = True) -> None:
        """Make a folder and the ones above it; one that is there is left alone.

        Args:
            path: The folder.
            durable: Wait until the disk has the names.

        Raises:
            StorageError: The system says no, or a file has the name.
        """
        name = os.path.abspath(path)
        if os.path.isdir(name):
            return
        parent = os.path.dirname(name)
        self.make_folder(parent, durable=durable)
        with reporting("make the folder", name):
            self._observe("write", name)
            try:
                os.mkdir(name)
            except FileExistsError:
                if not os.path.isdir(name):
                    raise
        if durable:
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
            path = os.path.join(os.fspath(folder), name)
            # A "~" marks the owner of a lock, which the lock's own room looks after.
            if name.startswith(".") and "~" not in name and self.is_abandoned(path):
                self.remove(path)
                removed += 1
        return removed

    def is_abandoned(self, path: StrPath) -> bool:
        """Tell whether a file is a temporary one whose writer is gone."""
        name = os.fspath(path)
        match = _TEMPORARY.fullmatch(os.path.basename(name))
        return match is not None and _is_abandoned(name, int(match[1]))

    def _place(self, name: str, folder: str) -> str:
        """Return where the temporary file for ``name`` goes."""
        if self._scratch is None or not name.startswith(self._scratch_for):
            return folder
        if not os.path.isdir(self._scratch):
            self.make_folder(self._scratch, durable=False)
        return self._scratch


def _hold(descriptor: int) -> None:
    """Lock a new file against ``clean_temporary``; the lock ends with its owner.

    Waits for a cleaner that looks at the file at this very moment.
    """
    # Some network file systems have no locks; there, age alone tells leftovers.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _ignore(operation: str, path: str) -> None:
    """Observe nothing."""


def _is_abandoned(path: str, process: int) -> bool:
    if os.path.islink(path):
        return not _is_alive(process)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
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
