"""What a task settles of a plan; see ``planning``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from veml_vcs.training.plan import Part
from veml_vcs.versions.trainings.outcome import Task


@dataclass(frozen=True)
class Settled:
    """What is trained on, and the config that fits it.

    Attributes:
        task: What is learnt.
        train: What is trained on.
        val: What is measured on.
        config: Nested; all that the engine is given, but for what is the machine's.
        iterations: Steps of the optimiser.
        epochs: Passes, if the config counts in passes.
        classes: Names of the classes, in order.
    """

    task: Task
    train: Part
    val: Part
    config: dict[str, Any]
    iterations: int
    epochs: int | None
    classes: tuple[str, ...] = ()
