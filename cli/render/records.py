"""Views of named records of any kind: how one differs, in words, and what all their tables share.

What a kind says of itself is in its own module: ``models``, ``trainings``, ``inferences``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from veml_cli.render.line import Line, Style, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import short
from veml_vcs.versions.kinds import MODEL, TRAINING, kind_at

if TYPE_CHECKING:
    from veml_vcs.repository.records.changes import RecordDiff
    from veml_vcs.repository.records.merging import RecordConflict
    from veml_vcs.repository.records.stale import StaleRecord
    from veml_vcs.repository.records.versions import NamedVersion
    from veml_vcs.versions.changes import FactChange, MetricChange
    from veml_vcs.versions.trainings import PredictionFacts

SHORT_ID = 7
_CLASSES_LISTED = 20
_LARGE = 10_000  # bytes, and errors in large units: no exponents


class HasRecords(Protocol):
    """A result that tells how named records differ: a diff, a commit, a status."""

    @property
    def models(self) -> Sequence[RecordDiff]:
        """Models that do."""

    @property
    def trainings(self) -> Sequence[RecordDiff]:
        """Trainings that do."""

    @property
    def inferences(self) -> Sequence[RecordDiff]:
        """Inference versions that do."""


def named(result: HasRecords) -> tuple[RecordDiff, ...]:
    """Return the named records that differ, kind by kind."""
    return (*result.models, *result.trainings, *result.inferences)


def kind_word(path: str) -> str:
    """Return ``model``, ``training`` or ``inference``, by the path of a record; else ``file``."""
    kind = kind_at(path)
    return "file" if kind is None else kind.name


def record_summary(diff: RecordDiff) -> Line:
    """Return in which facts and metrics a record differs; of a new one, what it is."""
    found: Line = _view(diff.path).summary(diff)
    return found


def record_header(diff: RecordDiff) -> Line:
    """Return ``training night  mAP 0.41 -> 0.44; model, seed``."""
    word = kind_word(diff.path)
    told = f"{diff.kind} {word} " if diff.kind in ("new", "deleted") else f"{word} "
    return line((told, "title"), (diff.name, "name"), "  ") + record_summary(diff)


def record_diff_lines(diff: RecordDiff, limit: int, width: int | None) -> Iterator[Line]:
    """Yield how a record differs: header, facts, metrics, and what else its kind has.

    Args:
        diff: What differs.
        limit: Keys and layers to list at most; 0 lists all.
        width: Columns of the terminal; None is unlimited.
    """
    yield record_header(diff)
    yield from _view(diff.path).diff_lines(diff, limit, width)


def record_conflict_lines(conflict: RecordConflict) -> Iterator[Line]:
    """Yield what each side did to a record that both changed, and how to go on."""
    from veml_vcs.repository.records.merging import how_to_settle

    for side, diff in (("ours", conflict.ours), ("theirs", conflict.theirs)):
        yield line((side.ljust(7), "dim"), record_summary(diff).plain or "as it was")
    yield line((f'(use "{how_to_settle(conflict.path)}")', "hint"))


def stale_line(one: StaleRecord) -> Line:
    """Return which version is of what moved on: ``night  the data images is another version``."""
    return line((one.name, "name"), f"  {one.reason}")


def written_head(word: str, name: str, version: str, *, new: bool) -> Line:
    """Return ``new training night  1234567``."""
    return line(f"new {word} " if new else f"{word} ", (name, "name"), "  ",
                (short(version, SHORT_ID), "id"))  # fmt: skip


def shown_document(found: NamedVersion[Any]) -> dict[str, Any]:
    """Return what ``--json`` writes of one version."""
    return {
        "name": found.name,
        "revision": found.revision,
        "version": found.id,
        "record": found.record,
    }


def number(value: float | None, sign: str = "") -> str:
    """Return a metric as people read it; with ``sign`` ``+`` also the sign of one above zero."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    return f"{value:{sign},.0f}" if abs(value) >= _LARGE else f"{value:{sign}.4g}"


def change_lines(facts: Sequence[FactChange], width: int | None) -> Iterator[Line]:
    """Yield the facts that differ: ``backbone  ResNet (depth 50) -> ResNet (depth 101)``."""
    rows: list[list[Cell]] = []
    for one in facts:
        if one.differs:
            both = one.old and one.new
            arrow = " -> " if both else ""
            rows.append([(one.fact, "dim"), line((one.old, "removed"), arrow, (one.new, "added"))])
    yield from table((Column(), Column(shrinks=True)), rows, width=width)


def side_by_side(
    facts: Sequence[FactChange], old: str, new: str, width: int | None
) -> Iterator[Line]:
    """Yield the facts of two versions, what differs marked.

    Args:
        facts: Also those that are the same.
        old: The first version, as the user named it.
        new: The second.
        width: Columns of the terminal; None is unlimited.
    """
    columns = (Column(), Column(), Column(old, shrinks=True), Column(new, shrinks=True))
    rows: list[list[Cell]] = [
        [
            ("~", "changed") if one.differs else "",
            (one.fact, "dim"),
            (one.old, "removed" if one.differs else ""),
            (one.new, "added" if one.differs else ""),
        ]
        for one in facts
    ]
    yield from table(columns, rows, indent="", width=width)


def metric_lines(
    metrics: Sequence[MetricChange], width: int | None, *, less_is_better: bool = False
) -> Iterator[Line]:
    """Yield metrics of two versions: what the one measured, the other, and the difference."""
    rows: list[list[Cell]] = []
    if all(one.old is None for one in metrics) or all(one.new is None for one in metrics):
        for one in metrics:
            name = f"{one.of_class} {one.metric}".strip()
            rows.append([(name, "dim"), number(one.old if one.new is None else one.new)])
        yield from table((Column(), Column(right=True)), rows, width=width)
        return
    columns = (
        Column("metric"), Column("old", right=True), Column("new", right=True),
        Column("change", right=True),
    )  # fmt: skip
    for one in metrics:
        change = one.difference
        better = change is not None and (change > 0) != less_is_better
        style: Style = "" if not change else "added" if better else "removed"
        name = f"{one.of_class} {one.metric}" if one.of_class else one.metric
        rows.append([
            (name, "dim"), number(one.old), number(one.new),
            (number(change, "+"), style),
        ])  # fmt: skip
    yield from table(columns, rows, width=width)


def prediction_rows(predictions: PredictionFacts | None) -> list[list[Cell]]:
    """Return the row that says of how many samples predictions are kept; none where none are."""
    if predictions is None:
        return []
    return [[("predictions", "dim"), f"of {plural(predictions.samples, 'sample')}"]]


def class_lines(per_class: Mapping[str, Mapping[str, float]], width: int | None) -> Iterator[Line]:
    """Yield metrics by class."""
    names = list(dict.fromkeys(name for one in per_class.values() for name in one))
    listed = list(per_class.items())[:_CLASSES_LISTED]
    rows: list[list[Cell]] = [
        [(of_class, "name"), *(number(metrics.get(name)) for name in names)]
        for of_class, metrics in listed
    ]
    columns = (Column("class", shrinks=True), *(Column(name, right=True) for name in names))
    yield from table(columns, rows, width=width)
    if len(per_class) > len(listed):
        yield line((f"  … and {len(per_class) - len(listed):,} more classes", "dim"))


def _view(path: str) -> Any:
    """Return the module that shows records of the kind that lies at a path."""
    if MODEL.may_be(path):
        from veml_cli.render import models

        return models
    if TRAINING.may_be(path):
        from veml_cli.render import trainings

        return trainings
    from veml_cli.render import inferences

    return inferences
