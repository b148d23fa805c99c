"""What a classifier gets wrong: a table by class, the confusion matrix, the worst samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.confusions import confusion_lines
from veml_cli.render.line import Line, line
from veml_cli.render.records import number
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import key_name, plural

if TYPE_CHECKING:
    from veml_vcs.analysis.classification.errors import ClassificationErrors

_MATRIX_CLASSES = 20


def class_error_lines(found: ClassificationErrors, width: int | None) -> Iterator[Line]:
    """Yield the whole view."""
    where = f"  on {plural(found.samples, 'sample')}: "
    yield line(f"{found.kind} ", (found.name, "name"), where, f"accuracy {number(found.accuracy)}")
    yield line()
    names = ("samples", "said", "correct", "precision", "recall", "F1")
    columns = (
        Column("", right=True), Column("class", shrinks=True),
        *(Column(name, right=True) for name in names),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            (str(place), "dim"), (one.name, "name"), f"{one.samples:,}", f"{one.said:,}",
            f"{one.correct:,}", number(one.precision), number(one.recall), number(one.f1),
        ]
        for place, one in enumerate(found.classes, 1)
    ]  # fmt: skip
    yield from table(columns, rows, indent="", width=width)
    if 1 < len(found.classes) <= _MATRIX_CLASSES:
        yield line()
        yield from _matrix(found, width)
    yield from confusion_lines(found.confusions)
    yield line()
    yield from _worst(found, width)


def _matrix(found: ClassificationErrors, width: int | None) -> Iterator[Line]:
    """Yield the confusion matrix; its columns are told by the numbers of the table above."""
    yield line(("what is true (rows), and what was said (columns):", "title"))
    numbers = range(1, len(found.classes) + 1)
    columns = (
        Column("", right=True), Column("", shrinks=True),
        *(Column(str(place), right=True) for place in numbers),
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for place, (one, counts) in enumerate(zip(found.classes, found.matrix, strict=True)):
        cells: list[Cell] = [
            (
                f"{count:,}" if count else "·",
                "added" if row == place else "changed" if count else "dim",
            )
            for row, count in enumerate(counts)
        ]
        rows.append([(str(place + 1), "dim"), (one.name, "name"), *cells])
    yield from table(columns, rows, indent="", width=width)


def _worst(found: ClassificationErrors, width: int | None) -> Iterator[Line]:
    if not found.worst:
        yield line("" if found.confusions else "nothing is wrong in any sample")
        return
    columns = (
        Column("surest mistakes", shrinks=True), Column("is"), Column("said"),
        Column("score", right=True), Column("of the truth", right=True),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            line(one.dataset, "/") + line(key_name(one.key)), one.truth, one.said,
            f"{one.score:.3f}", "" if one.truth_score is None else f"{one.truth_score:.3f}",
        ]
        for one in found.worst
    ]  # fmt: skip
    yield from table(columns, rows, indent="", width=width)
