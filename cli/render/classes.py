"""How often each class occurs: alone, or before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.bars import bar
from veml_cli.render.line import Line, Style, line
from veml_cli.render.tables import Cell, Column, table

if TYPE_CHECKING:
    from veml_vcs.repository.diff_result import ClassDiff
    from veml_vcs.versions.data import DataRecord

_PAIR_WIDTH = 12
_BAR_WIDTH = 24


def class_lines(classes: Sequence[ClassDiff], limit: int, width: int | None) -> Iterator[Line]:
    """Yield the classes whose counts differ, with bars before and after.

    Objects are counted where there are any, else samples.
    """
    objects = any(one.old.objects or one.new.objects for one in classes)
    counts = [
        (one.name, one.old.objects, one.new.objects)
        if objects
        else (one.name, one.old.samples, one.new.samples)
        for one in classes
    ]
    changed = [one for one in counts if one[1] != one[2]]
    if not changed:
        return
    largest = max(max(before, after) for _, before, after in counts)
    changed.sort(key=lambda one: -max(one[1:]))
    shown = changed[: limit or None]
    rows: list[list[Cell]] = [
        [
            name,
            f"{before:,}",
            (bar(before, largest, _PAIR_WIDTH), "dim"),
            f"{after:,}",
            (bar(after, largest, _PAIR_WIDTH), "bar"),
            (f"{after - before:+,}", _sign(after - before)),
        ]
        for name, before, after in shown
    ]
    title = "class" if objects else "class (samples)"
    columns = (
        Column(title, shrinks=True), Column("before", right=True), Column(),
        Column("after", right=True), Column(), Column("change", right=True),
    )  # fmt: skip
    yield from table(columns, rows, width=width)
    hidden, same = len(changed) - len(shown), len(counts) - len(changed)
    if hidden:
        yield line((f"  … and {hidden:,} more (--samples 0 shows all)", "dim"))
    if same:
        yield line((f"  … and {same:,} as before", "dim"))


def record_class_lines(record: DataRecord, width: int | None) -> Iterator[Line]:
    """Yield the classes of one data version with their counts."""
    classes = record.facts.classes
    if not classes:
        return
    counts = [(one, record.class_counts.get(one.name)) for one in classes]
    weights = [(c.objects or c.samples) if c else 0 for _, c in counts]
    numbered = any(one.id is not None for one in classes)
    # Classes of whole images have no objects to count.
    objects = record.objects > 0 or not any(weights)
    rows: list[list[Cell]] = [
        [
            *([str(one.id)] if numbered else []),
            one.name,
            *([f"{c.objects:,}" if c else "0"] if objects else []),
            f"{c.samples:,}" if c else "0",
            (bar(weight, max(weights), _BAR_WIDTH), "bar"),
        ]
        for (one, c), weight in zip(counts, weights, strict=True)
    ]
    columns = (
        *([Column("id", right=True)] if numbered else []),
        Column("class", shrinks=True), *([Column("objects", right=True)] if objects else []),
        Column("samples", right=True), Column(),
    )  # fmt: skip
    yield from table(columns, rows, width=width)


def _sign(change: int) -> Style:
    return "added" if change > 0 else "removed"
