"""Are two samples from one distribution? Permutation tests that are calibrated, whatever the data.

A statistic of two samples is computed for the real split of all rows and for random ones;
p = (1 + number as large as the real one) / (B + 1) (Phipson and Smyth 2010). Where nothing has
changed, p <= alpha happens at most a share alpha of the time. That holds for any statistic, so
rounding costs power at worst. It needs rows that are exchangeable: neighbouring frames are not.

Rows are brought into an order that depends on their values alone, so the results do not depend on
the order they come in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.distances import distances_of
from veml_vcs.analysis.points import (
    Float64Array,
    FloatArray,
    IndexArray,
    Points,
    check_matrix,
    check_same_dimension,
    single_precision,
    small_matrix,
)
from veml_vcs.errors import InvalidInputError

MAX_ROWS = 4000
"""Rows of each side that a test uses; memory and time grow with the square."""

_POWER_80 = 0.8416
"""Normal quantile of 80 %."""

_RIDGE = 0.01
_SPLITS_AT_ONCE = 128
_HASHED_AT_ONCE = 1024
_TIE = 1e-6


@dataclass(frozen=True)
class PermutationTest:
    """Result of the energy test.

    Attributes:
        statistic: Energy distance between the samples (V-statistic), large where they differ.
        p_value: From 1 / (permutations + 1) to 1.
        permutations: Random splits that the real one was compared with.
        alpha: Level that ``critical_value`` and ``minimum_detectable_effect`` are for.
        critical_value: ``statistic`` above which p <= alpha, roughly.
        z: Standard deviations of the random splits between their mean and ``statistic``: how
            surprising, which grows with the number of rows.
        energy: Energy distance, unbiased (U-statistic); may be slightly negative.
        effect: How large, 0 to 1, whatever the number of rows: sqrt(energy / (2 mean distance
            between the samples)), the root of Szekely and Rizzo's coefficient of inhomogeneity.
            For a shifted normal variable it is about half of Cohen's d.
        minimum_detectable_effect: An effect that this many rows would usually show: meant for
            80 % of the time, estimated from the random splits; mostly 60-80 % in simulations.
        reference_rows: Rows of the reference that were used.
        test_rows: Rows of the test set that were used.
    """

    statistic: float
    p_value: float
    permutations: int
    alpha: float
    critical_value: float
    z: float
    energy: float
    effect: float
    minimum_detectable_effect: float
    reference_rows: int
    test_rows: int


@dataclass(frozen=True, eq=False)
class MeanEmbeddingTest:
    """Result of the test at the core set: where two samples differ.

    Attributes:
        statistic: Hotelling's T^2 of the distances to the centres.
        p_value: By permutation.
        z: float64 [k], for each centre the change of the mean distance to it, in standard errors.
            Negative: the test set lies nearer to it.
        most_changed: int64 [k], positions of the centres, largest |z| first.
    """

    statistic: float
    p_value: float
    z: Float64Array
    most_changed: IndexArray


def permutation_test(
    reference: Any,
    test: Any,
    *,
    permutations: int = 999,
    seed: int = 0,
    alpha: float = 0.05,
    max_rows: int = MAX_ROWS,
) -> PermutationTest:
    """Test whether two samples are from one distribution, by their energy distance.

    With w = +1/n on test rows and -1/m on reference rows the energy distance is -w' D w (D holds
    the distances of all rows), so all splits are one matrix product (algorithms.md 3).

    Args:
        reference: [m, d], a uniform sample that nothing was fitted to, at least 2 rows.
        test: [n, d], at least 2 rows.
        permutations: Random splits.
        seed: Draws the splits.
        alpha: Level for the critical value and the detectable effect.
        max_rows: Larger samples are cut to this many, uniformly.

    Raises:
        InvalidInputError: Too few rows, values that are not finite, dimensions that differ, alpha
            not between 0 and 1, or permutations too few for alpha.
    """
    check_level(alpha, permutations)
    pooled = _Pooled(reference, test, max_rows)
    n, m, total = pooled.test_rows, pooled.reference_rows, pooled.total
    distances = distances_of(pooled.rows, pooled.rows)
    chosen = pooled.is_test
    cross = float(distances[np.ix_(chosen, ~chosen)].mean(dtype=np.float64))
    within_test = _sum(distances[np.ix_(chosen, chosen)]) / (n * (n - 1))
    within_reference = _sum(distances[np.ix_(~chosen, ~chosen)]) / (m * (m - 1))
    energy = 2 * cross - within_test - within_reference

    # Weights sum to 0, so rows and columns may be centred; what is left is small, and rounds well.
    means = distances.mean(axis=1, dtype=np.float64)
    level = float(means.mean())
    distances -= (means - level / 2).astype(distances.dtype)
    distances -= (means - level / 2).astype(distances.dtype)[:, None]
    factor = (1 / n + 1 / m) ** 2
    statistics = np.concatenate(
        [
            -factor * np.einsum("ij,ij->i", split @ distances, split, dtype=np.float64)
            for split in pooled.splits(permutations, seed, distances.dtype)
        ]
    )
    observed, null = float(statistics[0]), statistics[1:]
    spread = float(null.std())
    critical = float(np.quantile(null, 1 - alpha))
    return PermutationTest(
        statistic=observed,
        p_value=_p_value(statistics),
        permutations=permutations,
        alpha=alpha,
        critical_value=critical,
        z=(observed - float(null.mean())) / spread if spread > _TIE * level / total else 0.0,
        energy=energy,
        effect=_effect(energy, cross),
        minimum_detectable_effect=_effect(_detectable(float(null.mean()), spread, critical), cross),
        reference_rows=m,
        test_rows=n,
    )


def mean_embedding_test(
    reference: Any,
    test: Any,
    centres: Any,
    *,
    permutations: int = 999,
    seed: int = 0,
    max_rows: int = MAX_ROWS,
) -> MeanEmbeddingTest:
    """Test whether the mean distances to given centres differ, and tell to which.

    Hotelling's T^2 of F_ij = |x_i - c_j| (mean embeddings, Chwialkowski et al. 2015; Jitkrittum et
    al. 2016). The covariance is that of all rows, which no split changes, plus .01 of its mean
    variance; with the covariance within the samples the order of splits would be much the same.
    The centres must not be rows of either sample: a row is at distance 0 from itself.

    Args:
        reference: [m, d], at least 2 rows.
        test: [n, d], at least 2 rows.
        centres: [k, d], a core set.
        permutations: Random splits.
        seed: Draws the splits.
        max_rows: Larger samples are cut to this many, uniformly.

    Raises:
        InvalidInputError: As `permutation_test`, or no centres.
    """
    pooled = _Pooled(reference, test, max_rows)
    targets = small_matrix(centres, "centres")
    check_same_dimension(pooled.rows, targets, "samples and centres")
    features = distances_of(pooled.rows, single_precision(targets - pooled.origin))
    features = features.astype(np.float64)
    features -= features.mean(axis=0)
    n, m = pooled.test_rows, pooled.reference_rows

    covariance = features.T @ features / (pooled.total - 1)
    ridge = _RIDGE * float(np.trace(covariance)) / len(targets)
    if ridge <= 0:
        zero = np.zeros(len(targets))
        return MeanEmbeddingTest(0.0, 1.0, zero, np.arange(len(targets)))
    factor = np.linalg.cholesky(covariance + ridge * np.eye(len(targets)))
    white = np.linalg.solve(factor, features.T).T
    scale = (1 / n + 1 / m) ** 2 * n * m / pooled.total
    statistics = np.concatenate(
        [
            scale * ((split @ white) ** 2).sum(axis=1)
            for split in pooled.splits(permutations, seed, np.dtype(np.float64))
        ]
    )

    inside, outside = features[pooled.is_test], features[~pooled.is_test]
    squares = n * inside.var(axis=0) + m * outside.var(axis=0)
    # The ridge keeps z finite where all rows of a sample are equally far from a centre.
    variance = squares / max(1, pooled.total - 2) + _TIE * ridge
    z = (inside.mean(axis=0) - outside.mean(axis=0)) / np.sqrt(variance * (1 / n + 1 / m))
    order = np.argsort(-np.abs(z), kind="stable")
    return MeanEmbeddingTest(float(statistics[0]), _p_value(statistics), z, order)


def check_level(alpha: float, permutations: int) -> None:
    """Check that a test at level ``alpha`` can reject at all.

    Raises:
        InvalidInputError: alpha is not between 0 and 1, or permutations are too few for it.
    """
    if not 0 < alpha < 1:
        raise InvalidInputError(f"alpha: expected a number between 0 and 1, found {alpha}")
    needed = math.ceil(1 / alpha - 1e-9) - 1
    if permutations < max(1, needed):
        raise InvalidInputError(
            f"permutations: expected at least {max(1, needed)} for alpha = {alpha:g}, "
            f"found {permutations}; p is never below 1 / (permutations + 1)"
        )


def draw_rows(points: Any, what: str, max_rows: int = MAX_ROWS) -> FloatArray:
    """Return up to ``max_rows`` rows, drawn by a hash of their values: whatever order they come in.

    Args:
        points: [n, d] real numbers, an array or a memory map; read in blocks.
        what: What it is, for messages.
        max_rows: At least 2.

    Raises:
        InvalidInputError: Fewer than 2 rows, or values that are not finite.
    """
    if max_rows < 2:
        raise InvalidInputError(f"max_rows: expected at least 2, found {max_rows}")
    check_matrix(points, what, min_rows=2)
    data = Points(points, what)
    digests = bytearray()
    for start in range(0, data.rows, _HASHED_AT_ONCE):
        # Adding 0 turns -0.0 into 0.0, which is equal but has other bytes.
        rows = np.add(data.array[start : start + _HASHED_AT_ONCE], 0, dtype=data.dtype, order="C")
        for row in rows:
            digests += hashlib.blake2b(row.data, digest_size=8).digest()
    kept = np.argsort(np.frombuffer(digests, dtype=">u8"), kind="stable")[:max_rows]
    return np.asarray(data.array[kept], dtype=data.dtype)


class _Pooled:
    """The rows of both samples, each in an order that the values alone decide."""

    def __init__(self, reference: Any, test: Any, max_rows: int) -> None:
        old, new = draw_rows(reference, "reference", max_rows), draw_rows(test, "test", max_rows)
        check_same_dimension(old, new, "reference and test")
        self.reference_rows, self.test_rows = len(old), len(new)
        self.total = self.reference_rows + self.test_rows
        self.is_test: NDArray[np.bool_] = np.arange(self.total) >= self.reference_rows
        rows = np.concatenate([old, new])
        self.origin: Float64Array = rows.mean(axis=0, dtype=np.float64)
        self.rows = single_precision(rows - self.origin)

    def splits(self, permutations: int, seed: int, dtype: np.dtype[Any]) -> Iterator[FloatArray]:
        """Give splits as rows of 0 and 1 (a test row), some at a time; the real one comes first."""
        random = np.random.default_rng(seed)
        for start in range(0, permutations + 1, _SPLITS_AT_ONCE):
            count = min(_SPLITS_AT_ONCE, permutations + 1 - start)
            split = np.zeros((count, self.total), dtype=dtype)
            for i in range(count):
                if start + i == 0:
                    split[0, self.is_test] = 1
                else:
                    split[i, random.permutation(self.total)[: self.test_rows]] = 1
            yield split


def _p_value(statistics: FloatArray) -> float:
    # A random split may repeat the real one up to rounding; that counts as equal.
    observed, null = float(statistics[0]), statistics[1:]
    slack = _TIE * float(np.abs(statistics).max())
    return (1 + int((null >= observed - slack).sum())) / (1 + len(null))


def _detectable(mean: float, spread: float, critical: float) -> float:
    """Return the energy that exceeds the critical value 80 % of the time, by a chi-square model.

    Without drift the statistic is a weighted sum of squared standard normals; ``weight`` is the
    equal weight with the same mean and variance. Drift of energy E moves them off 0: the mean grows
    by E, the variance by 4 weight E. The power is 80 % where mean + E - q sqrt(spread^2 +
    4 weight E) = critical, with q the normal quantile, which is quadratic in E.
    """
    if mean <= 0:
        return 0.0
    weight, gap, q = spread**2 / (2 * mean), critical - mean, _POWER_80
    half = gap + 2 * q * q * weight
    return half + math.sqrt(max(half * half - gap * gap + (q * spread) ** 2, 0.0))


def _effect(energy: float, cross: float) -> float:
    return math.sqrt(max(energy, 0.0) / (2 * cross)) if cross > 0 else 0.0


def _sum(values: FloatArray) -> float:
    return float(values.sum(dtype=np.float64))
