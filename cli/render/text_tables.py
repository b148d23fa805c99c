"""Views of tables in data sets: what one holds, and how two versions differ by rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, joined, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.values import value_text
from veml_cli.render.words import plural, plus_minus

if TYPE_CHECKING:
    from veml_vcs.samples.tables import RowChange, TableDiff, TableSummary

_CELLS = 4
_COLUMNS = 30


def summary_lines(found: TableSummary, width: int | None) -> Iterator[Line]:
    """Yield a table's form, its columns and its first rows."""
    yield line()
    head = [plural(found.rows, "row"), plural(len(found.columns), "column"), found.encoding]
    if found.delimiter:
        delimiter = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}[found.delimiter]
        head += [f"{delimiter}-separated", "with names" if found.header else "without names"]
    yield line(", ".join(head))
    key = ", ".join(found.key_columns)
    yield line((f"rows known by {key}" if key else "rows known by their order", "dim"))
    rows: list[list[Cell]] = [
        [(one.name, "name"), one.kind, f"{one.missing:,}" if one.missing else "",
         f"{one.distinct:,}", value_text(one.minimum or "", 24), value_text(one.maximum or "", 24)]
        for one in found.columns[:_COLUMNS]
    ]  # fmt: skip
    columns = (
        Column("column", shrinks=True), Column("kind"), Column("missing", right=True),
        Column("distinct", right=True), Column("from"), Column("to"),
    )  # fmt: skip
    yield from table(columns, rows, width=width)
    if len(found.columns) > _COLUMNS:
        more = len(found.columns) - _COLUMNS
        yield line((f"  … and {more:,} more columns (--json lists all)", "dim"))


def table_diff_lines(
    diffs: Mapping[str, TableDiff], limit: int, width: int | None
) -> Iterator[Line]:
    """Yield how tables differ: columns, then rows with their cells.

    Args:
        diffs: Key -> difference.
        limit: Rows of each table to list; 0 lists all.
        width: Columns of the terminal; None is unlimited.
    """
    for key, one in diffs.items():
        parts = []
        rows = plus_minus(one.count("added"), one.count("removed"), one.count("changed"))
        if rows.pieces:
            parts.append(rows + line(" rows"))
        marked = [line((f"+{name}", "added")) for name in one.columns_added]
        marked += [line((f"-{name}", "removed")) for name in one.columns_removed]
        if marked:
            parts.append(line("columns ") + joined(marked, " "))
        if one.cells_by_column:
            cells = sum(one.cells_by_column.values())
            names = plural(len(one.cells_by_column), "column")
            parts.append(line(f"{plural(cells, 'cell')} in {names}"))
        if one.reordered:
            parts.append(line("reordered"))
        parts += [line(f"other {name}") for name in one.form]
        yield line("  table ", (key, "name"), "  ") + joined(parts)
        shown = list(_ranges(one.rows))
        yield from table(
            (Column(), Column(shrinks=True), Column(shrinks=True)), shown[: limit or None],
            indent="    ", width=width,
        )  # fmt: skip
        if limit and len(shown) > limit:
            yield line((f"    … and {len(shown) - limit:,} more (--samples 0 shows all)", "dim"))


def _ranges(rows: tuple[RowChange, ...]) -> Iterator[list[Cell]]:
    """Yield a line for each changed row, and one for each run of rows that came or went."""
    start = 0
    while start < len(rows):
        one = rows[start]
        end = start + 1
        if one.kind == "changed":
            yield [("changed", "changed"), one.row, _cells(one)]
        else:
            while end < len(rows) and rows[end].kind == one.kind:
                end += 1
            count = end - start
            name = one.row if count == 1 else f"{one.row} … {rows[end - 1].row}"
            style = "added" if one.kind == "added" else "removed"
            yield [(one.kind, style), name, plural(count, "row") if count > 1 else ""]  # type: ignore[list-item]
        start = end


def _cells(row: RowChange) -> Line:
    shown = [
        line(f"{one.column} " if one.column else "", (value_text(one.old, 24), "removed"), " -> ",
             (value_text(one.new, 24), "added"))
        for one in row.cells[:_CELLS]
    ]  # fmt: skip
    if len(row.cells) > _CELLS:
        shown.append(line((f"… and {len(row.cells) - _CELLS} more", "dim")))
    return joined(shown)
