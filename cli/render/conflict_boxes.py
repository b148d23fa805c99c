"""The objects of a sample in conflict as a table: both sides, overlap, who changed what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, Piece, line
from veml_cli.render.tables import Column, table

if TYPE_CHECKING:
    from veml_vcs.repository.merging.conflict_boxes import ConflictBox
    from veml_vcs.samples.annotations.boxes import Box

_LISTED = 20
_COLUMNS = (Column(), Column("class", shrinks=True), Column("ours"), Column("theirs"),
            Column("IoU", right=True), Column("changed by"))  # fmt: skip


def box_lines(rows: Sequence[ConflictBox], width: int | None = None) -> Iterator[Line]:
    """Yield the table; nothing if there are no objects."""
    if not rows:
        return
    cells = [[_mark(one), _classes(one), _place(one, 1), _place(one, 2), _overlap(one),
              one.changed or "-"] for one in rows[:_LISTED]]  # fmt: skip
    yield from table(_COLUMNS, cells, indent="      ", width=width)
    if len(rows) > _LISTED:
        yield line((f"      … and {len(rows) - _LISTED:,} more", "dim"))


def _mark(one: ConflictBox) -> Piece:
    return ("≠", "removed") if one.contradicts else ""


def _classes(one: ConflictBox) -> str:
    _, ours, theirs = one.classes
    if not (one.there[1] and one.there[2]) or ours == theirs:
        return ours or theirs or one.classes[0] or "-"
    return f"{ours or '-'} | {theirs or '-'}"


def _place(one: ConflictBox, side: int) -> str:
    if not one.there[side]:
        return "removed" if one.there[0] else "-"
    box: Box | None = one.boxes[side]
    if box is None:
        return "no box"
    left, top, right, bottom = box
    return f"{_number(left)},{_number(top)} {_number(right - left)}x{_number(bottom - top)}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _overlap(one: ConflictBox) -> str:
    return "" if one.overlap is None else f"{one.overlap:.2f}"
