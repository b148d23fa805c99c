"""Files whose content veml understands: tables by rows, masks by pixels, arrays by elements.

Between ``samples.tables``, ``samples.masks``, ``samples.arrays`` and history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veml_vcs.errors import FormatError
from veml_vcs.repository.data_conflict import DataConflict
from veml_vcs.samples.annotations import Choice
from veml_vcs.samples.kinds import is_array, is_mask
from veml_vcs.samples.tables import (
    Table,
    TableDiff,
    diff_tables,
    is_table,
    merge_tables,
    read_table,
)
from veml_vcs.samples.tree import Change, Entry

if TYPE_CHECKING:
    from veml_vcs.samples.arrays import ArrayDiff
    from veml_vcs.samples.masks import MaskDiff


@dataclass(frozen=True)
class MergedFile:
    """The bytes of a merged file, and what both sides changed differently."""

    data: bytes
    conflicts: tuple[DataConflict, ...]


def table_diffs(
    changes: Iterable[Change], read: Callable[[str, Entry], bytes | None]
) -> dict[str, TableDiff]:
    """Compare the text tables among changed files by rows.

    Args:
        changes: What differs.
        read: Returns the bytes of an entry, None where they cannot be had.

    Returns:
        Key -> difference, of tables that both sides have and whose bytes differ.
    """
    found = {}
    for change in changes:
        old, new = change.old, change.new
        if old is None or new is None or old.content == new.content or not is_table(change.key):
            continue
        if old.content is None or new.content is None:
            continue
        before, after = read(change.key, old), read(change.key, new)
        if before is None or after is None:
            continue
        try:
            found[change.key] = diff_tables(
                read_table(before, change.key), read_table(after, change.key)
            )
        except FormatError:
            continue  # no table that can be read: it still is listed as a file that changed
    return found


def merge_table(
    dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> MergedFile | None:
    """Merge a table that both sides changed; None if it cannot be merged by rows."""
    try:
        before: Table | None = None if base is None else read_table(base, key)
        merged = merge_tables(before, read_table(ours, key), read_table(theirs, key), choice)
    except FormatError:
        return None
    conflicts = tuple(
        DataConflict(dataset, key, one.kind, one.path, one.base, one.ours, one.theirs, choice)
        for one in merged.conflicts
    )
    return MergedFile(merged.table.to_bytes(), conflicts)


def mask_diffs(
    changes: Iterable[Change],
    read: Callable[[str, Entry], bytes | None],
    names: Callable[[], Mapping[int, str]],
) -> dict[str, MaskDiff]:
    """Compare the class masks among changed files by pixels.

    Args:
        changes: What differs.
        read: Returns the bytes of an entry, None where they cannot be had.
        names: Returns class number -> name, as far as the data set says; called if needed.

    Returns:
        Key -> difference, of masks that both sides have and whose bytes differ.
    """
    changes = [one for one in changes if is_mask(one.key)]
    if not changes:
        return {}
    from veml_vcs.samples.masks import diff_masks, read_mask  # numpy: only when needed

    found = {}
    for change in changes:
        old, new = change.old, change.new
        if old is None or new is None or old.content == new.content or not is_mask(change.key):
            continue
        if old.content is None or new.content is None:
            continue
        before, after = read(change.key, old), read(change.key, new)
        if before is None or after is None:
            continue
        try:
            masks = (read_mask(before, change.key), read_mask(after, change.key))
        except FormatError:
            continue  # no mask that can be read: it still is listed as a file that changed
        found[change.key] = diff_masks(*masks, names())
    return found


def merge_mask(
    dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> MergedFile | None:
    """Merge a class mask that both sides changed; None if it cannot be merged by pixels."""
    from veml_vcs.samples.masks import merge_masks, read_mask

    if base is None:
        return None
    try:
        merged = merge_masks(
            read_mask(base, key), read_mask(ours, key), read_mask(theirs, key), choice
        )
    except FormatError:
        return None
    conflicts: tuple[DataConflict, ...] = ()
    if merged.box is not None:
        left, top, right, bottom = merged.box
        path = f"pixels[{left}:{right}, {top}:{bottom}]"
        said = f"{merged.clashes} pixels"
        conflicts = (DataConflict(dataset, key, "mask-both", path, None, said, said, choice),)
    return MergedFile(merged.mask.to_bytes(), conflicts)


def array_diffs(
    changes: Iterable[Change], read: Callable[[str, Entry], bytes | None]
) -> dict[str, ArrayDiff]:
    """Compare the NPY files among changed files by elements; see ``table_diffs``."""
    changes = [one for one in changes if is_array(one.key)]
    if not changes:
        return {}
    from veml_vcs.samples.arrays import diff_arrays, read_array

    found = {}
    for change in changes:
        old, new = change.old, change.new
        if old is None or new is None or old.content == new.content or not is_array(change.key):
            continue
        if old.content is None or new.content is None:
            continue
        before, after = read(change.key, old), read(change.key, new)
        if before is None or after is None:
            continue
        try:
            arrays = (read_array(before, change.key), read_array(after, change.key))
        except FormatError:
            continue  # no array that can be read: it still is listed as a file that changed
        found[change.key] = diff_arrays(*arrays)
    return found


def merge_array(
    dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> MergedFile | None:
    """Merge an NPY file that both sides changed; None if it cannot be merged by elements."""
    from veml_vcs.samples.arrays import merge_arrays, read_array, write_array

    if base is None:
        return None
    try:
        merged = merge_arrays(
            read_array(base, key), read_array(ours, key), read_array(theirs, key), choice
        )
    except FormatError:
        return None
    conflicts = []
    if merged.rows is not None:
        path = f"rows[{merged.rows[0]}:{merged.rows[1]}]"
        said = f"{merged.clashes} elements"
        conflicts.append(
            DataConflict(dataset, key, "elements-both", path, None, said, said, choice)
        )
    if merged.both_grew:
        conflicts.append(
            DataConflict(dataset, key, "rows-added-both", "end", None, "rows", "rows", choice)
        )
    return MergedFile(write_array(merged.array), tuple(conflicts))


def merger_of(key: str) -> Callable[..., MergedFile | None] | None:
    """Return what merges a file of this name by its content; None where only its bytes count."""
    if is_table(key):
        return merge_table
    if is_mask(key):
        return merge_mask
    return merge_array if is_array(key) else None
