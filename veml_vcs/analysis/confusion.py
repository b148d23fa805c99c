"""What classifiers and detectors alike get wrong: one class taken for another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Confusion:
    """Samples, or objects, of one class that were taken for another.

    Attributes:
        truth: What they are.
        said: What was said.
        count: How many.
    """

    truth: str
    said: str
    count: int
