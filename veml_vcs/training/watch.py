"""What a training tells while it runs: to a terminal, to a log, to whoever calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Step:
    """How far a training is.

    Attributes:
        iteration: Steps done.
        iterations: Steps there will be.
        epoch: The pass under way, from 1; None if it does not count in passes.
        epochs: Passes there will be.
        loss: Of this step.
        seconds_left: An estimate, from the steps of this run; measuring in between is counted.
    """

    iteration: int
    iterations: int
    epoch: int | None
    epochs: int | None
    loss: float
    seconds_left: float


class Watcher(Protocol):
    """Is told how a training goes. Whatever it raises ends the training."""

    def note(self, text: str) -> None:
        """Take a sentence that the user should read."""

    def doing(self, what: str) -> None:
        """Take what is being done that is no step: importing, measuring."""

    def step(self, step: Step) -> None:
        """Take how far it is."""

    def measured(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Take what was measured after so many steps."""


@dataclass
class Quiet:
    """Tells nobody, and keeps what was said.

    Attributes:
        notes: The sentences.
    """

    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keep a sentence."""
        self.notes.append(text)

    def doing(self, what: str) -> None:
        """Do nothing."""

    def step(self, step: Step) -> None:
        """Do nothing."""

    def measured(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Do nothing."""
