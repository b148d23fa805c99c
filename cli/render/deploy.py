"""View of a training that was deployed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural, size
from veml_vcs.ids import short
from veml_vcs.versions.inferences.compare import parity_words

if TYPE_CHECKING:
    from veml_vcs.deployment.deploy import Deployed

_SHORT_ID = 7


def deployed_lines(done: Deployed, width: int | None) -> Iterator[Line]:
    """Yield what was written, how it compares with the checkpoint, and how fast it is."""
    told = done.format if done.quantisation == "none" else f"{done.format} {done.quantisation}"
    yield line(
        "inference ", (done.name, "name"), "  ", (short(done.version, _SHORT_ID), "id"),
        f"  {told}, {size(done.size_bytes)}, of training ", (done.training, "name"),
    )  # fmt: skip
    if done.parity is not None:
        yield line((parity_words(done.parity), "added" if done.parity.holds else "warning"))
    if done.latency is not None:
        one = done.latency
        yield line(
            f"latency {one.median_ms:.1f} ms (median), {one.p95_ms:.1f} ms (p95); "
            f"{plural(one.threads, 'thread')}, {plural(one.runs, 'run')}, {one.cpu}"
        )
    shown = "window" if done.task == "forecasting" else "sample"
    yield line(f"measured on {plural(done.samples, shown)}")
    columns = (Column(""), Column("checkpoint", right=True), Column("file", right=True))
    rows: list[list[Cell]] = [
        [(name, "dim"), _number(done.checkpoint_metrics.get(name)), f"{value:.3f}"]
        for name, value in done.metrics.items()
    ]
    yield from table(columns, rows, width=width)
    if done.same:
        yield line(("  the same version was there already (--remeasure takes the new latency)",
                    "hint"))  # fmt: skip
    else:
        yield line((f"  staged: {done.path}; veml commit keeps it", "hint"))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
