"""How alike two data versions are, from what is kept about each: a core set and a uniform sample.

Two numbers. The *core-set distance* is the paper's (Algorithm 1): the mean Euclidean distance
between the centres of one and of the other. It is always shown, and never decides: it ranks a data
set nearer to a tight stranger than to its own other half. The *energy distance* (Szekely and Rizzo
2013) between uniform samples is zero in the mean exactly when two distributions are equal, and
ranks as all the data would (Spearman .994 with 100 samples; algorithms.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from veml_vcs.analysis.distances import around_common_mean, distances_of, pairwise_distances
from veml_vcs.analysis.points import (
    FloatArray,
    check_same_dimension,
    single_precision,
    small_matrix,
)

SCREEN_ROWS = 100
"""Rows of each sample that a first look at many known versions uses."""

REFINED = 32
"""This many of the nearest after the first look are measured with all rows."""


class Summary:
    """What similarity needs of one data version.

    Args:
        core_set: [k, d] embeddings of the centres.
        sample: [m, d] embeddings of a seeded uniform sample, in the order of the draw (so that its
            first rows are themselves a uniform sample).

        within: What the attribute ``within`` gave before, to save computing it again.

    Attributes:
        origin: float64 [d], the mean of the sample; the other arrays are float32, relative to it.

    Raises:
        InvalidInputError: Either is empty or not finite, or dimensions differ.
    """

    def __init__(
        self, core_set: Any, sample: Any, *, within: tuple[float, float] | None = None
    ) -> None:
        centres, rows = small_matrix(core_set, "core set"), small_matrix(sample, "uniform sample")
        check_same_dimension(centres, rows, "core set and uniform sample")
        # Single precision: means over thousands of distances need no more, and it is twice as fast.
        self.origin = rows.mean(axis=0)
        self.core_set = single_precision(centres - self.origin)
        self.sample = single_precision(rows - self.origin)
        if within is not None:
            self.within = within

    @cached_property
    def within(self) -> tuple[float, float]:
        """Mean distance between two different rows, among the first `SCREEN_ROWS` and among all.

        NaN where there are fewer than two.
        """
        distances = distances_of(self.sample, self.sample)
        few, _ = self._sizes()
        return _mean_off_diagonal(distances[:few, :few]), _mean_off_diagonal(distances)

    def _sizes(self) -> tuple[int, int]:
        return min(SCREEN_ROWS, len(self.sample)), len(self.sample)


@dataclass(frozen=True)
class Similar:
    """One known data version, compared with the one asked about.

    Attributes:
        name: Its key in the mapping.
        energy: Energy distance, unbiased, so it may be slightly negative; None when either
            sample has fewer than two rows.
        core_set_distance: The paper's number.
        rows: Rows of the known version's sample that ``energy`` was measured with.
    """

    name: str
    energy: float | None
    core_set_distance: float
    rows: int


def core_set_distance(a: Any, b: Any) -> float:
    """Return the mean distance between the centres of two core sets (paper, Algorithm 1).

    It is not a metric: a core set's distance to itself is its own spread.

    Raises:
        InvalidInputError: Either is empty or not finite, or dimensions differ.
    """
    return float(pairwise_distances(a, b).mean())


def energy_distance(a: Any, b: Any, *, unbiased: bool = True) -> float:
    """Return the energy distance 2 E|A - B| - E|A - A'| - E|B - B'| of two samples.

    Args:
        a: [n, d] real numbers.
        b: [m, d] real numbers.
        unbiased: Leave each row's distance to itself out of the means (U-statistic): zero in the
            mean when both are from one distribution, hence sometimes negative. Otherwise the
            V-statistic: never negative, 0 for equal samples, larger the fewer rows there are.

    Raises:
        InvalidInputError: Either has fewer than two rows (one, for the V-statistic) or is not
            finite, or dimensions differ.
    """
    left, right = around_common_mean(a, b, "energy distance", 2 if unbiased else 1)
    cross = float(distances_of(left, right).mean())
    within = [distances_of(x, x) for x in (left, right)]
    means = [_mean_off_diagonal(d) if unbiased else float(d.mean()) for d in within]
    energy = 2 * cross - means[0] - means[1]
    return energy if unbiased else max(energy, 0.0)


def rank(query: Summary, known: Mapping[str, Summary]) -> tuple[Similar, ...]:
    """Compare one data version with all known ones; the most similar comes first.

    All are compared by the first `SCREEN_ROWS` of each sample, then the `REFINED` nearest with all
    rows. Equal energies are ordered by core-set distance, then by name; versions without an energy
    come last.

    Raises:
        InvalidInputError: A known version's embeddings have another dimension; it is named.
    """
    for name, summary in known.items():
        check_same_dimension(query.sample, summary.sample, f"similarity with {name!r}")
    screened = sorted((_compare(query, known[name], name, 0) for name in known), key=_order)
    refined = [_compare(query, known[found.name], found.name, 1) for found in screened[:REFINED]]
    return (*sorted(refined, key=_order), *screened[REFINED:])


def _compare(query: Summary, known: Summary, name: str, step: int) -> Similar:
    rows, other_rows = query._sizes()[step], known._sizes()[step]
    shift = single_precision(known.origin - query.origin)
    energy: float | None = None
    if min(rows, other_rows) > 1:
        distances = distances_of(query.sample[:rows], known.sample[:other_rows] + shift)
        cross = float(distances.mean(dtype=np.float64))
        energy = 2 * cross - query.within[step] - known.within[step]
    between = distances_of(query.core_set, known.core_set + shift)
    return Similar(name, energy, float(between.mean(dtype=np.float64)), other_rows)


def _order(similar: Similar) -> tuple[bool, float, float, str]:
    energy = similar.energy
    return energy is None, energy or 0.0, similar.core_set_distance, similar.name


def _mean_off_diagonal(distances: FloatArray) -> float:
    rows = len(distances)
    total = float(distances.sum(dtype=np.float64))
    return total / (rows * (rows - 1)) if rows > 1 else float("nan")
