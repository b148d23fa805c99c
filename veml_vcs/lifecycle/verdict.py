"""Is one way of training better than another, from a few seeds of both: a paired t interval.

Pure, without numpy. Both ways were trained on the same split with the same budget, seed by seed, so
the differences are compared and not the means: what the split adds to both cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

_T_975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
          2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086)  # fmt: skip
"""Quantile .975 of Student's t with 1, 2, ... 20 degrees of freedom; beyond, 1.96 + 2.5 / df."""

Answer = Literal["better", "worse", "no difference", "no verdict"]


@dataclass(frozen=True)
class Verdict:
    """One way against another.

    Attributes:
        answer: Of the first way. ``no difference``: none can be told from so many seeds.
        seeds: How many pairs.
        difference: Mean of first minus second, in the unit of the metric.
        spread: Standard deviation of the differences; None with one seed.
        low: Lower end of the 95 % interval of the mean difference; None with one seed.
        high: Its upper end.
    """

    answer: Answer
    seeds: int
    difference: float
    spread: float | None = None
    low: float | None = None
    high: float | None = None


def paired(first: Sequence[float], second: Sequence[float], *, more_is_better: bool) -> Verdict:
    """Compare two ways of training, seed by seed.

    Args:
        first: The metric of the first way, one number a seed.
        second: Of the second, of the same seeds in the same order.
        more_is_better: Whether a larger number is better.

    Raises:
        ValueError: There are not as many of one as of the other, or none.
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean = fmean(differences)
    count = len(differences)
    if count < 2:
        return Verdict("no verdict", count, mean)
    spread = stdev(differences)
    half = _quantile(count - 1) * spread / math.sqrt(count)
    low, high = mean - half, mean + half
    answer: Answer = "no difference"
    if low > 0 or high < 0:
        answer = "better" if (mean > 0) == more_is_better else "worse"
    return Verdict(answer, count, mean, spread, low, high)


def _quantile(df: int) -> float:
    return _T_975[df - 1] if df <= len(_T_975) else 1.96 + 2.5 / df
