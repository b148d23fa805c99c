"""Greedy k-center in a few passes over the data, with the centres of the plain loop.

Two ideas (the first measured in algorithms.md 1):

* *Active set.* A squared distance to the nearest centre only ever falls, so an old one is an upper
  bound. The farthest of a few thousand candidates, held in memory, is the farthest of all as long
  as it beats the bounds of all others; only when it no longer does are the data read again.
* *Float32 proposes, float64 decides.* Distances come from matrix products, with a bound on their
  rounding error. Rows that the bound cannot tell apart are compared by distances from differences
  in float64, ties going to the lowest row. So the result depends neither on the BLAS nor on
  threads or block sizes.
"""

from __future__ import annotations

import numpy as np

from veml_vcs.analysis.distances import pair_squared_distances, squared_distances
from veml_vcs.analysis.points import (
    BLOCK_BYTES,
    Float64Array,
    FloatArray,
    IndexArray,
    Points,
    Progress,
)

ACTIVE_ROWS = 4096
"""Candidates are never fewer than this (or all rows): below it a pass costs more than it saves."""

_DOUBTFUL_ROWS = 512
"""With more rows than this that float32 cannot tell apart, products in float64 are cheaper."""

_ACTIVE_FRACTION = 0.05
_ACTIVE_FRACTION_LARGE = 0.02
_LARGE_ROWS = 200_000


