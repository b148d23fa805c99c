"""What was measured of a network, whatever the task."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measured:
    """What a metric found.

    Attributes:
        metrics: Name -> value.
        per_class: Class -> name -> value; of tasks with classes.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
