"""The log of trainings as curves: what was said of a metric, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import NotFoundError
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion, open_training
from veml_vcs.versions.changes import leading

STEPS = ("iteration", "epoch")
"""Columns of a log that say where a row stands, the finer first."""

_SHOWN = 6


@dataclass(frozen=True)
class Curve:
    """One metric over one training.

    Attributes:
        training: The training, as the user named it.
        metric: The column of the log.
        axis: What ``x`` counts: ``iteration``, ``epoch`` or ``row``.
        x: Where something was said.
        y: What was.
    """

    training: str
    metric: str
    axis: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Curves:
    """Curves of one or more trainings.

    Attributes:
        curves: Metric by metric, in the order of the trainings.
        others: Columns that the logs have and nobody asked for.
    """

    curves: tuple[Curve, ...]
    others: tuple[str, ...] = ()


def training_curves(repo: Repository, specs: Sequence[str], metrics: Sequence[str] = ()) -> Curves:
    """Return the curves of trainings.

    Args:
        repo: The repository.
        specs: ``NAME`` (as staged) or ``NAME@REV``.
        metrics: Columns of the logs; none: the loss, and what the trainings have as metrics.

    Raises:
        NotFoundError: There is no such training or column, or nothing was logged.
    """
    versions = [open_training(repo, one) for one in specs]
    columns = {
        name: None
        for one in versions
        for name in (() if one.record.log is None else one.record.log.columns)
        if name not in STEPS
    }
    if not columns:
        raise NotFoundError(f"{', '.join(specs)}: nothing was logged", kind="no-log")
    unknown = [one for one in metrics if one not in columns]
    if unknown:
        raise NotFoundError(
            f"nothing called {unknown[0]!r} was logged; what was: {', '.join(columns)}",
            kind="unknown-metric",
        )
    wanted = list(dict.fromkeys(metrics)) or _usual(versions, list(columns))
    logs = [one.log() for one in versions]
    curves = [
        curve
        for metric in wanted
        for version, log in zip(versions, logs, strict=True)
        if (curve := _curve(version.label, log, metric)) is not None
    ]
    return Curves(tuple(curves), tuple(one for one in columns if one not in wanted))


def _usual(versions: Sequence[TrainingVersion], columns: list[str]) -> list[str]:
    """Return what is looked at first: the loss, and what was measured."""
    measured = {name for one in versions for name in one.record.metrics}
    usual = [one for one in columns if one in measured]
    first = ["loss"] if "loss" in columns else []
    return ([*first, *leading(one for one in usual if one != "loss")] or columns)[:_SHOWN]


def _curve(label: str, log: dict[str, NDArray[np.float64]], metric: str) -> Curve | None:
    if metric not in log:
        return None
    y = log[metric]
    said = ~np.isnan(y)
    axis = next((one for one in STEPS if one in log and not np.isnan(log[one][said]).any()), "row")
    x = log[axis] if axis != "row" else np.arange(len(y), dtype=np.float64)
    return Curve(label, metric, axis, tuple(x[said].tolist()), tuple(y[said].tolist()))
