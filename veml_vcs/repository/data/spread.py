"""How numbers are distributed: five numbers and a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BINS = 10


@dataclass(frozen=True)
class Spread:
    """How a number is distributed.

    Attributes:
        count: How many values there are.
        minimum: The smallest.
        median: The middle one.
        mean: Their mean.
        maximum: The largest.
        edges: Borders of the bins, one more than ``counts``.
        counts: Values in each bin; the last one includes its right border.
    """

    count: int
    minimum: float
    median: float
    mean: float
    maximum: float
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


def spread(values: Sequence[float] | np.ndarray, *, whole: bool = False) -> Spread | None:
    """Describe numbers; whole ones get bins between whole numbers."""
    numbers = np.asarray(values, np.float64)
    if not len(numbers):
        return None
    low, high = float(numbers.min()), float(numbers.max())
    if whole:
        step = max(1, -(-int(high - low + 1) // _BINS))
        edges = np.arange(low, high + step + 1, step)
        if len(edges) > 2 and edges[-2] > high:
            edges = edges[:-1]
    else:
        edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    counts, edges = np.histogram(numbers, edges)
    return Spread(
        len(numbers),
        low,
        float(np.median(numbers)),
        float(numbers.mean()),
        high,
        tuple(map(float, edges)),
        tuple(map(int, counts)),
    )
