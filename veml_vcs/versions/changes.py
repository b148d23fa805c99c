"""By which rows two versions of one kind differ: facts as people read them, and metrics.

What the facts of a kind are is said beside its record (``models.compare``, ``trainings.compare``,
``inferences.compare``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

UNKNOWN = "unknown"


@dataclass(frozen=True)
class FactChange:
    """One fact of two models.

    Attributes:
        fact: Which: ``backbone``, ``head rpn_head``.
        old: What the first says, as people read it; empty if nothing.
        new: What the second says.
    """

    fact: str
    old: str
    new: str

    @property
    def differs(self) -> bool:
        """Whether they say different things."""
        return self.old != self.new


def compare_rows(left: Mapping[str, str], right: Mapping[str, str]) -> tuple[FactChange, ...]:
    """Return the rows of two tables side by side: in the order of the first, then of the second."""
    # What only the second has stands after what it follows there.
    names = list(left)
    for place, name in enumerate(right):
        if name not in left:
            before = list(right)[:place]
            at = max((names.index(one) + 1 for one in before if one in names), default=0)
            names.insert(at, name)
    return tuple(FactChange(name, left.get(name, ""), right.get(name, "")) for name in names)


class Measured(Protocol):
    """A record that says what was measured."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """Name -> number."""

    @property
    def per_class(self) -> Mapping[str, Mapping[str, float]]:
        """Class -> name -> number."""


@dataclass(frozen=True)
class MetricChange:
    """One metric of two versions.

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
_LESS_IS_BETTER = ("MAE", "RMSE", "MAPE", "loss")


@dataclass(frozen=True)
class MainMetric:
    """The metric by which a training is known.

    Attributes:
        name: Its name.
        value: What was measured.
        more_is_better: Whether a larger value is better.
    """

    name: str
    value: float
    more_is_better: bool

    @property
    def goodness(self) -> float:
        """A number that is larger for what is better."""
        return self.value if self.more_is_better else -self.value


def main_metric(metrics: Mapping[str, float]) -> MainMetric | None:
    """Return the metric by which a training is known; None if nothing was measured.

    Args:
        metrics: Name -> what was measured. What is no number is none.
    """
    names = [one for one in leading(metrics) if math.isfinite(metrics[one])]
    if not names:
        return None
    return MainMetric(names[0], metrics[names[0]], names[0] not in _LESS_IS_BETTER)


def leading(metrics: Iterable[str]) -> list[str]:
    """Return names of metrics, those first by which versions are known."""
    names = list(metrics)
    return [one for one in _FIRST if one in names] + [one for one in names if one not in _FIRST]


def compare_metrics(old: Measured | None, new: Measured | None) -> tuple[MetricChange, ...]:
    """Return every metric of either version: those of all classes first, then class by class."""
    left, right = _metrics(old), _metrics(new)
    names = sorted(left.keys() | right.keys())
    return tuple(
        MetricChange(metric, of_class, left.get((of_class, metric)), right.get((of_class, metric)))
        for of_class, metric in names
    )


def _metrics(record: Measured | None) -> dict[tuple[str, str], float]:
    if record is None:
        return {}
    found = {("", name): one for name, one in record.metrics.items()}
    for of_class, metrics in record.per_class.items():
        found |= {(of_class, name): one for name, one in metrics.items()}
    return found


def in_words(values: Mapping[str, Any], without: str = "") -> str:
    """Return flat JSON values as people read them, all but one of them."""
    told = {key: one for key, one in values.items() if key != without}
    return ", ".join(
        f"{key} {one if isinstance(one, str) else json.dumps(one, sort_keys=True)}"
        for key, one in told.items()
    )
