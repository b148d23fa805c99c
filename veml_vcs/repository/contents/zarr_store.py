"""Zarr stores of users under history: what one holds, and how two versions differ.

Between ``samples.zarrs`` and history. numpy is imported when a data set is such a store.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.repository.absent import is_here
from veml_vcs.repository.contents.known_files import ReadEntry
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.samples.facts import Facts
from veml_vcs.samples.tree import Change, Entry
from veml_vcs.versions.data import DataRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from veml_vcs.samples.arrays import ArrayDiff
    from veml_vcs.samples.zarrs import ArraySummary, Side

FORMAT = "zarr"


def side_of(entries: Mapping[str, Entry], read: ReadEntry) -> Side:
    """Return a version as the Zarr reader sees it."""
    from veml_vcs.samples.zarrs import Side

    def content(key: str) -> bytes:
        data = read(key, entries[key])
        if data is None:
            raise FormatError(f"{key}: its bytes are not here")
        return data

    return Side([key for key, one in entries.items() if one.content is not None], content)


def store_diffs(
    changes: Collection[Change],
    facts: tuple[Facts | None, Facts | None],
    old_entries: Callable[[], Mapping[str, Entry]],
    new_entries: Callable[[], Mapping[str, Entry]],
    read: ReadEntry,
) -> tuple[dict[str, ArrayDiff], tuple[str, ...]]:
    """Compare two versions of a Zarr store by array and element.

    Args:
        changes: What differs.
        facts: Of the two versions; None where there is no version.
        old_entries: Returns key -> entry of everything in the old one; called if needed.
        new_entries: As ``old_entries``, of the new one.
        read: Returns the bytes of an entry, None where they cannot be had.

    Returns:
        Array -> difference; and sentences about what could not be compared.
    """
    if not changes or any(one is None or one.format != FORMAT for one in facts):
        return {}, ()
    from veml_vcs.samples.zarrs import diff_store

    old, new = side_of(old_entries(), read), side_of(new_entries(), read)
    found, notes = diff_store([one.key for one in changes], old, new)
    return found, tuple(notes)


def record_arrays(repo: Repository, record: DataRecord) -> tuple[ArraySummary, ...]:
    """Return the arrays of a record's Zarr store; none if it is no store, or its data is absent."""
    if record.facts.format != FORMAT or not is_here(repo, record):
        return ()
    from veml_vcs.samples.zarrs import summarise_store

    return tuple(summarise_store(side_of(entries_of(repo, record), _reader(repo))))


def record_array(repo: Repository, record: DataRecord, name: str) -> NDArray[Any]:
    """Return a whole array of a record's Zarr store.

    Raises:
        NotFoundError: There is no such array.
        FormatError: It cannot be read.
    """
    from veml_vcs.samples.zarrs import meta_of, read_whole, summarise_store

    side = side_of(entries_of(repo, record), _reader(repo))
    node = name.strip("/")
    meta = meta_of(side, node)
    if meta is None:
        known = ", ".join(one.name for one in summarise_store(side)[:10])
        raise NotFoundError(f"no array {name!r:.100}; there are: {known or 'none'}")
    return read_whole(side, node, meta)


def _reader(repo: Repository) -> ReadEntry:
    return lambda _, entry: None if entry.content is None else repo.contents.read(entry.content)
