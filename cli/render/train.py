"""View of a training that ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from veml_cli.render.line import Line, line
from veml_cli.render.tables import Cell, Column, table
from veml_cli.render.words import plural
from veml_vcs.ids import short

if TYPE_CHECKING:
    from veml_vcs.training.measure import Measurement
    from veml_vcs.training.train import Trained

_SHORT_ID = 7


def trained_lines(done: Trained, width: int | None) -> Iterator[Line]:
    """Yield what was recorded, the metrics, and those of each class."""
    partial = done.status != "complete"
    shown = "window" if done.task == "forecasting" else "sample"
    yield line(
        "training ", (done.name, "name"), "  ", (short(done.version, _SHORT_ID), "id"),
        f"  {plural(done.iterations, 'iteration')}, {plural(done.samples[0], shown)}",
    )  # fmt: skip
    if partial:
        yield line(("interrupted", "warning"), f" after {done.iterations} of {done.of_iterations} "
                   "iterations: the weights so far are recorded as partial")  # fmt: skip
        yield line((f"  go on: veml train --resume --name {done.name}", "hint"))
    if done.metrics:
        yield line(f"measured on {plural(done.samples[1], shown)}")
    yield from _metrics(done.metrics, done.per_class, width)
    if not partial:
        yield line((f"  staged: {done.path}; veml commit keeps it", "hint"))


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if name in ("boxes", "samples") else f"{value:.3f}"


def measured_lines(done: Measurement, training: str, width: int | None) -> Iterator[Line]:
    """Yield what a training version was measured to do on a data version."""
    yield line(
        "training ", (training, "name"), "  ", (short(done.training, _SHORT_ID), "id"),
        f"  measured on {plural(done.samples, 'sample')} of ", (done.path, "name"), "  ",
        (short(done.data, _SHORT_ID), "id"),
    )  # fmt: skip
    yield from _metrics(done.metrics, done.per_class, width)


def _metrics(
    metrics: Mapping[str, float], per_class: Mapping[str, Mapping[str, float]], width: int | None
) -> Iterator[Line]:
    if metrics:
        rows: list[list[Cell]] = [
            [(name, "dim"), f"{value:.3f}"] for name, value in metrics.items()
        ]
        yield from table((Column(), Column(right=True)), rows, width=width)
    names = list(dict.fromkeys(name for one in per_class.values() for name in one))
    if len(per_class) > 1:
        columns = (Column("class"), *(Column(name, right=True) for name in names))
        listed: list[list[Cell]] = [
            [name, *(_number(key, values.get(key)) for key in names)]
            for name, values in per_class.items()
        ]
        yield from table(columns, listed, width=width)
