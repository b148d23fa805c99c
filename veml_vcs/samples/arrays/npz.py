"""NPZ archives: named NPY arrays in a ZIP file, read within limits, compared and merged by name.

``numpy.load`` is not used: it believes the sizes an archive states, and follows it into pickles
when asked. See docs/design/017 for what is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from veml_vcs.errors import FormatError
from veml_vcs.samples.annotations.conflicts import Choice
from veml_vcs.samples.annotations.three_way import merge_order
from veml_vcs.samples.arrays.npy import (
    ArrayDiff,
    diff_arrays,
    merge_arrays,
    read_array,
    same_array,
    write_array,
)

MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 1 << 30
_DATE = (1980, 1, 1, 0, 0, 0)  # what numpy writes
_ENCRYPTED = 0x1
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCAL_HEADER_BYTES = 30
_PIECE = 1 << 20


@dataclass(frozen=True)
class Archive:
    """What is in an NPZ file.

    Attributes:
        arrays: Name -> array, in the file's order; the name is that of the member without ``.npy``.
        deflated: Names of the arrays that are compressed.
    """

    arrays: Mapping[str, NDArray[Any]]
    deflated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ArchiveConflict:
    """What both sides changed differently in one array of an archive.

    Attributes:
        kind: ``elements-both``, ``rows-added-both``, ``array-both`` (it cannot be merged by
            elements, or both added one of this name) or ``array-removed-changed``.
        path: ``NAME``, or ``NAME.rows[4:9]``.
        base: What is said of the common ancestor's array; None if there was none.
        ours: As ``base``, of ours.
        theirs: As ``base``, of theirs.
    """

    kind: str
    path: str
    base: str | None
    ours: str | None
    theirs: str | None


@dataclass(frozen=True)
class ArchiveMerge:
    """The merge of an archive: the result, and what both sides changed differently."""

    archive: Archive
    conflicts: tuple[ArchiveConflict, ...] = field(default=())


def read_npz(data: bytes, key: str) -> Archive:
    """Read an NPZ file; never a pickle, never more than ``MAX_UNPACKED_BYTES``.

    Raises:
        FormatError: It is none, is damaged, or does what no NPZ file has a reason to do.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if data[:2] != b"PK":
                raise FormatError(f"{key}: does not begin as a ZIP archive")
            if archive.comment:
                raise FormatError(f"{key}: a comment stands at its end")
            _refuse_odd(members, key)
            arrays: dict[str, NDArray[Any]] = {}
            for one in members:
                name = one.filename.removesuffix(".npy")
                arrays[name] = read_array(_unpacked(archive, one), f"{key}[{name}]")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
            ValueError, OverflowError) as error:  # fmt: skip
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{key}: no NPZ file that can be read: {error!s:.200}") from error
    deflated = {one.filename.removesuffix(".npy") for one in members if one.compress_type}
    return Archive(arrays, frozenset(deflated))


