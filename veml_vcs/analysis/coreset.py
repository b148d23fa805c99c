"""Core sets: k of n points chosen so that every point is near one of them, and how near.

Greedy k-center (paper IV.B; Gonzalez 1985): start anywhere, then always take the point that is
farthest from all centres so far. The covering radius is at most twice the smallest possible one,
and the first j centres are the core set of size j. `greedy_k_center` is the fast way
(`active_set` tells how), `plain_greedy` the plain loop that gives the same centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from veml_vcs.analysis.active_set import ActiveSetSearch
from veml_vcs.analysis.distances import pair_squared_distances
from veml_vcs.analysis.points import (
    BLOCK_BYTES,
    Float64Array,
    IndexArray,
    Points,
    Progress,
    check_same_dimension,
)
from veml_vcs.analysis.sampling import seeded_hash
from veml_vcs.errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class CoreSet:
    """k rows that stand for all.

    Attributes:
        indices: int64 [k], rows of the centres in the order they were chosen.
        radius_profile: float64 [k], covering radius of the first 1..k centres; never grows.
        masses: int64 [k], rows nearest to each centre; None in a prefix (`assign` can tell).
        nearest: int64 [n], for each row the position in ``indices`` of its nearest centre (any one
            of centres that are equally near as far as rounding shows); None in a prefix.
    """

    indices: IndexArray
    radius_profile: Float64Array
    masses: IndexArray | None = None
    nearest: IndexArray | None = None

    @property
    def radius(self) -> float:
        """Covering radius: no row is farther from its nearest centre."""
        return float(self.radius_profile[-1])

    def __len__(self) -> int:
        return len(self.indices)

    def prefix(self, k: int) -> CoreSet:
        """Return the core set of the first ``k`` centres (of all, when there are fewer).

        Raises:
            InvalidInputError: ``k`` is less than 1.
        """
        _check_k(k)
        if k >= len(self):
            return self
        return CoreSet(self.indices[:k], self.radius_profile[:k])


@dataclass(frozen=True, eq=False)
class Assignment:
    """Which centre each row is nearest to.

    Attributes:
        nearest: int64 [n], row of the nearest centre.
        distances: float64 [n], distance to it.
        masses: int64 [k], rows nearest to each centre.
    """

    nearest: IndexArray
    distances: Float64Array
    masses: IndexArray


def greedy_k_center(
    points: Any,
    k: int,
    *,
    seed: int = 0,
    start: int | None = None,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> CoreSet:
    """Choose ``k`` centres greedily; exactly those of `plain_greedy`.

    Memory: a few numbers a row, the candidates (5 % of the rows, or 4,096), and the centres.

    Args:
        points: [n, d] real numbers, an array or a memory map.
        k: Number of centres. Fewer come back where there are fewer distinct rows.
        seed: Draws the first centre's row. Bring rows into a fixed order (sorted sample ids) for
            a result that does not depend on where they came from.
        start: The first centre's row, instead of the draw.
        names: A name for each row, for messages.
        progress: Called with (centres chosen, k).

    Raises:
        InvalidInputError: No rows, values that are not finite (the rows are named), ``k`` < 1, or
            ``start`` is not a row.
    """
    _check_k(k)
    data = Points(points, "points", names=names)
    search = ActiveSetSearch(data, _first_row(data.rows, seed, start), min(k, data.rows))
    while search.sweep():
        search.extend(progress)
        if progress is not None:
            progress(len(search.chosen), search.k)
    return CoreSet(
        np.array(search.chosen, dtype=np.int64),
        np.array(search.profile),
        np.bincount(search.nearest, minlength=len(search.chosen)),
        search.nearest,
    )


def plain_greedy(points: Any, k: int, *, seed: int = 0, start: int | None = None) -> CoreSet:
    """Choose centres by the plain loop: one exact pass over all rows for each centre.

    The reference that `greedy_k_center` is tested against; arguments and errors are the same.
    """
    _check_k(k)
    data = Points(points, "points")
    row = _first_row(data.rows, seed, start)
    squared = np.full(data.rows, np.inf)
    nearest = np.zeros(data.rows, dtype=np.int64)
    indices: list[int] = []
    profile: list[float] = []
    while True:
        distances = pair_squared_distances(data.array, data.array[row])
        nearest[distances < squared] = len(indices)
        np.minimum(squared, distances, out=squared)
        indices.append(row)
        row = int(squared.argmax())
        profile.append(float(np.sqrt(squared[row])))
        if len(indices) == k or squared[row] == 0:
            break
    return CoreSet(
        np.array(indices, dtype=np.int64),
        np.array(profile),
        np.bincount(nearest, minlength=len(indices)),
        nearest,
    )


def assign(points: Any, centres: Any) -> Assignment:
    """Find each row's nearest centre, reading ``points`` once in blocks.

    Args:
        points: [n, d] real numbers, an array or a memory map.
        centres: [k, d] real numbers.

    Raises:
        InvalidInputError: Either is empty or not finite, or dimensions differ.
    """
    data = Points(points, "points")
    checked = Points(centres, "centres")
    check_same_dimension(data.array, checked.array, "points and centres")
    targets = np.asarray(centres, dtype=np.float64)
    # Rounding grows with the distance from the origin, so the origin is put among the centres.
    origin = targets.mean(axis=0)
    shifted = targets - origin
    norms = np.einsum("ij,ij->i", shifted, shifted)
    nearest = np.empty(data.rows, dtype=np.int64)
    distances = np.empty(data.rows)
    step = max(1, BLOCK_BYTES // (8 * max(data.dimension, len(targets))))
    for first in range(0, data.rows, step):
        block = np.asarray(data.array[first : first + step], dtype=np.float64)
        found = (norms - 2 * ((block - origin) @ shifted.T)).argmin(axis=1)
        rows = slice(first, first + len(block))
        nearest[rows] = found
        distances[rows] = np.sqrt(pair_squared_distances(block, targets[found]))
    return Assignment(nearest, distances, np.bincount(nearest, minlength=len(targets)))


def _first_row(rows: int, seed: int, start: int | None) -> int:
    if start is None:
        return int.from_bytes(seeded_hash(seed, b"first centre")) % rows
    if not 0 <= start < rows:
        raise InvalidInputError(f"start: expected a row from 0 to {rows - 1}, found {start}")
    return int(start)


def _check_k(k: int) -> None:
    if k < 1:
        raise InvalidInputError(f"k: expected at least 1 centre, found {k}")
