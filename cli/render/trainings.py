"""Views of training versions: what one is, a list, two side by side, what a commit did to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.models import config_lines, config_text
from veml_cli.render.records import (
    SHORT_ID,
    change_lines,
    class_lines,
    metric_lines,
    number,
    prediction_rows,
    side_by_side,
    written_head,
)
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import short
from veml_vcs.versions.changes import leading

if TYPE_CHECKING:
    from veml_vcs.repository.records.listing import ListedRecord
    from veml_vcs.repository.trainings.changes import TrainingDiff
    from veml_vcs.repository.trainings.export import ExportedCheckpoint
    from veml_vcs.repository.trainings.listing import TrainingComparison
    from veml_vcs.repository.trainings.merging import AveragedResult
    from veml_vcs.repository.trainings.versions import TrainingVersion
    from veml_vcs.repository.trainings.write import WrittenTraining
    from veml_vcs.samples.tensors import LayerChange
    from veml_vcs.versions.trainings import TrainingRecord

_METRICS_LISTED = 2
LAYERS_LISTED = 10


def written_lines(done: WrittenTraining) -> Iterator[Line]:
    """Yield what was recorded."""
    if done.same:
        yield line("training ", (done.name, "name"), "  is recorded already, just so")
        return
    tensors = done.record.checkpoint.tensors
    told = line(f"  {tensors:,} tensors, {done.new_bytes:,} new bytes")
    yield written_head("training", done.name, done.version, new=done.new) + told
    yield line(('(use "veml commit" to keep it)', "hint"))


def exported_lines(done: ExportedCheckpoint) -> Iterator[Line]:
    """Yield what was exported."""
    counts = f"  {done.tensors:,} tensors, {done.size_bytes:,} bytes of "
    yield line("wrote ", (done.path, "name"), counts, (done.training, "name"))


def listing_lines(
    found: Sequence[ListedRecord[TrainingRecord]], width: int | None
) -> Iterator[Line]:
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
            (one.name, "name"), (short(one.version, SHORT_ID), "id"), record.model.name,
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
    rows += prediction_rows(record.predictions)
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
    if record.per_class:
        yield line()
        yield from class_lines(record.per_class, width)


def compared_lines(found: TrainingComparison, width: int | None, *, config: bool) -> Iterator[Line]:
    """Yield two trainings side by side, what differs marked."""
    yield from side_by_side(found.facts, found.old, found.new, width)
    if found.metrics:
        yield line()
        yield from metric_lines(found.metrics, width)
    count = len(found.changes)
    if not found.differs:
        yield line("they are the same version ", (short(found.new_version, SHORT_ID), "id"))
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
    yield from change_lines(diff.facts, width)
    if diff.metrics:
        yield from metric_lines(diff.metrics, width)
    if diff.kind == "modified":
        yield from config_lines(diff.changes, width, limit)
        if diff.layers or diff.layers_problem:
            yield from layer_lines(diff.layers, diff.layers_problem, width, limit)


def averaged_lines(done: AveragedResult) -> Iterator[Line]:
    """Yield what was settled by averaging."""
    for one in done.trainings:
        yield line("training ", (one.name, "name"), "  the mean of both; nothing was measured")
    if done.left:
        yield line((f"{plural(len(done.left), 'path')} still in conflict; veml status", "hint"))
    else:
        yield line((f'(use "{done.finish}" to go on)', "hint"))


def summary(diff: TrainingDiff) -> Line:
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