def write_npz(archive: Archive) -> bytes:
    """Return an archive as an NPZ file; equal archives give equal bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, array in archive.arrays.items():
            member = zipfile.ZipInfo(name + ".npy", _DATE)
            packed = name in archive.deflated
            member.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            target.writestr(member, write_array(array))
    return stream.getvalue()


def diff_npz(old: Archive, new: Archive) -> dict[str, ArrayDiff]:
    """Compare two archives: name -> difference, of arrays that differ, in the new order."""
    found: dict[str, ArrayDiff] = {}
    for name in [*new.arrays, *(one for one in old.arrays if one not in new.arrays)]:
        before, after = old.arrays.get(name), new.arrays.get(name)
        if before is None and after is not None:
            found[name] = ArrayDiff((), after.shape, "", after.dtype.str, kind="added")
        elif after is None and before is not None:
            found[name] = ArrayDiff(before.shape, (), before.dtype.str, "", kind="removed")
        elif before is not None and after is not None and not same_array(before, after):
            found[name] = diff_arrays(before, after)
    return found


def merge_npz(
    base: Archive | None, ours: Archive, theirs: Archive, choice: Choice | None = None
) -> ArchiveMerge:
    """Merge two archives that began as ``base``: by array, and by element in arrays of both.

    Args:
        base: The common ancestor; None if there was none.
        ours: Our side's.
        theirs: Their side's.
        choice: The side all conflicts are settled to; None leaves them open, and ours (of a
            removed array: the changed one) stands meanwhile.
    """
    start = base or Archive({})
    merged: dict[str, NDArray[Any]] = {}
    conflicts: list[ArchiveConflict] = []
    for name in dict.fromkeys([*ours.arrays, *theirs.arrays]):
        first, second, third = (one.arrays.get(name) for one in (start, ours, theirs))
        array = _merge_one(name, first, second, third, choice, conflicts)
        if array is not None:
            merged[name] = array
    order = merge_order(list(start.arrays), list(ours.arrays), list(theirs.arrays), merged.keys())
    deflated = {
        name
        for name in order
        if name in (ours.deflated if name in ours.arrays else theirs.deflated)
    }
    archive = Archive({name: merged[name] for name in order}, frozenset(deflated))
    return ArchiveMerge(archive, tuple(conflicts))


def _merge_one(
    name: str,
    base: NDArray[Any] | None,
    ours: NDArray[Any] | None,
    theirs: NDArray[Any] | None,
    choice: Choice | None,
    conflicts: list[ArchiveConflict],
) -> NDArray[Any] | None:
    """Merge one array; None where the result has none."""
    if _equal(ours, theirs) or _equal(theirs, base):
        return ours
    if _equal(ours, base):
        return theirs
    said = tuple(map(_say, (base, ours, theirs)))
    if base is None or ours is None or theirs is None:
        kind = "array-both" if base is None else "array-removed-changed"
        conflicts.append(ArchiveConflict(kind, name, *said))
        return _chosen(base, ours, theirs, choice)
    try:
        found = merge_arrays(base, ours, theirs, choice)
    except FormatError:  # other types or shapes: the array is one value
        conflicts.append(ArchiveConflict("array-both", name, *said))
        return _chosen(base, ours, theirs, choice)
    if found.rows is not None:
        told = f"{found.clashes} elements"
        path = f"{name}.rows[{found.rows[0]}:{found.rows[1]}]"
        conflicts.append(ArchiveConflict("elements-both", path, None, told, told))
    if found.both_grew:
        conflicts.append(ArchiveConflict("rows-added-both", f"{name}.end", *said))
    return found.array


def _chosen(
    base: NDArray[Any] | None,
    ours: NDArray[Any] | None,
    theirs: NDArray[Any] | None,
    choice: Choice | None,
) -> NDArray[Any] | None:
    if choice is None:
        return ours if ours is not None else theirs
    return {"base": base, "ours": ours, "theirs": theirs}[choice]


def _equal(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return same_array(one, other)


def _say(array: NDArray[Any] | None) -> str | None:
    if array is None:
        return None
    return f"{array.dtype} {'x'.join(map(str, array.shape)) or 'scalar'}"


def _refuse_odd(members: list[zipfile.ZipInfo], key: str) -> None:
    """Refuse an archive by its directory, before anything is unpacked."""
    if len(members) > MAX_MEMBERS:
        raise FormatError(f"{key}: {len(members)} members, more than {MAX_MEMBERS}")
    seen: set[str] = set()
    for one in members:
        name = one.filename
        # orig_filename is what stands in the file: Python cuts names at a NUL.
        hostile = _CONTROL.search(one.orig_filename) or any(
            part in ("", ".", "..") for part in name.split("/")
        )
        if hostile:
            raise FormatError(f"{key}: a member is called {one.orig_filename!r:.100}")
        if not name.endswith(".npy") or name == ".npy":
            raise FormatError(f"{key}: the member {name!r:.100} is no NPY array")
        if name in seen:
            raise FormatError(f"{key}: two members are called {name!r:.100}")
        seen.add(name)
        if one.flag_bits & _ENCRYPTED:
            raise FormatError(f"{key}: the member {name!r:.100} is encrypted")
        if one.compress_type not in _METHODS:
            raise FormatError(
                f"{key}: the member {name!r:.100} is compressed by method {one.compress_type}; "
                "stored and deflated ones are read"
            )
    total = sum(one.file_size for one in members)
    if total > MAX_UNPACKED_BYTES:
        raise FormatError(f"{key}: {total} bytes unpacked, more than {MAX_UNPACKED_BYTES}")
    placed = sorted(members, key=lambda one: one.header_offset)
    for one, following in pairwise(placed):
        end = one.header_offset + _LOCAL_HEADER_BYTES + one.compress_size
        if end > following.header_offset:
            raise FormatError(f"{key}: the members {one.filename!r:.60} and "
                              f"{following.filename!r:.60} overlap")  # fmt: skip


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes, no more than its stated size; zipfile checks the CRC at the end.

    In pieces: asked for all at once, zipfile unpacks up to 2 GiB before it cuts what is too much.
    """
    pieces = []
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            pieces.append(piece)
    return b"".join(pieces)
