"""Euclidean distances between rows: all pairs by matrix products, given pairs by differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.points import (
    BLOCK_BYTES,
    Float64Array,
    FloatArray,
    check_same_dimension,
    small_matrix,
)


def pairwise_distances(a: Any, b: Any) -> FloatArray:
    """Return Euclidean distances, float64 [len(a), len(b)].

    By a matrix product around the common mean, so an offset does not harm. Distances below what
    rounding allows to tell from 0 (some 1e-7 of the spread) are 0, so equal rows are 0 apart.

    Raises:
        InvalidInputError: Either is empty or not finite, or dimensions differ.
    """
    left, right = around_common_mean(a, b, "pairwise distances", 1)
    return distances_of(left, right)


def distances_of(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return Euclidean distances of all pairs, in the precision of the data.

    The data should lie around the origin: rounding grows with the distance from it.
    Distances that rounding cannot tell from 0 are 0, and so is the diagonal if both are one array.
    """
    norms = np.einsum("ij,ij->i", left, left)
    other_norms = norms if left is right else np.einsum("ij,ij->i", right, right)
    squared = squared_distances(left, norms, right, other_norms)
    scale = norms[:, None] + other_norms
    scale *= 4 * (math.sqrt(left.shape[1]) + 4) * float(np.finfo(left.dtype).eps)
    squared[squared <= scale] = 0
    if left is right:
        np.fill_diagonal(squared, 0)
    return np.sqrt(squared, out=squared)


def squared_distances(
    points: FloatArray, norms: FloatArray, centres: FloatArray, centre_norms: FloatArray
) -> FloatArray:
    """Return the squared distances of all pairs [n, k], by a matrix product; never negative.

    Args:
        points: [n, d].
        norms: [n], squared lengths of the points.
        centres: [k, d].
        centre_norms: [k], squared lengths of the centres.
    """
    squared: FloatArray = points @ (-2 * centres).T
    squared += centre_norms
    squared += norms[:, None]
    return np.maximum(squared, 0, out=squared)


def pair_squared_distances(a: NDArray[Any], b: NDArray[Any]) -> Float64Array:
    """Return squared distances [n] of the rows of ``a`` to the same rows of ``b``, or to one row.

    By differences in float64: equal rows give exactly 0, equal pairs give equal results wherever
    they stand, and a large common offset costs nothing.
    """
    result = np.empty(len(a))
    step = max(1, BLOCK_BYTES // (8 * a.shape[1]))
    for start in range(0, len(a), step):
        other = b if b.ndim == 1 else b[start : start + step]
        difference = np.subtract(a[start : start + step], other, dtype=np.float64, order="C")
        result[start : start + step] = np.einsum("ij,ij->i", difference, difference)
    return result


def around_common_mean(
    a: Any, b: Any, what: str, min_rows: int
) -> tuple[Float64Array, Float64Array]:
    """Return two checked matrices in float64, moved so that their common mean is 0.

    They are the same array if ``a`` and ``b`` are.

    Raises:
        InvalidInputError: Either has fewer than ``min_rows`` rows or is not finite, or dimensions
            differ.
    """
    left = small_matrix(a, f"{what}, first matrix", min_rows=min_rows)
    right = left if a is b else small_matrix(b, f"{what}, second matrix", min_rows=min_rows)
    check_same_dimension(left, right, what)
    origin = left.mean(axis=0) / 2 + right.mean(axis=0) / 2
    centred = left - origin
    return centred, centred if a is b else right - origin
