"""Which samples of a pool are worth a label: active learning's choice, made once.

Core set (k-center: Sener and Savarese 2018, the paper's method), ProbCover (Yehuda et al. 2022),
margin of a detector's scores (Brust et al. 2019), uniform at random. What is chosen depends on the
rows' order and the seed alone: bring rows into the order of sorted sample ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.coreset import assign, greedy_k_center
from veml_vcs.analysis.distances import pair_squared_distances
from veml_vcs.analysis.points import BLOCK_BYTES, Float64Array, IndexArray, Points
from veml_vcs.errors import InvalidInputError

SelectionMethod = Literal["coreset", "probcover", "margin", "random"]
SELECTION_METHODS: tuple[SelectionMethod, ...] = get_args(SelectionMethod)

PURITY = 0.8
"""Share of balls that ProbCover lets hold one pseudo-label alone (its alpha)."""

_LLOYD_ROUNDS = 25


def k_center(points: Any, budget: int, *, labelled: Any = None, seed: int = 0) -> IndexArray:
    """Choose the rows farthest from all that is labelled or chosen, one after the other.

    Directions are compared: rows are scaled to length 1 (on raw vectors it loses more to random
    choice, which it loses to all the same on most data: design note 027).

    Args:
        points: [n, d] the pool.
        budget: How many rows.
        labelled: [m, d] rows that have labels already; None: nothing has.
        seed: Draws the first row where nothing is labelled.

    Returns:
        int64 [budget] rows of the pool in the order they were chosen, each once. Where fewer rows
        are distinct, copies follow in the pool's order.

    Raises:
        InvalidInputError: Nothing to choose from, a budget that is none, values not finite.
    """
    pool = _unit(points, budget)
    if labelled is None or not len(labelled):
        chosen = greedy_k_center(pool, budget, seed=seed).indices.tolist()
        return _filled(chosen, len(pool), budget)
    squared = assign(pool, _unit(labelled, 1)).distances ** 2
    return _farthest_first(pool, squared, budget)


def prob_cover(
    points: Any,
    budget: int,
    *,
    clusters: int,
    labelled: Any = None,
    purity: float = PURITY,
    seed: int = 0,
) -> IndexArray:
    """Choose the rows whose balls cover most of the pool.

    The balls' radius is the largest for which a share ``purity`` of them holds points of one
    pseudo-label (a cluster of k-means) alone: the quantile ``1 - purity`` of each row's distance to
    the nearest row of another cluster, which is what the paper finds by a search.

    Args:
        points: [n, d] the pool.
        budget: How many rows.
        clusters: Number of pseudo-labels; the number of classes, where they are of whole samples.
        labelled: [m, d] rows that have labels already, whose balls count as covered.
        purity: See above, in (0, 1).
        seed: Seeds k-means.

    Returns:
        int64 [budget] rows of the pool in the order they were chosen, each once. When all is
        covered, the rows farthest from all that was chosen follow.

    Raises:
        InvalidInputError: As ``k_center``, or fewer than two clusters.
    """
    if clusters < 2:
        raise InvalidInputError(f"clusters: expected 2 or more, found {clusters}")
    pool = _unit(points, budget)
    radius = cover_radius(pool, pseudo_labels(pool, clusters, seed=seed), purity)
    starts, neighbours = _balls(pool, radius)
    covered = np.zeros(len(pool), bool)
    if labelled is not None and len(labelled):
        covered = assign(pool, _unit(labelled, 1)).distances <= radius
    counts = np.array(
        [np.count_nonzero(~covered[neighbours[a:b]]) for a, b in pairwise(starts.tolist())]
    )
    chosen: list[int] = []
    while len(chosen) < budget and counts.max() > 0:
        row = int(counts.argmax())
        chosen.append(row)
        ball = neighbours[starts[row] : starts[row + 1]]
        for new in ball[~covered[ball]].tolist():
            covered[new] = True
            counts[neighbours[starts[new] : starts[new + 1]]] -= 1  # balls hold each other
        counts[row] = 0  # also where rounding says that only one of two balls holds the other
    if len(chosen) == budget:
        return np.array(chosen, np.int64)
    squared = np.full(len(pool), np.inf)
    for row in chosen:
        np.minimum(squared, pair_squared_distances(pool, pool[row]), out=squared)
    squared[chosen] = -1.0
    return np.array([*chosen, *_farthest_first(pool, squared, budget - len(chosen))], np.int64)


def pseudo_labels(points: Any, clusters: int, *, seed: int = 0) -> IndexArray:
    """Cluster rows by k-means (Lloyd), begun at the centres of greedy k-center.

    Args:
        points: [n, d].
        clusters: How many; fewer where there are fewer distinct rows.
        seed: Draws the first centre.

    Returns:
        int64 [n] cluster of each row.
    """
    data = np.asarray(points, np.float64)
    centres = data[greedy_k_center(data, clusters, seed=seed).indices]
    nearest = assign(data, centres).nearest
    for _ in range(_LLOYD_ROUNDS):
        sizes = np.bincount(nearest, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, data)
        filled = sizes > 0
        centres[filled] = sums[filled] / sizes[filled, None]
        moved = assign(data, centres).nearest
        if np.array_equal(moved, nearest):
            break
        nearest = moved
    return nearest


def cover_radius(points: Any, labels: IndexArray, purity: float = PURITY) -> float:
    """Return the largest radius at which a share of the balls holds one label alone.

    Args:
        points: [n, d].
        labels: int64 [n].
        purity: The share, in (0, 1); the radius never grows with it.
    """
    if not 0 < purity < 1:
        raise InvalidInputError(f"purity: expected a share between 0 and 1, found {purity:g}")
    data = np.asarray(points, np.float64)
    strangers = np.full(len(data), np.inf)
    for label in np.unique(labels).tolist():
        own = labels == label
        if own.any() and not own.all():
            strangers[own] = assign(data[own], data[~own]).distances
    if np.isinf(strangers).all():
        return 0.0  # one cluster: all rows are alike
    return float(np.quantile(strangers, 1 - purity))


def box_uncertainty(scores: Sequence[float]) -> float:
    """Return how unsure a detector is of an image, from the scores of its boxes.

    Brust et al. 2019, "Active learning for deep object detection", 1-vs-2 summed over boxes: each
    counts ``(1 - |p - (1 - p)|) ** 2``, as a detector's score after suppression tells a box of a
    class from everything else. An image without a box counts nothing.

    Args:
        scores: 0 to 1, one a box.
    """
    values = np.asarray(scores, np.float64)
    return float(((1 - np.abs(2 * values - 1)) ** 2).sum())


def class_uncertainty(scores: Sequence[float]) -> float:
    """Return how unsure a classifier is of an image, from the probabilities of its classes.

    Scheffer, Decomain and Wrobel 2001, "Active hidden Markov models for information extraction":
    the margin between the two surest classes, here 1 less it, so that more is less sure.

    Args:
        scores: 0 to 1, one a class; at least the two largest.
    """
    best = sorted(scores, reverse=True)[:2]
    return 1.0 - (best[0] - (best[1] if len(best) > 1 else 0.0))


def _unit(points: Any, budget: int) -> Float64Array:
    data = Points(points, "points")
    if not 1 <= budget <= data.rows:
        raise InvalidInputError(f"budget: expected 1 to {data.rows} samples, found {budget}")
    rows = np.asarray(data.array, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def _farthest_first(pool: Float64Array, squared: Float64Array, budget: int) -> IndexArray:
    """Choose by distance from what is labelled; rows at -1 are chosen already."""
    squared = squared.copy()
    taken = squared < 0
    chosen: list[int] = []
    while len(chosen) < budget:
        row = int(np.where(taken, -1.0, squared).argmax())
        chosen.append(row)
        taken[row] = True
        np.minimum(squared, pair_squared_distances(pool, pool[row]), out=squared)
    return np.array(chosen, np.int64)


def _filled(chosen: list[int], rows: int, budget: int) -> IndexArray:
    known = set(chosen)
    rest = (row for row in range(rows) if row not in known)
    return np.array([*chosen, *(next(rest) for _ in range(budget - len(chosen)))], np.int64)


def _balls(points: Float64Array, radius: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows within a radius of each row: where its list begins, and all lists."""
    norms = np.einsum("ij,ij->i", points, points)
    step = max(1, BLOCK_BYTES // (8 * len(points)))
    sizes, lists = [], []
    for first in range(0, len(points), step):
        block = points[first : first + step]
        near = norms[first : first + step, None] + norms - 2 * block @ points.T <= radius**2
        near[np.arange(len(block)), first + np.arange(len(block))] = True  # each holds itself
        sizes.append(near.sum(axis=1))
        lists.append(np.nonzero(near)[1])
    starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return starts.astype(np.int64), np.concatenate(lists).astype(np.int64)
