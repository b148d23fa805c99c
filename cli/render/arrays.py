"""Views of arrays in data sets: how two versions differ, by shape, type, elements and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, joined, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.values import number
from veml_cli.render.words import plus_minus

if TYPE_CHECKING:
    from veml_vcs.samples.arrays import ArrayDiff, ArrayFacts
    from veml_vcs.samples.zarrs import ArraySummary


def array_diff_lines(diffs: Mapping[str, ArrayDiff], limit: int) -> Iterator[Line]:
    """Yield a line for each array that differs.

    Args:
        diffs: Key, or ``KEY[NAME]``, -> difference.
        limit: Arrays to list; 0 lists all.
    """
    shown = list(diffs.items())[: limit or None]
    for key, one in shown:
        yield line("  array ", (key, "name"), "  ") + joined(_parts(one) or [line("form only")])
    if len(diffs) > len(shown):
        left = len(diffs) - len(shown)
        yield line((f"  … and {left:,} more arrays (--samples 0 shows all)", "dim"))


def facts_lines(arrays: Sequence[ArrayFacts], width: int | None) -> Iterator[Line]:
    """Yield the arrays of an NPY or NPZ file as a table; nothing if there are none."""
    if not arrays:
        return
    rows: list[list[Cell]] = [
        [(one.name, "name"), shape_text(one.shape), one.dtype,
         f"{one.missing:,}" if one.missing else "",
         *("" if v is None else number(v) for v in (one.minimum, one.mean, one.maximum))]
        for one in arrays
    ]  # fmt: skip
    columns = (
        Column("array", shrinks=True), Column("shape"), Column("type"),
        Column("missing", right=True), *(Column(t, right=True) for t in ("min", "mean", "max")),
    )  # fmt: skip
    yield line()
    yield from table(columns, rows, width=width)


def store_lines(arrays: Sequence[ArraySummary], width: int | None) -> Iterator[Line]:
    """Yield the arrays of a Zarr store as a table; nothing if there are none."""
    if not arrays:
        return
    rows: list[list[Cell]] = []
    for one in arrays:
        if one.unread is not None:
            rows.append([(one.name, "name"), (f"not read: {one.unread}", "hint"), "", "", "", ""])
            continue
        rows.append([
            (one.name, "name"), shape_text(one.shape), one.dtype, shape_text(one.chunks),
            ", ".join(one.codecs), f"{one.stored:,} of {one.total:,}",
        ])  # fmt: skip
    columns = (Column("array", shrinks=True), Column("shape", shrinks=True), Column("type"),
               Column("chunks"), Column("codecs"), Column("chunk files", right=True))  # fmt: skip
    yield line()
    yield from table(columns, rows, width=width)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return ``2016x207``, or ``scalar``."""
    return "x".join(map(str, shape)) or "scalar"


def _parts(one: ArrayDiff) -> list[Line]:
    if one.kind == "added":
        return [line(("added", "added"), f" {one.new_dtype} {shape_text(one.new_shape)}")]
    if one.kind == "removed":
        return [line(("removed", "removed"), f" {one.old_dtype} {shape_text(one.old_shape)}")]
    parts = []
    if one.old_shape != one.new_shape:
        parts.append(line(" -> ".join(map(shape_text, (one.old_shape, one.new_shape)))))
    if one.old_dtype != one.new_dtype:
        parts.append(line(f"{one.old_dtype} -> {one.new_dtype}"))
    rows = plus_minus(one.rows_added, one.rows_removed, 0)
    if rows.pieces:
        parts.append(rows + line(" rows"))
    if one.changed:
        where = ", ".join(f"{a}:{b}" if b > a + 1 else f"{a}" for a, b in one.rows)
        told = f"{one.changed:,} of {one.elements:,} elements"
        parts.append(line(told + (f" in rows {where}" if where else "")))
    return parts
