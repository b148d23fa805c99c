"""Views of arrays in data sets: how two versions differ, by shape, type, elements and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, joined, line
from veml_cli.render.words import plus_minus

if TYPE_CHECKING:
    from veml_vcs.samples.arrays import ArrayDiff


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
