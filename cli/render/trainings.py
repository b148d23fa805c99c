"""Views of training versions: what one is, a list, two side by side, what a commit did to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from veml_cli.render.line import Line, Style, line
from veml_cli.render.models import change_lines, config_lines, config_text
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import short
from veml_vcs.versions.trainings.compare import leading

if TYPE_CHECKING:
    from veml_vcs.repository.trainings.changes import TrainingDiff
    from veml_vcs.repository.trainings.export import ExportedCheckpoint
    from veml_vcs.repository.trainings.listing import ListedTraining, TrainingComparison
    from veml_vcs.repository.trainings.merging import AveragedResult, TrainingConflict
    from veml_vcs.repository.trainings.versions import TrainingVersion
    from veml_vcs.repository.trainings.write import WrittenTraining
    from veml_vcs.samples.tensors import LayerChange
    from veml_vcs.versions.trainings import TrainingRecord
    from veml_vcs.versions.trainings.compare import MetricChange

_SHORT_ID = 7
_METRICS_LISTED = 2
_CLASSES_LISTED = 20
LAYERS_LISTED = 10


def number(value: float | None) -> str:
    """Return a metric as people read it."""
    if value is None:
        return ""
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def written_lines(done: WrittenTraining) -> Iterator[Line]:
    """Yield what was recorded."""
    if done.same:
        yield line("training ", (done.name, "name"), "  is recorded already, just so")
        return
    kind = "new training " if done.new else "training "
    tensors = done.record.checkpoint.tensors
    yield line(kind, (done.name, "name"), "  ", (short(done.version, _SHORT_ID), "id"),
               f"  {tensors:,} tensors, {done.new_bytes:,} new bytes")  # fmt: skip
    yield line(('(use "veml commit" to keep it)', "hint"))


def exported_lines(done: ExportedCheckpoint) -> Iterator[Line]:
    """Yield what was exported."""
    counts = f"  {done.tensors:,} tensors, {done.size_bytes:,} bytes of "
    yield line("wrote ", (done.path, "name"), counts, (done.training, "name"))


def listing_lines(found: Sequence[ListedTraining], width: int | None) -> Iterator[Line]:
    """Yield a table of trainings, and which are of data or a model that moved on."""
    columns = (
        Column("training"), Column("version"), Column("model", shrinks=True),
        Column("data", shrinks=True), Column("epochs", right=True),
        Column("metrics", shrinks=True), Column(),
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for one in found:
        record = one.record
        if record is None or one.version is None:
            rows.append([(one.name, "name"), "", (one.problem, "warning")])
            continue
        metrics = [(name, record.metrics[name]) for name in leading(record.metrics)]
        paths = dict.fromkeys(use.path for use in record.data if use.role == "train")
        rows.append([
            (one.name, "name"), (short(one.version, _SHORT_ID), "id"), record.model.name,
            ", ".join(paths), "" if record.epochs is None else f"{record.epochs:,}",
            ", ".join(f"{name} {number(value)}" for name, value in metrics[:_METRICS_LISTED]),
            ("partial", "warning") if record.status == "partial" else "",
        ])  # fmt: skip
    if rows:
        yield from table(columns, rows, indent="", width=width)
    else:
        yield line("no trainings (veml train --help, veml training add --help)")
    for one in found:
        for why in one.stale:
            yield line((one.name, "name"), "  ", (why, "hint"))


def shown_lines(found: TrainingVersion, width: int | None, *, config: bool) -> Iterator[Line]:
    """Yield what a training is."""
    from veml_vcs.versions.trainings.compare import fact_rows

    record = found.record
    yield line("training ", (found.name, "name"), "  ", (found.id, "id"))
    rows: list[list[Cell]] = [[(name, "dim"), text] for name, text in fact_rows(record).items()]
    if record.log is not None:
        rows.append([("log", "dim"), f"{record.log.rows:,} rows: {', '.join(record.log.columns)}"])
    if record.predictions is not None:
        rows.append([("predictions", "dim"), f"of {plural(record.predictions.samples, 'sample')}"])
    yield from table((Column(), Column(shrinks=True)), rows, width=width)
    if record.metrics or record.per_class:
        yield line()
        yield from _metrics(record, width)
    if config:
        yield line()
        for key, value in record.config.items():
            yield line((key, "name"), " = ", config_text(value))


def _metrics(record: TrainingRecord, width: int | None) -> Iterator[Line]:
    rows: list[list[Cell]] = [
        [(name, "dim"), number(record.metrics[name])] for name in leading(record.metrics)
    ]
    yield from table((Column(), Column(right=True)), rows, width=width)
    if not record.per_class:
        return
    names = list(dict.fromkeys(name for one in record.per_class.values() for name in one))
    listed = list(record.per_class.items())[:_CLASSES_LISTED]
    rows = [
        [(of_class, "name"), *(number(metrics.get(name)) for name in names)]
        for of_class, metrics in listed
    ]
    columns = (Column("class", shrinks=True), *(Column(name, right=True) for name in names))
    yield line()
    yield from table(columns, rows, width=width)
    if len(record.per_class) > len(listed):
        yield line((f"  … and {len(record.per_class) - len(listed):,} more classes", "dim"))


def shown_document(found: TrainingVersion) -> dict[str, Any]:
    """Return what ``--json`` writes of a training."""
    return {
        "name": found.name,
        "revision": found.revision,
        "version": found.id,
        "record": found.record,
    }


def compared_lines(found: TrainingComparison, width: int | None, *, config: bool) -> Iterator[Line]:
    """Yield two trainings side by side, what differs marked."""
    columns = (Column(), Column(), Column(found.old, shrinks=True), Column(found.new, shrinks=True))
    rows: list[list[Cell]] = [
        [
            ("~", "changed") if one.differs else "",
            (one.fact, "dim"),
            (one.old, "removed" if one.differs else ""),
            (one.new, "added" if one.differs else ""),
        ]
        for one in found.facts
    ]
    yield from table(columns, rows, indent="", width=width)
    if found.metrics:
        yield line()
        yield from metric_lines(found.metrics, width)
    count = len(found.changes)
    if not found.differs:
        yield line("they are the same version ", (short(found.new_version, _SHORT_ID), "id"))
        return
    if config and count:
        yield line()
        yield from config_lines(found.changes, width)
    elif count:
        yield line((f"{plural(count, 'key')} of the config differ{'s' if count == 1 else ''} "
                    "(--config lists them)", "hint"))  # fmt: skip
    yield line()
    yield from layer_lines(
        found.layers, found.layers_problem, width, 0 if config else LAYERS_LISTED
    )


def metric_lines(metrics: Sequence[MetricChange], width: int | None) -> Iterator[Line]:
    """Yield metrics of two trainings: what the one measured, the other, and the difference."""
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
        style: Style = "" if not change else "added" if change > 0 else "removed"
        name = f"{one.of_class} {one.metric}" if one.of_class else one.metric
        rows.append([
            (name, "dim"), number(one.old), number(one.new),
            ("" if change is None else f"{change:+.4g}", style),
        ])  # fmt: skip
    yield from table(columns, rows, width=width)


def layer_lines(
    layers: Sequence[LayerChange] | None, problem: str, width: int | None, limit: int
) -> Iterator[Line]:
    """Yield what changed in a checkpoint, the layers that changed most first.

    Args:
        layers: The layers; None where that cannot be told.
        problem: Why not.
        width: Columns of the terminal; None is unlimited.
        limit: Layers to list at most; 0 lists all.
    """
    if layers is None:
        yield line(("  the checkpoints cannot be compared: " + problem, "warning"))
        return
    if not layers:
        yield line("  the checkpoints are the same")
        return
    yield line(
        f"  {plural(len(layers), 'layer')} of the checkpoint differ{'s' * (len(layers) == 1)}:"
    )
    order = sorted(layers, key=lambda one: (-(one.change or 0.0), one.layer))
    rows: list[list[Cell]] = []
    for one in order[: limit or None]:
        mark = {"added": "+", "removed": "-"}.get(one.kind, "~")
        told = one.kind if one.change is None else f"changed by {one.change:.2%} of its norm"
        count = plural(one.tensors, "tensor")
        rows.append([line((mark, "changed")), one.layer, (count, "dim"), told])
    yield from table(
        (Column(), Column(shrinks=True), Column(), Column()), rows, indent="    ", width=width
    )
    if limit and len(order) > limit:
        yield line((f"    … and {len(order) - limit:,} more layers", "dim"))


def diff_lines(diff: TrainingDiff, limit: int, width: int | None) -> Iterator[Line]:
    """Yield how a training differs: facts, metrics, config, layers of the checkpoint."""
    yield training_header(diff)
    yield from change_lines(diff.facts, width)
    if diff.metrics:
        yield from metric_lines(diff.metrics, width)
    if diff.kind == "modified":
        yield from config_lines(diff.changes, width, limit)
        if diff.layers or diff.layers_problem:
            yield from layer_lines(diff.layers, diff.layers_problem, width, limit)


def conflict_lines(conflict: TrainingConflict) -> Iterator[Line]:
    """Yield what each side did to a training that both changed, and how to go on."""
    for side, diff in (("ours", conflict.ours), ("theirs", conflict.theirs)):
        yield line((side.ljust(7), "dim"), training_summary(diff).plain or "as it was")
    hint = f'(use "veml resolve {conflict.path} --ours|--theirs|--base|--average")'
    yield line((hint, "hint"))


def averaged_lines(done: AveragedResult) -> Iterator[Line]:
    """Yield what was settled by averaging."""
    for one in done.trainings:
        yield line("training ", (one.name, "name"), "  the mean of both; nothing was measured")
    if done.left:
        yield line((f"{plural(len(done.left), 'path')} still in conflict; veml status", "hint"))
    else:
        yield line((f'(use "{done.finish}" to go on)', "hint"))


def training_header(diff: TrainingDiff) -> Line:
    """Return ``training night  mAP 0.41 -> 0.44; model, seed``."""
    word = {"new": "new training ", "deleted": "deleted training "}.get(diff.kind, "training ")
    return line((word, "title"), (diff.name, "name"), "  ") + training_summary(diff)


def training_summary(diff: TrainingDiff) -> Line:
    """Return the first metrics of a training, and in which facts it differs."""
    measured = {one.metric: one for one in diff.metrics if not one.of_class}
    metrics = [measured[name] for name in leading(measured)][:_METRICS_LISTED]
    parts = [
        f"{one.metric} "
        + " -> ".join(number(side) for side in (one.old, one.new) if side is not None)
        for one in metrics
    ]
    if diff.kind != "modified":
        side = {one.fact: one.new if diff.kind == "new" else one.old for one in diff.facts}
        parts = [side.get("model", ""), side.get("trained on", ""), *parts]
        if side.get("status") == "partial":
            parts.append("partial")
        return line(", ".join(one for one in parts if one))
    facts = ", ".join(one.fact for one in diff.facts)
    keys = plural(len(diff.changes), "key") + " of its config" if diff.changes else ""
    return line("; ".join(one for one in (", ".join(parts), facts, keys) if one))
