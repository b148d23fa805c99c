"""What files a data set has on disk: names, sizes and stamps, without reading any of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from veml_vcs.errors import InvalidInputError, NotFoundError, StorageError
from veml_vcs.objects.files import TEMPORARY_PREFIX
from veml_vcs.samples.tree.entry import all_plain, check_key, encode_key

_TYPE_BITS = stat.S_IFMT(0o777777)
_PART = 1024


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
    found: dict[str, Stamp] = {}
    for part in scan_parts(folder):
        found.update(part)
    keys = list(found)
    if keys and not ("".join(keys).isascii() and all_plain(keys)):
        for key in keys:
            check_key(key)
    return in_order(found)


def scan_parts(folder: str) -> Iterator[dict[str, Stamp]]:
    """List the same files some at a time, in no order; names are not checked.

    Raises:
        NotFoundError: The folder is not there.
        InvalidInputError: A symbolic link or a special file stands in it.
        StorageError: A folder cannot be read.
    """
    if not os.path.isdir(folder):
        raise NotFoundError(f"{folder}: no such folder")
    pending = [(folder, "")]
    while pending:
        path, prefix = pending.pop()
        try:
            with os.scandir(path) as entries:
                for first in entries:
                    part: dict[str, Stamp] = {}
                    some = chain((first,), islice(entries, _PART - 1))
                    pending += _list_folder(prefix, some, part)
                    yield part
        except OSError as error:
            raise StorageError(f"{path}: cannot be listed: {error.strerror}") from error


def in_order(stamps: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """Sort files as a scan of a data set lists them: those outside the folder are last."""
    inside = [key for key in stamps if key[:1] != "/"]
    if "".join(inside).isascii():
        inside.sort()  # characters sort as their bytes do
    else:
        inside.sort(key=encode_key)
    outside = [key for key in stamps if key[:1] == "/"] if len(inside) < len(stamps) else ()
    return {key: stamps[key] for key in (*inside, *outside)}


def _list_folder(
    prefix: str, entries: Iterable[os.DirEntry[str]], found: dict[str, Stamp]
) -> list[tuple[str, str]]:
    """Put the files of one folder into ``found``; return the folders in it, with their prefixes."""
    folders = []
    make = tuple.__new__  # a Stamp's own constructor takes twice as long
    for entry in entries:
        name = entry.name
        status = entry.stat(follow_symlinks=False)
        mode = status.st_mode
        if mode & _TYPE_BITS == stat.S_IFREG:
            if not name.startswith(TEMPORARY_PREFIX):
                executable = mode & stat.S_IXUSR != 0
                row = (status.st_size, status.st_mtime_ns, status.st_ino, executable)
                found[prefix + name] = make(Stamp, row)
        elif stat.S_ISDIR(mode):
            if name == ".git":
                raise InvalidInputError(
                    f"{entry.path}: a Git repository inside a data set",
                    hint="move it out, or add a folder that does not hold it",
                )
            folders.append((entry.path, f"{prefix}{name}/"))
        elif not name.startswith(TEMPORARY_PREFIX):
            raise InvalidInputError(_special(entry.path, mode))
    return folders


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
