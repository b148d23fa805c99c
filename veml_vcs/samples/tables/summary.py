"""What a table holds, in a few lines: its form, its columns, its first rows."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.samples.tables.match import key_columns
from veml_vcs.samples.tables.text import Table

_FIRST = 5
_MISSING = frozenset(("", "na", "nan", "null", "none", "n/a"))


@dataclass(frozen=True)
class ColumnSummary:
    """One column.

    Attributes:
        name: Its name, ``#3`` where it has none.
        kind: ``int``, ``float``, ``time`` or ``text``: what all of its values look like;
            of a Parquet file Arrow's type.
        missing: Values that are empty or say that there is none (NaN, NA, null).
        distinct: Number of different values, missing ones aside.
        minimum: The smallest number, else the first text in order; None if there is no value.
        maximum: As ``minimum``, the largest.
    """

    name: str
    kind: str
    missing: int
    distinct: int
    minimum: str | None
    maximum: str | None


@dataclass(frozen=True)
class TableSummary:
    """A table in a few lines.

    Attributes:
        encoding: Python's name of it; of a Parquet file that word, and its compression.
        delimiter: What separates cells; nothing in a Parquet file.
        header: Whether the first row names the columns.
        rows: Number of rows, the header aside.
        key_columns: The columns that tell rows apart; empty if none do.
        columns: Every column.
        first: The values of the first rows.
    """

    encoding: str
    delimiter: str
    header: bool
    rows: int
    key_columns: tuple[str, ...]
    columns: tuple[ColumnSummary, ...]
    first: tuple[tuple[str, ...], ...]


def is_missing(value: str) -> bool:
    """Tell whether a cell is empty, or says that there is no value (NaN, NA, null)."""
    return value.strip().lower() in _MISSING


def summarise(table: Table) -> TableSummary:
    """Return a table in a few lines."""
    return TableSummary(
        table.encoding,
        table.delimiter,
        table.header is not None,
        len(table.rows),
        key_columns([table]),
        tuple(_column(table, name) for name in table.columns),
        tuple(table.values(row) for row in table.rows[:_FIRST]),
    )


def _column(table: Table, name: str) -> ColumnSummary:
    values = [one.strip() for one in table.column(name)]
    given = [one for one in values if one.lower() not in _MISSING]
    kind = table.kind(name)
    low = high = None
    if given:
        try:
            order = float if kind in ("int", "float") else str
            low, high = min(given, key=order), max(given, key=order)
        except ValueError:  # numbers with a decimal comma, or percent
            low, high = min(given), max(given)
    return ColumnSummary(name, kind, len(values) - len(given), len(set(given)), low, high)
