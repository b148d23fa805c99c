"""What files a data set has on disk: names, sizes and stamps, without reading any of them."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from veml_vcs.errors import InvalidInputError, NotFoundError, StorageError
from veml_vcs.objects.files import TEMPORARY_PREFIX
from veml_vcs.samples.tree.entry import check_key, encode_key


class Stamp(NamedTuple):
    """What ``stat`` says of a file; equal stamps mean unchanged bytes (see ``statcache``).

    Attributes:
        size: Length in bytes.
        mtime_ns: Time of the last change, nanoseconds.
        inode: The file's number on its disk.
        executable: Whether the owner may execute it.
    """

    size: int
    mtime_ns: int
    inode: int
    executable: bool


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp in a stat result."""
    return Stamp(
        status.st_size, status.st_mtime_ns, status.st_ino, bool(status.st_mode & stat.S_IXUSR)
    )


def scan_folder(folder: str) -> dict[str, Stamp]:
    """List all regular files below a folder, by key, in key order.

    Raises:
        NotFoundError: The folder is not there.
        InvalidInputError: A symbolic link or a special file stands in it, or a name is unusable.
        StorageError: A folder cannot be read.
    """
    found: list[tuple[bytes, str, Stamp]] = []
    if not os.path.isdir(folder):
        raise NotFoundError(f"{folder}: no such folder")
    pending = [(folder, "")]
    while pending:
        path, prefix = pending.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    key = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name == ".git":
                            raise InvalidInputError(
                                f"{entry.path}: a Git repository inside a data set",
                                hint="move it out, or add a folder that does not hold it",
                            )
                        pending.append((entry.path, key + "/"))
                        continue
                    if entry.name.startswith(TEMPORARY_PREFIX):
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if not stat.S_ISREG(status.st_mode):
                        raise InvalidInputError(_special(entry.path, status.st_mode))
                    found.append((encode_key(key), check_key(key), stamp_of(status)))
        except OSError as error:
            raise StorageError(f"{path}: cannot be listed: {error.strerror}") from error
    found.sort()
    return {key: stamp for _, key, stamp in found}


def stamp_file(path: str) -> Stamp | None:
    """Return the stamp of one regular file, or None if nothing is there.

    Raises:
        InvalidInputError: Something else than a regular file is there.
    """
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode):
        raise InvalidInputError(_special(path, status.st_mode))
    return stamp_of(status)


def _special(path: str, mode: int) -> str:
    kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
    return (
        f"{path}: {kind}; a data set holds regular files only, so that a version is complete "
        "wherever it is checked out (replace links by the files they point to)"
    )
