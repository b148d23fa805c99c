"""What a training version says, as rows of a table, and the rows by which two of them differ."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.ids import short
from veml_vcs.versions.models.compare import UNKNOWN, FactChange, compare_rows
from veml_vcs.versions.trainings.record import TrainingRecord
from veml_vcs.versions.trainings.uses import DataUse


@dataclass(frozen=True)
class MetricChange:
    """One metric of two training versions.

    Attributes:
        metric: Its name.
        of_class: The class it is of; empty for that of all.
        old: What the first measured; None if it did not.
        new: What the second measured.
    """

    metric: str
    of_class: str
    old: float | None
    new: float | None

    @property
    def difference(self) -> float | None:
        """How much more the second is; None where one is not there, or no number."""
        if self.old is None or self.new is None:
            return None
        found = self.new - self.old
        return found if math.isfinite(found) else None

    @property
    def differs(self) -> bool:
        """Whether they measured different numbers."""
        return repr(self.old) != repr(self.new)


_FIRST = ("mAP", "mAP50", "accuracy", "MAE")


def leading(metrics: Iterable[str]) -> list[str]:
    """Return names of metrics, those first by which trainings are known."""
    names = list(metrics)
    return [one for one in _FIRST if one in names] + [one for one in names if one not in _FIRST]


def fact_rows(record: TrainingRecord) -> dict[str, str]:
    """Return what a training is: fact -> as people read it, in the order it is shown.

    Metrics and config are not among them.
    """
    rows = {
        "task": record.task,
        "status": record.status,
        "model": f"{record.model.name} ({short(record.model.version, 7)})",
    }
    for use in record.data:
        name = "trained on" if use.role == "train" else "validated on"
        rows[name] = f"{rows[name]}; {_use(use)}" if name in rows else _use(use)
    checkpoint = record.checkpoint
    count = UNKNOWN if checkpoint.parameters is None else f"{checkpoint.parameters:,}"
    rows |= {
        "initial weights": str(record.initial),
        "epochs": "" if record.epochs is None else f"{record.epochs:,}",
        "iterations": "" if record.iterations is None else f"{record.iterations:,}",
        "seed": "" if record.seed is None else str(record.seed),
        "determinism": _flat(record.determinism),
        "libraries": _flat(record.libraries),
        "checkpoint": f"{checkpoint.tensors:,} tensors, {checkpoint.content_bytes:,} bytes "
        f"({short(checkpoint.tree, 7)})",
        "parameters": count,
        "made by": str(record.derived.get("operation", "")),
        "made of": _flat(record.derived, without="operation"),
        "transferred from": _flat(record.transferred_from),
        "rebuilt from": _flat(record.rebuilt_from),
    }
    return {name: text for name, text in rows.items() if text}


def compare_training_facts(
    old: TrainingRecord | None, new: TrainingRecord | None
) -> tuple[FactChange, ...]:
    """Return the facts of two trainings side by side, those that are the same too.

    Args:
        old: None says nothing.
        new: None says nothing.
    """
    return compare_rows(
        {} if old is None else fact_rows(old), {} if new is None else fact_rows(new)
    )


def compare_metrics(
    old: TrainingRecord | None, new: TrainingRecord | None
) -> tuple[MetricChange, ...]:
    """Return every metric of either training: those of all classes first, then class by class."""
    left, right = _metrics(old), _metrics(new)
    names = sorted(left.keys() | right.keys())
    return tuple(
        MetricChange(metric, of_class, left.get((of_class, metric)), right.get((of_class, metric)))
        for of_class, metric in names
    )


def _metrics(record: TrainingRecord | None) -> dict[tuple[str, str], float]:
    if record is None:
        return {}
    found = {("", name): one for name, one in record.metrics.items()}
    for of_class, metrics in record.per_class.items():
        found |= {(of_class, name): one for name, one in metrics.items()}
    return found


def _use(use: DataUse) -> str:
    part = f" ({_flat(use.part)})" if use.part else ""
    count = f"{use.samples:,} sample{'' if use.samples == 1 else 's'}"
    return f"{use.path} ({short(use.version, 7)}), {count}{part}"


def _flat(values: Mapping[str, Any], without: str = "") -> str:
    told = {key: one for key, one in values.items() if key != without}
    return ", ".join(
        f"{key} {one if isinstance(one, str) else json.dumps(one, sort_keys=True)}"
        for key, one in told.items()
    )
