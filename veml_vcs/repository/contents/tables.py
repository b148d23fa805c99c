"""Files whose content veml understands: tables by rows, masks by pixels; arrays are in ``arrays``.

Between ``samples.tables``, ``samples.masks`` and history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from veml_vcs.errors import FormatError
from veml_vcs.repository.contents.arrays import merge_archive, merge_array
from veml_vcs.repository.contents.known_files import MergedFile, ReadEntry, both_sides
from veml_vcs.repository.contents.parquet import merge_parquet_file
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.samples.annotations import Choice
from veml_vcs.samples.kinds import is_archive, is_array, is_mask, is_parquet
from veml_vcs.samples.tables import (
    Table,
    TableDiff,
    diff_tables,
    is_table,
    merge_tables,
    read_table,
)
from veml_vcs.samples.tree import Change

if TYPE_CHECKING:
    from veml_vcs.samples.masks import MaskDiff


def table_diffs(changes: Iterable[Change], read: ReadEntry) -> dict[str, TableDiff]:
    """Compare the text tables among changed files by rows.

    Args:
        changes: What differs.
        read: Returns the bytes of an entry, None where they cannot be had.

    Returns:
        Key -> difference, of tables that both sides have and whose bytes differ.
    """
    found = {}
    for key, before, after in both_sides(changes, read, is_table):
        try:
            found[key] = diff_tables(read_table(before, key), read_table(after, key))
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
    read: ReadEntry,
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
    for key, before, after in both_sides(changes, read, is_mask):
        try:
            masks = (read_mask(before, key), read_mask(after, key))
        except FormatError:
            continue  # no mask that can be read: it still is listed as a file that changed
        found[key] = diff_masks(*masks, names())
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


def merger_of(key: str) -> Callable[..., MergedFile | None] | None:
    """Return what merges a file of this name by its content; None where only its bytes count."""
    if is_table(key):
        return merge_table
    if is_mask(key):
        return merge_mask
    if is_array(key):
        return merge_array
    if is_parquet(key):
        return merge_parquet_file
    return merge_archive if is_archive(key) else None
