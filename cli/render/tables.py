"""Tables without borders: aligned columns, cut to the terminal where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from veml_cli.render.line import Line, Piece, Style, line, shorten

Cell: TypeAlias = Piece | Line

GAP = "  "
_LEAST_WIDTH = 12


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: What stands above it.
        right: Whether it is aligned to the right (numbers).
        shrinks: Whether it is shortened where the terminal is too narrow.
    """

    title: str = ""
    right: bool = False
    shrinks: bool = False


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    indent: str = "  ",
    width: int | None = None,
) -> Iterator[Line]:
    """Yield the lines of a table; titles that are all empty take no line.

    Args:
        columns: The columns.
        rows: Their cells; a row may be shorter than the columns.
        indent: What stands before each line.
        width: Columns of the terminal; None is unlimited.
    """
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = _widths(columns, cells)
    if width is not None:
        _shrink(widths, columns, width - len(indent))
    if any(column.title for column in columns):
        titles = [line((column.title, "dim")) for column in columns]
        yield _row(titles, columns, widths, indent)
    for row in cells:
        yield _row(row, columns, widths, indent)


def natural_width(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> int:
    """Return the columns of a terminal in which a table (without indent) needs no shortening."""
    widths = _widths(columns, [[_cell(cell) for cell in row] for row in rows])
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[Line]]) -> list[int]:
    return [
        max([len(column.title), *(row[i].width for row in cells if i < len(row))])
        for i, column in enumerate(columns)
    ]


def _cell(cell: Cell) -> Line:
    return cell if isinstance(cell, Line) else line(cell)


def _shrink(widths: list[int], columns: Sequence[Column], available: int) -> None:
    """Take what is too much from the columns that may shrink, the widest first."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - available
    while excess > 0:
        candidates = [i for i, one in enumerate(columns) if one.shrinks]
        widest = max(candidates, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _LEAST_WIDTH:
            return
        widths[widest] -= 1
        excess -= 1


def _row(
    cells: Sequence[Line], columns: Sequence[Column], widths: Sequence[int], indent: str
) -> Line:
    result = line(indent)
    for i, (cell, column, width) in enumerate(zip(cells, columns, widths, strict=False)):
        fitted = _fit(cell, width)
        padding = line(" " * (width - fitted.width))
        result += padding + fitted if column.right else fitted + padding
        if i + 1 < len(cells):
            result += line(GAP)
    return result


def _fit(cell: Line, width: int) -> Line:
    if cell.width <= width:
        return cell
    style: Style = cell.pieces[0][1] if cell.pieces else ""
    return line((shorten("".join(text for text, _ in cell.pieces), width), style))
