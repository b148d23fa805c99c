"""Curves in the terminal: dots of braille, two by four in a cell, with the axes written beside."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, cell_width, line

if TYPE_CHECKING:
    from veml_vcs.repository.trainings.curves import Curve

HEIGHT = 8
"""Lines of a curve, without its title and axis."""

_MOST, _LEAST = 72, 20
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell, by row and column of its dots (Unicode 16, chapter 21.1)."""


def curve_lines(curves: Sequence[Curve], width: int | None) -> Iterator[Line]:
    """Yield the curves one below the other; those of one metric have one scale.

    Args:
        curves: Metric by metric.
        width: Columns of the terminal; None draws at a usual width.
    """
    for place, one in enumerate(curves):
        if place:
            yield line()
        same = [y for other in curves if other.metric == one.metric for y in other.y]
        finite = [y for y in same if math.isfinite(y)]
        yield _title(one)
        if finite:
            yield from _drawn(one, min(finite), max(finite), width)


def _title(one: Curve) -> Line:
    finite = [(y, x) for x, y in zip(one.x, one.y, strict=True) if math.isfinite(y)]
    told = line((one.metric, "title"), "  ", (one.training, "name"), "  ")
    if not finite:
        return told + line(("no number", "dim"))
    (low, at_low), (high, at_high), last = min(finite), max(finite), finite[-1][0]
    lost = len(one.y) - len(finite)
    more = f"; {lost} not finite" if lost else ""
    return told + line(
        f"last {number(last)}, ",
        (f"least {number(low)} at {one.axis} {number(at_low)}, ", "dim"),
        (f"most {number(high)} at {one.axis} {number(at_high)}{more}", "dim"),
    )


def _drawn(one: Curve, low: float, high: float, width: int | None) -> Iterator[Line]:
    labels = number(high), number(low)
    margin = max(map(cell_width, labels))
    columns = max(_LEAST, min(_MOST, (width or _MOST) - margin - 2))
    cells = _cells(one, low, high, columns)
    for place, row in enumerate(cells):
        label = labels[0] if place == 0 else labels[1] if place == HEIGHT - 1 else ""
        text = "".join(chr(0x2800 + bits) for bits in row)
        yield line((label.rjust(margin), "dim"), " ", ("│", "dim"), (text, "bar"))
    first, last = number(min(one.x)), number(max(one.x))
    gap = max(1, columns - cell_width(first) - cell_width(last))
    axis = f"{first}{' ' * gap}{last}  {one.axis}" if first != last else f"{first}  {one.axis}"
    yield line((" " * (margin + 2) + axis, "dim"))


def _cells(one: Curve, low: float, high: float, columns: int) -> list[list[int]]:
    """Return the bits of each cell; between two points lies a straight line."""
    cells = [[0] * columns for _ in range(HEIGHT)]
    across, down = columns * 2 - 1, HEIGHT * 4 - 1
    left, right = min(one.x), max(one.x)
    before: tuple[int, int] | None = None
    for x, y in zip(one.x, one.y, strict=True):
        if not math.isfinite(y):
            before = None
            continue
        at = (
            round((x - left) / (right - left) * across) if right > left else 0,
            round((high - y) / (high - low) * down) if high > low else down // 2,
        )
        for column, row in _between(before or at, at):
            cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
        before = at
    return cells


def _between(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    for i in range(steps + 1):
        yield (
            round(start[0] + (end[0] - start[0]) * i / steps),
            round(start[1] + (end[1] - start[1]) * i / steps),
        )


def number(value: float) -> str:
    """Return a number with four digits, as short as it goes."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e7 else f"{value:.4g}"
