"""Parquet files under history: compared and merged by row and cell where pyarrow is installed."""

from __future__ import annotations

from collections.abc import Iterable

from veml_vcs.errors import FormatError, MissingDependencyError
from veml_vcs.repository.contents.known_files import MergedFile, ReadEntry, both_sides
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.samples.annotations import Choice
from veml_vcs.samples.kinds import is_parquet
from veml_vcs.samples.tables import TableDiff, diff_parquet, merge_parquet, read_parquet
from veml_vcs.samples.tree import Change


def parquet_diffs(
    changes: Iterable[Change], read: ReadEntry
) -> tuple[dict[str, TableDiff], tuple[str, ...]]:
    """Compare the Parquet files among changed files by rows.

    Args:
        changes: What differs.
        read: Returns the bytes of an entry, None where they cannot be had.

    Returns:
        Key -> difference, of files that both sides have; and sentences about what could not be
        compared.
    """
    found: dict[str, TableDiff] = {}
    for key, before, after in both_sides(changes, read, is_parquet):
        try:
            found[key] = diff_parquet(read_parquet(before, key), read_parquet(after, key))
        except MissingDependencyError as error:
            return {}, (f"{error.message}; {error.hint}",)
        except FormatError:
            continue  # no table that can be read: it still is listed as a file that changed
    return found, ()


def merge_parquet_file(
    dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> MergedFile | None:
    """Merge a Parquet file that both sides changed; None if it cannot be merged by rows.

    Without pyarrow it is one conflict of the kind ``needs-parquet``: a merge that knows less must
    not look like one that found a contradiction.
    """
    try:
        before = None if base is None else read_parquet(base, key)
        left, right = read_parquet(ours, key), read_parquet(theirs, key)
        found = merge_parquet(before, left, right, choice)
    except MissingDependencyError:
        sides = {"ours": ours, "theirs": theirs, "base": ours if base is None else base}
        conflict = DataConflict(dataset, key, "needs-parquet", choice=choice)
        return MergedFile(sides[choice or "ours"], (conflict,))
    except FormatError:
        return None
    conflicts = tuple(
        DataConflict(dataset, key, one.kind, one.path, one.base, one.ours, one.theirs, choice)
        for one in found.merge.conflicts
    )
    for data, side in ((ours, left), (theirs, right)):
        if side.table == found.merge.table and not conflicts:
            return MergedFile(data, ())  # one side has all of it: its bytes stay
    return MergedFile(found.data, conflicts)
