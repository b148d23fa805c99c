"""What the columns of a data set's tables hold, all tables together.

A column is known by its name. Tables are read one after the other, up to a bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from veml_vcs.errors import FormatError, MissingDependencyError
from veml_vcs.repository.data.spread import Spread, spread
from veml_vcs.repository.data.version import DataVersion
from veml_vcs.samples.kinds import is_parquet
from veml_vcs.samples.tables import is_table, read_parquet, read_table
from veml_vcs.samples.tables.summary import is_missing
from veml_vcs.samples.tables.text import kind_of

MOST_BYTES = 1 << 25
"""So much of the tables is read; what is left over is said."""

_NUMBERS = ("int", "float")


@dataclass(frozen=True)
class ColumnStatistics:
    """One column, in all tables that have it.

    Attributes:
        name: Its name, ``#3`` where it has none.
        kind: ``int``, ``float``, ``time`` or ``text``; several, where tables differ.
        tables: How many tables have it.
        missing: Values that are empty or say that there is none.
        minimum: The smallest number, else the first text in order; None if there is no value.
        maximum: As ``minimum``, the largest.
        spread: How its numbers are distributed; None where it has others.
    """

    name: str
    kind: str
    tables: int
    missing: int
    minimum: str | None
    maximum: str | None
    spread: Spread | None = None


@dataclass(frozen=True)
class TableStatistics:
    """The tables of a data set.

    Attributes:
        tables: How many were read.
        rows: Their rows, headers aside.
        columns: Every column, in the order they are first seen.
    """

    tables: int
    rows: int
    columns: tuple[ColumnStatistics, ...]


class _Column:
    """What is known of one column so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kinds: dict[str, None] = {}
        self.tables = self.missing = 0
        self.numbers: list[np.ndarray] = []
        self.texts: list[str] = []
        self.is_text = False

    def add(self, values: Sequence[str]) -> None:
        """Take the values of one table in; each different one is looked at once."""
        counts = Counter(values)
        given = {value: count for value, count in counts.items() if not is_missing(value)}
        self.tables += 1
        self.missing += counts.total() - sum(given.values())
        if not given:
            return
        kind = kind_of(given)
        self.kinds[kind] = None
        if kind in _NUMBERS:
            try:
                numbers = np.array([float(value) for value in given], np.float64)
                self.numbers.append(np.repeat(numbers, list(given.values())))
            except ValueError:
                self.is_text = True  # numbers with a decimal comma, or percent
        else:
            self.is_text = True
        self.texts += [min(given), max(given)]

    def result(self) -> ColumnStatistics:
        numbers = np.concatenate(self.numbers) if self.numbers and not self.is_text else None
        found = None
        if numbers is not None:
            numbers = numbers[np.isfinite(numbers)]
            found = spread(numbers)
        known = list(self.texts)
        if found is not None:
            low, high = f"{found.minimum:g}", f"{found.maximum:g}"
        else:
            low, high = min(known, default=""), max(known, default="")
        kind = ", ".join(self.kinds) or "text"
        return ColumnStatistics(self.name, kind, self.tables, self.missing, low or None,
                                high or None, found)  # fmt: skip


def table_statistics(
    source: DataVersion, keys: Sequence[str]
) -> tuple[TableStatistics | None, list[str]]:
    """Return what the tables among some samples hold, None if there is none; and notes.

    Args:
        source: The data version.
        keys: The samples.
    """
    tables = [key for key in keys if is_table(key) or is_parquet(key)]
    if source.facts.format != "tables" or not tables:
        return None, []
    columns: dict[str, _Column] = {}
    rows = count = used = 0
    notes: list[str] = []
    for key in tables:
        used += source.samples[key].size
        if count and used > MOST_BYTES:
            notes.append(
                f"columns are those of the first {count} of {len(tables)} tables "
                f"({MOST_BYTES >> 20} MiB); veml data show {source.path} KEY shows one"
            )
            break
        data = source.read(key)
        try:
            table = read_parquet(data, key).table if is_parquet(key) else read_table(data, key)
        except (FormatError, MissingDependencyError) as error:
            notes.append(f"{key}: {error.message}")
            continue
        count += 1
        rows += len(table.rows)
        for name in table.columns:
            columns.setdefault(name, _Column(name)).add(table.column(name))
    if not count:
        return None, notes
    return TableStatistics(count, rows, tuple(one.result() for one in columns.values())), notes
