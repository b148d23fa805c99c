"""The graph of sensors as a network uses it: where a random walker goes from each sensor.

Computes on numpy arrays; knows nothing of files and of torch.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError, InvalidInputError

Weights = Literal["similarity", "distance"]


def similarities(
    adjacency: NDArray[np.float64], weights: Weights = "similarity", *, least: float = 0.1
) -> NDArray[np.float64]:
    """Return how near sensors are to each other, from what a data set says of its edges.

    Distances become ``exp(-(d / sigma)^2)``, with sigma the standard deviation of all given ones,
    and what is below ``least`` becomes 0 (Li et al. 2018, section 4.2; Shuman et al. 2013).

    Args:
        adjacency: float64 [N, N], row: from, column: to; 0 where there is no edge.
        weights: Whether a larger number means nearer (``similarity``) or farther (``distance``).
        least: Below this a similarity that was a distance counts as none.

    Returns:
        float64 [N, N], each 0 or more; of distances with 1 on the diagonal.

    Raises:
        FormatError: A weight is negative or not finite.
        InvalidInputError: ``weights`` is neither.
    """
    if weights not in ("similarity", "distance"):
        raise InvalidInputError(f"graph weights {weights!r:.60}: expected similarity or distance")
    if not np.isfinite(adjacency).all() or (adjacency < 0).any():
        bad = np.argwhere(~np.isfinite(adjacency) | (adjacency < 0))[0]
        raise FormatError(
            f"the graph's weight from sensor {bad[0]} to sensor {bad[1]} is "
            f"{adjacency[bad[0], bad[1]]:g}: expected a finite number, 0 or more",
            kind="graph-weight",
        )
    if weights == "similarity":
        return adjacency
    there = adjacency > 0
    sigma = float(adjacency[there].std()) if there.any() else 0.0
    near = np.exp(-np.square(adjacency / sigma)) if sigma > 0 else there.astype(np.float64)
    near[~there | (near < least)] = 0.0
    np.fill_diagonal(near, 1.0)
    return near


def correlations(values: NDArray[np.floating], *, neighbours: int = 8) -> NDArray[np.float64]:
    """Return a graph for sensors that came without one: each with those that move as it does.

    Args:
        values: float [T, N]; NaN where there is no value. Of training only, so that nothing that
            is held back is looked at.
        neighbours: How many edges at most leave a sensor, besides the one to itself.

    Returns:
        float64 [N, N]: Pearson's correlation where it is positive and among the largest of its row,
        1 on the diagonal, 0 elsewhere. Sensors that never change are on their own.
    """
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, values, 0.0).astype(np.float64)
    centred = np.where(known, filled - filled.sum(axis=0) / counts, 0.0)
    lengths = np.sqrt(np.square(centred).sum(axis=0))
    found = centred.T @ centred / np.maximum(np.outer(lengths, lengths), 1e-12)
    np.fill_diagonal(found, 0.0)
    graph = np.zeros_like(found)
    kept = min(neighbours, len(found) - 1)
    if kept > 0:
        # A stable sort: of equal ones the first sensors, on every machine.
        best = np.argsort(-found, axis=1, kind="stable")[:, :kept]
        rows = np.arange(len(found))[:, None]
        graph[rows, best] = np.maximum(found[rows, best], 0.0)
    np.fill_diagonal(graph, 1.0)
    return graph


def transitions(graph: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return where a random walker goes, along the edges and against them.

    The two transition matrices of a diffusion convolution (Li et al. 2018, equation 2): D_out^-1 W
    and D_in^-1 W^T.

    Args:
        graph: float64 [N, N], each 0 or more.

    Returns:
        Two float32 [N, N] with rows that sum to 1, or to 0 for a sensor without edges.
    """
    return _rows(graph), _rows(graph.T)


def _rows(graph: NDArray[np.float64]) -> NDArray[np.float32]:
    sums = graph.sum(axis=1, keepdims=True)
    parts: NDArray[np.float64] = np.divide(graph, sums, out=np.zeros_like(graph), where=sums > 0)
    return parts.astype(np.float32)