class ActiveSetSearch:
    """State of one greedy search: what is chosen, and how far each row is at most.

    Call `sweep`, and `extend` after it, until `sweep` returns False.

    ``squared`` [n] holds the computed squared distance of each row to the nearest of the first
    ``merged`` centres; later centres are known to the active rows alone.

    Args:
        data: The points.
        first: The first centre's row.
        k: Centres wanted, at most as many as there are rows.

    Attributes:
        chosen: Rows of the centres so far.
        profile: Covering radius of the first 1, 2, ... centres, as far as known.
        nearest: int64 [n], position in ``chosen`` of each row's nearest centre, once swept.
    """

    def __init__(self, data: Points, first: int, k: int) -> None:
        self.data = data
        self.k = k
        self.chosen = [first]
        self.profile: list[float] = []
        self.merged = 0
        self.squared = np.full(data.rows, np.inf, dtype=data.dtype)
        self.nearest = np.zeros(data.rows, dtype=np.int64)
        self.centres = np.empty((k, data.dimension), dtype=data.dtype)
        self.centres[0] = data.take(np.array([first]))[0]

    def sweep(self) -> bool:
        """Bring all rows up to date in one pass, then choose from all; tell whether to go on."""
        self._merge()
        slack = self._slack(self.data.squared_norms, self.squared)
        contenders = np.flatnonzero(self.squared + slack >= (self.squared - slack).max())
        if len(contenders) > _DOUBTFUL_ROWS and self.data.dtype == np.float32:
            self._restart_in_double_precision()
            return self.sweep()
        row, exact = self._farthest(contenders)
        self.profile.append(float(np.sqrt(exact)))
        if len(self.chosen) == self.k or exact == 0:
            if exact < slack.max() and self.data.dtype == np.float32:
                # The balls are smaller than what float32 resolves, so `nearest` means nothing yet.
                self._restart_in_double_precision()
                self._merge()
            return False
        self.upper = self.squared + slack
        self._choose(row)
        return True

    def _merge(self) -> None:
        data, merged, count = self.data, self.merged, len(self.chosen)
        fresh = self.centres[merged:count]
        norms = data.squared_norms[self.chosen[merged:count]]
        for start, block in data.blocks(width=len(fresh)):
            rows = slice(start, start + len(block))
            found, squared = _nearest(block, data.squared_norms[rows], fresh, norms)
            closer = squared < self.squared[rows]
            self.nearest[rows][closer] = found[closer] + merged
            np.minimum(self.squared[rows], squared, out=self.squared[rows])
        self.squared[self.chosen] = 0
        self.nearest[self.chosen] = np.arange(count)
        self.merged = count

    def _restart_in_double_precision(self) -> None:
        self.data.use_double_precision()
        self.centres = np.empty((self.k, self.data.dimension))
        self.centres[: len(self.chosen)] = self.data.take(np.array(self.chosen))
        self.squared = np.full(self.data.rows, np.inf)
        self.merged = 0

    def extend(self, progress: Progress | None) -> None:
        """Choose further centres among the active rows, as long as they surely are the farthest."""
        size = self._active_size()
        upper = self.upper
        if size < self.data.rows:
            order = np.argpartition(upper, self.data.rows - size)
            active = np.sort(order[-size:])
            outside = float(upper[order[:-size]].max())
        else:
            active = np.arange(self.data.rows)
            outside = -1.0
        points = self.data.take(active)
        norms = self.data.squared_norms[active]
        squared = self.squared[active]
        while True:
            newest = len(self.chosen) - 1
            centre = self.centres[newest : newest + 1]
            _, distances = _nearest(
                points, norms, centre, self.data.squared_norms[self.chosen[newest:]]
            )
            np.minimum(squared, distances, out=squared)
            slack = self._slack(norms, squared)
            floor = float((squared - slack).max())
            if len(self.chosen) == self.k or floor <= outside:
                return
            contenders = active[squared + slack >= floor]
            if len(contenders) > _DOUBTFUL_ROWS and self.data.dtype == np.float32:
                return
            row, exact = self._farthest(contenders)
            if exact == 0:
                return
            self.profile.append(float(np.sqrt(exact)))
            self._choose(row)
            if progress is not None:
                progress(len(self.chosen), self.k)

    def _choose(self, row: int) -> None:
        self.centres[len(self.chosen)] = self.data.take(np.array([row]))[0]
        self.chosen.append(row)

    def _active_size(self) -> int:
        rows = self.data.rows
        fraction = _ACTIVE_FRACTION_LARGE if rows >= _LARGE_ROWS else _ACTIVE_FRACTION
        return int(min(rows, max(ACTIVE_ROWS, fraction * rows)))

    def _slack(self, norms: FloatArray, squared: FloatArray) -> FloatArray:
        # A computed |x - c|^2 is off by at most the tolerance times (|x| + |c|)^2, and the nearest
        # centre is no longer than |x| plus its distance. Far centres lose by more than they err.
        reach = 2 * np.sqrt(norms) + np.sqrt(squared)
        slack: FloatArray = reach * reach * self.data.tolerance + self.data.underflow
        return slack

    def _farthest(self, rows: IndexArray) -> tuple[int, float]:
        """Return which of ``rows`` (ascending) is farthest, and its squared distance."""
        count = len(self.chosen)
        centres = self.centres[:count]
        centre_norms = self.data.squared_norms[self.chosen]
        best, best_squared = int(rows[0]), -1.0
        step = max(1, BLOCK_BYTES // (8 * max(self.data.dimension, count)))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            norms = self.data.squared_norms[some]
            squared = squared_distances(self.data.take(some), norms, centres, centre_norms)
            nearest = squared.min(axis=1)
            doubt = nearest + 2 * self._slack(norms, nearest)
            pair_rows, pair_centres = np.nonzero(squared <= doubt[:, None])
            exact = np.full(len(some), np.inf)
            np.minimum.at(exact, pair_rows, self._exact(some[pair_rows], pair_centres))
            top = int(exact.argmax())
            if exact[top] > best_squared:
                best, best_squared = int(some[top]), float(exact[top])
        return best, best_squared

    def _exact(self, rows: IndexArray, centres: IndexArray) -> Float64Array:
        chosen = np.array(self.chosen, dtype=np.int64)[centres]
        result = np.empty(len(rows))
        step = max(1, BLOCK_BYTES // (8 * self.data.dimension))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            result[part] = pair_squared_distances(
                self.data.array[rows[part]], self.data.array[chosen[part]]
            )
        return result


def _nearest(
    points: FloatArray, norms: FloatArray, centres: FloatArray, centre_norms: FloatArray
) -> tuple[IndexArray, FloatArray]:
    """Return the nearest centre of each point and the computed squared distance to it."""
    if len(centres) == 1:
        # One centre is the rule inside the active set: a matrix-vector product and no search.
        single: FloatArray = points @ (-2 * centres[0])
        single += centre_norms[0]
        single += norms
        return np.zeros(len(points), dtype=np.int64), np.maximum(single, 0, out=single)
    squared = squared_distances(points, norms, centres, centre_norms)
    found = squared.argmin(axis=1)
    return found, squared[np.arange(len(found)), found]
