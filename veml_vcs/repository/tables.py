"""Tables of two versions, compared and merged by rows: between ``samples.tables`` and history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from veml_vcs.errors import FormatError
from veml_vcs.repository.merge_state import DataConflict
from veml_vcs.samples.annotations import Choice
from veml_vcs.samples.tables import (
    Table,
    TableDiff,
    diff_tables,
    is_table,
    merge_tables,
    read_table,
)
from veml_vcs.samples.tree import Change, Entry


@dataclass(frozen=True)
class MergedTable:
    """The bytes of a merged table, and what both sides changed differently."""

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
) -> MergedTable | None:
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
    return MergedTable(merged.table.to_bytes(), conflicts)
