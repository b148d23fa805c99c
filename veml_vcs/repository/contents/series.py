"""Sensor series with a graph under history: what one holds, and how two versions differ.

Between ``samples.series`` and history. numpy is imported when a data set is such a series.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from veml_vcs.errors import FormatError, InvalidInputError, MissingDependencyError
from veml_vcs.repository.absent import is_here
from veml_vcs.repository.contents.known_files import ReadEntry
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import entries_of
from veml_vcs.samples.facts import Facts
from veml_vcs.samples.formats.series import CONFIG, SeriesLayout
from veml_vcs.samples.tree import Change, Entry, EntryKind
from veml_vcs.versions.data import DataRecord

if TYPE_CHECKING:
    from veml_vcs.repository.dataset import Dataset
    from veml_vcs.samples.series import Series, SeriesDiff, SeriesSummary

MAX_BYTES = 1 << 30
"""Larger series are not read whole just to be shown or compared."""


def layout_of(facts: Facts | None) -> SeriesLayout | None:
    """Return how a data set's series is laid out; None if it is none."""
    return None if facts is None else SeriesLayout.from_json(facts.layout.get("series"))


def series_in(layout: SeriesLayout, entries: Mapping[str, Entry], read: ReadEntry) -> Series:
    """Read the series in a data version.

    Args:
        layout: How it is laid out.
        entries: Key -> entry of everything in the version.
        read: Returns the bytes of an entry, None where they cannot be had.

    Raises:
        FormatError: It cannot be read as a series, or is larger than ``MAX_BYTES``.
        MissingDependencyError: There is a Parquet file, and pyarrow is not installed.
    """
    from veml_vcs.samples.series import read_series

    samples = [key for key, one in entries.items() if one.kind is EntryKind.SAMPLE]
    wanted: Collection[str] = samples
    if layout.values:
        wanted = {*layout.values, *([layout.adjacency] if layout.adjacency else [])}
    total = sum(entries[key].size for key in wanted if key in entries)
    if total > MAX_BYTES:
        raise FormatError(f"a series of {total} bytes is too large to be read whole")

    def content(key: str) -> bytes:
        entry = entries.get(key)
        data = None if entry is None or entry.content is None else read(key, entry)
        if data is None:
            raise FormatError(f"{key}: is not there")
        return data

    return read_series(layout, samples, content)


def series_summary(
    facts: Facts, entries: Mapping[str, Entry], read: ReadEntry
) -> tuple[SeriesSummary | None, str | None]:
    """Return a series in a few numbers, or why that cannot be; (None, None) if it is no series."""
    layout = layout_of(facts)
    if layout is None:
        return None, None
    from veml_vcs.samples.series import summarise_series

    try:
        return summarise_series(series_in(layout, entries, read)), None
    except (FormatError, MissingDependencyError) as error:
        return None, _why(error)


def record_series(repo: Repository, record: DataRecord) -> tuple[SeriesSummary | None, str | None]:
    """Return what a record's series holds, as ``series_summary``; nothing if its data is absent."""
    if layout_of(record.facts) is None or not is_here(repo, record):
        return None, None
    return series_summary(record.facts, entries_of(repo, record), reader(repo))


def dataset_series(dataset: Dataset, said: SeriesLayout) -> Series:
    """Read the series of a data set; see ``Dataset.series``."""
    layout = said if said != SeriesLayout() else layout_of(dataset.facts)
    if layout is None:
        raise InvalidInputError(
            f"{dataset.path}: no series: no file is called like a graph of sensors",
            hint="name it like adjacency.csv, write series.json (docs/formats.md), or say "
            'series(adjacency="KEY", values=["KEY"])',
        )
    return series_in(layout, dataset.entries, reader(dataset.repository))


def reader(repo: Repository) -> ReadEntry:
    """Return what reads entries from the store."""

    def read(_key: str, entry: Entry) -> bytes | None:
        return None if entry.content is None else repo.contents.read(entry.content)

    return read


def series_diff(
    changes: Collection[Change],
    facts: tuple[Facts | None, Facts | None],
    old_entries: Callable[[], Mapping[str, Entry]],
    new_entries: Callable[[], Mapping[str, Entry]],
    read: ReadEntry,
) -> tuple[SeriesDiff | None, tuple[str, ...]]:
    """Compare two versions of a series, if both are one and a file of numbers changed.

    Args:
        changes: What differs.
        facts: Of the two versions; None where there is no version.
        old_entries: Returns key -> entry of everything in the old one; called if needed.
        new_entries: As ``old_entries``, of the new one.
        read: Returns the bytes of an entry, None where they cannot be had.

    Returns:
        The difference, None if there is none to tell; and sentences about why there is none.
    """
    if facts[0] is None or facts[1] is None:
        return None, ()
    layouts = [layout_of(one) for one in facts]
    before, after = layouts[0] or layouts[1], layouts[1] or layouts[0]
    if before is None or after is None or not any(_matters(one) for one in changes):
        return None, ()
    from veml_vcs.samples.series import diff_series

    try:
        old = series_in(before, old_entries(), read)
        new = series_in(after, new_entries(), read)
    except (FormatError, MissingDependencyError) as error:
        return None, (_why(error),)
    return diff_series(old, new), ()


def _matters(change: Change) -> bool:
    return change.key == CONFIG or any(
        one is not None and one.kind is EntryKind.SAMPLE for one in (change.old, change.new)
    )


def _why(error: FormatError | MissingDependencyError) -> str:
    hint = f"; {error.hint}" if error.hint else ""
    return f"not read as a series: {error.message}{hint}"
