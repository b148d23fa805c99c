"""Views of inference versions: what one is, a list, two side by side, what a commit did to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
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
from veml_vcs.ids import short
from veml_vcs.versions.changes import leading

if TYPE_CHECKING:
    from veml_vcs.repository.inferences.changes import InferenceDiff
    from veml_vcs.repository.inferences.export import ExportedFile
    from veml_vcs.repository.inferences.listing import InferenceComparison
    from veml_vcs.repository.inferences.versions import InferenceVersion
    from veml_vcs.repository.inferences.write import WrittenInference
    from veml_vcs.repository.records.listing import ListedRecord
    from veml_vcs.versions.inferences import InferenceRecord

_METRICS_LISTED = 2


def written_lines(done: WrittenInference) -> Iterator[Line]:
    """Yield what was recorded."""
    if done.same:
        told = "  is recorded already, just so (latency is that of the first time)"
        yield line("inference ", (done.name, "name"), told)
        return
    told = f"  {done.record.file.size_bytes:,} bytes, {done.new_bytes:,} of them new"
    yield written_head("inference", done.name, done.version, new=done.new) + line(told)
    yield line(('(use "veml commit" to keep it)', "hint"))


def exported_lines(done: ExportedFile) -> Iterator[Line]:
    """Yield what was exported."""
    yield line("wrote ", (done.path, "name"), f"  {done.size_bytes:,} bytes of ",
               (done.inference, "name"))  # fmt: skip


def listing_lines(
    found: Sequence[ListedRecord[InferenceRecord]], width: int | None
) -> Iterator[Line]:
    """Yield a table of inference versions, and which are of a training or data that moved on."""
    columns = (
        Column("inference"), Column("version"), Column("training", shrinks=True), Column("format"),
        Column("quantisation"), Column("device"), Column("bytes", right=True),
        Column("median ms", right=True), Column("metrics", shrinks=True),
    )  # fmt: skip
    rows: list[list[Cell]] = []
    for one in found:
        record = one.record
        if record is None or one.version is None:
            rows.append([(one.name, "name"), "", (one.problem, "warning")])
            continue
        rows.append([
            (one.name, "name"), (short(one.version, SHORT_ID), "id"), record.training.name,
            record.format, record.quantisation, record.device, f"{record.file.size_bytes:,}",
            "" if record.latency is None else number(record.latency.median_ms),
            ", ".join(_metrics(record)),
        ])  # fmt: skip
    if rows:
        yield from table(columns, rows, indent="", width=width)
    else:
        yield line("no inference versions (veml deploy --help)")
    for one in found:
        for why in one.stale:
            yield line((one.name, "name"), "  ", (why, "hint"))


def _metrics(record: InferenceRecord) -> list[str]:
    names = leading(record.metrics)[:_METRICS_LISTED]
    return [f"{name} {number(record.metrics[name])}" for name in names]


def shown_lines(found: InferenceVersion, width: int | None) -> Iterator[Line]:
    """Yield what an inference version is."""
    from veml_vcs.versions.inferences.compare import fact_rows

    record = found.record
    yield line("inference ", (found.name, "name"), "  ", (found.id, "id"))
    rows: list[list[Cell]] = [[(name, "dim"), text] for name, text in fact_rows(record).items()]
    rows += prediction_rows(record.predictions)
    yield from table((Column(), Column(shrinks=True)), rows, width=width)
    if record.metrics or record.checkpoint_metrics:
        yield line()
        yield from _beside_checkpoint(record, width)
    if record.per_class:
        yield line()
        yield from class_lines(record.per_class, width)


def _beside_checkpoint(record: InferenceRecord, width: int | None) -> Iterator[Line]:
    """Yield the metrics of the deployed file beside those of the checkpoint."""
    names = leading(dict.fromkeys([*record.metrics, *record.checkpoint_metrics]))
    rows: list[list[Cell]] = []
    for name in names:
        ours, theirs = record.metrics.get(name), record.checkpoint_metrics.get(name)
        change = None if ours is None or theirs is None else ours - theirs
        rows.append([(name, "dim"), number(ours), number(theirs), number(change, "+")])
    columns = (
        Column("metric"), Column("deployed", right=True), Column("checkpoint", right=True),
        Column("change", right=True),
    )  # fmt: skip
    yield from table(columns, rows, width=width)


def compared_lines(found: InferenceComparison, width: int | None) -> Iterator[Line]:
    """Yield two inference versions side by side, what differs marked; then metrics, size, time."""
    yield from side_by_side(found.facts, found.old, found.new, width)
    if found.metrics:
        yield line()
        yield from metric_lines(found.metrics, width)
    yield line()
    yield from metric_lines(found.costs, width, less_is_better=True)
    if not found.differs:
        yield line("they are the same version ", (short(found.new_version, SHORT_ID), "id"))
    elif found.same_file:
        yield line("the deployed files are the same, byte for byte")


def diff_lines(diff: InferenceDiff, limit: int, width: int | None) -> Iterator[Line]:
    """Yield how an inference version differs: facts, metrics, size and latency."""
    yield from change_lines(diff.facts, width)
    if diff.metrics:
        yield from metric_lines(diff.metrics, width)
    if diff.costs:
        yield from metric_lines(diff.costs, width, less_is_better=True)


def summary(diff: InferenceDiff) -> Line:
    """Return the first metrics of an inference version, and in which facts it differs."""
    measured = {one.metric: one for one in diff.metrics if not one.of_class}
    shown = [measured[name] for name in leading(measured)][:_METRICS_LISTED]
    shown += [one for one in diff.costs if one.metric == "median ms"]
    parts = [
        f"{one.metric} "
        + " -> ".join(number(side) for side in (one.old, one.new) if side is not None)
        for one in shown
    ]
    if diff.kind != "modified":
        side = {one.fact: one.new if diff.kind == "new" else one.old for one in diff.facts}
        head = [side.get(name, "") for name in ("training", "format", "quantisation")]
        return line(", ".join(one for one in (*head, *parts) if one and one != "none"))
    facts = ", ".join(one.fact for one in diff.facts)
    return line("; ".join(one for one in (", ".join(parts), facts) if one))
