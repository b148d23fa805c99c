"""What a detector gets wrong: tables by class and by size, confusions, the worst samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.confusions import confusion_lines
from veml_cli.render.line import Line, line
from veml_cli.render.records import number
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import key_name, plural

if TYPE_CHECKING:
    from veml_vcs.analysis.detection.errors import DetectionErrors

_KINDS = ("missed", "confused", "misplaced", "duplicate", "invented")


def error_lines(found: DetectionErrors, width: int | None) -> Iterator[Line]:
    """Yield the whole view."""
    means = f"AP {number(found.ap)}, AP50 {number(found.ap50)}, AP75 {number(found.ap75)}"
    where = f"  on {plural(found.samples, 'sample')}: "
    yield line(f"{found.kind} ", (found.name, "name"), where, means)
    yield line((f"counts: scores from {found.score:g}, IoU from {found.iou:g}", "hint"))
    yield line()
    yield from _classes(found, width)
    yield line()
    columns = (Column("size"), *(Column(name, right=True) for name in ("objects", "AP", "recall")))
    sizes: list[list[Cell]] = [
        [one.size, f"{one.truth:,}", number(one.ap), number(one.recall)] for one in found.sizes
    ]
    yield from table(columns, sizes, indent="", width=width)
    yield from confusion_lines(found.confusions)
    yield line()
    yield from _worst(found, width)


def _classes(found: DetectionErrors, width: int | None) -> Iterator[Line]:
    names = ("objects", "AP", "AP50", "correct", *_KINDS)
    columns = (Column("class", shrinks=True), *(Column(name, right=True) for name in names))
    rows: list[list[Cell]] = []
    for one in found.classes:
        counts = (one.correct, *(getattr(one, kind) for kind in _KINDS))
        rows.append([
            (one.name, "name"), f"{one.truth:,}", number(one.ap), number(one.ap50),
            *(f"{count:,}" if count else "" for count in counts),
        ])  # fmt: skip
    yield from table(columns, rows, indent="", width=width)


def _worst(found: DetectionErrors, width: int | None) -> Iterator[Line]:
    if not found.worst:
        yield line("nothing is wrong in any sample" if not _any_wrong(found) else "")
        return
    names = ("wrong", *_KINDS)
    columns = (Column("worst samples", shrinks=True), *(Column(one, right=True) for one in names))
    rows: list[list[Cell]] = []
    for one in found.worst:
        counts = [getattr(one, kind) for kind in _KINDS]
        rows.append([
            line(one.dataset, "/") + line(key_name(one.key)), f"{one.wrong:,}",
            *(f"{count:,}" if count else "" for count in counts),
        ])  # fmt: skip
    yield from table(columns, rows, indent="", width=width)


def _any_wrong(found: DetectionErrors) -> bool:
    return any(getattr(one, kind) for one in found.classes for kind in _KINDS)
