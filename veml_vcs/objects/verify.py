"""Re-hashes a pack, tolerantly: names everything that is wrong and goes on.

Reads through ``pread``, not through a map: a bad sector is then an error that can be reported,
where a map would end the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from veml_vcs.errors import DamagedError, NotFoundError, StorageError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.files import Files
from veml_vcs.objects.open_file import OpenFile
from veml_vcs.objects.pack import (
    ALIGNMENT_BYTES,
    HEADER_BYTES,
    ROW,
    Encoding,
    PackRow,
    check,
    check_place,
    damaged_object,
    decode,
    derivation,
    read_table,
)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the store.

    Attributes:
        pack: Path of the pack.
        object_id: The object hit; None if it is the pack as a whole.
        what: A sentence for the user.
    """

    pack: str
    object_id: ObjectId | None
    what: str


def verify_pack(
    path: str,
    files: Files,
    get: Callable[[ObjectId], bytes],
    done: Callable[[int], None] = lambda _bytes: None,
) -> Iterator[Problem]:
    """List what is wrong in a pack. A pack that is gone has no problems.

    Args:
        path: The pack.
        files: All file operations go through it.
        get: Returns an object of the store, for those that are derived from it.
        done: Is told how many bytes were just read.

    Every byte of the file is looked at. A change inside a deflated object that does not change
    what it inflates to is no problem.
    """
    try:
        with files.open(path) as file:
            yield from _verify(file, get, done)
    except NotFoundError:
        return
    except (DamagedError, StorageError) as error:
        yield Problem(path, None, str(error))


def _verify(
    file: OpenFile, get: Callable[[ObjectId], bytes], done: Callable[[int], None]
) -> Iterator[Problem]:
    table = read_table(file)
    rows = [PackRow._make(row) for row in ROW.iter_unpack(table.rows)]
    rows.sort(key=lambda row: row.offset)
    position = HEADER_BYTES
    for row in rows:
        try:
            check_place(row, table.offset, file.path)
            if row.offset < position:
                raise damaged_object(row, file.path, "it overlaps the one before")
        except DamagedError as error:
            yield Problem(file.path, row.object_id, str(error))
            continue
        try:
            stored = file.read_at(row.offset, row.stored_bytes)
            done(row.stored_bytes)
            base = None
            if row.encoding == Encoding.DERIVED:
                base = get(derivation(row, stored, file.path)[1])
            check(row, decode(row, stored, file.path, base), file.path)
        except (DamagedError, NotFoundError, StorageError) as error:
            yield Problem(file.path, row.object_id, str(error))
        yield from _verify_gap(file, position, row.offset)
        position = row.offset + row.stored_bytes
    yield from _verify_gap(file, position, table.offset)


def _verify_gap(file: OpenFile, start: int, end: int) -> Iterator[Problem]:
    """Check that there is nothing but alignment between two objects."""
    if start == end:
        return
    length = end - start
    if length >= ALIGNMENT_BYTES or file.read_at(start, length).strip(b"\0"):
        yield Problem(file.path, None, f"pack {file.path} has stray bytes at {start} to {end}")
