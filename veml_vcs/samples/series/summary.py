"""A series in a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veml_vcs.samples.series.read import Series

_NAMES = 5


@dataclass(frozen=True)
class SeriesSummary:
    """A series in a few numbers.

    Attributes:
        files: Keys of the files with values.
        graph: Key of the file with the graph.
        steps: Number of time steps.
        sensors: Number of sensors.
        features: Number of features.
        feature_names: Their names, where they have any.
        sensor_names: Names of the first sensors, where they have any.
        first: Name of the first step.
        last: Name of the last step.
        missing: Values that are not there (NaN).
        minimum: The smallest value; None if there is none.
        maximum: The largest.
        mean: Their mean.
        edges: Edges between different sensors, each direction for itself; None without a graph.
        loops: Edges from a sensor to itself.
        symmetric: Whether every edge goes both ways with one weight.
    """

    files: tuple[str, ...]
    graph: str | None
    steps: int
    sensors: int
    features: int
    feature_names: tuple[str, ...]
    sensor_names: tuple[str, ...]
    first: str | None
    last: str | None
    missing: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    edges: int | None
    loops: int | None
    symmetric: bool | None


def summarise_series(series: Series) -> SeriesSummary:
    """Return a series in a few numbers."""
    steps, sensors, features = series.values.shape
    given = series.values[~np.isnan(series.values)]
    graph = series.adjacency
    edges = loops = symmetric = None
    if graph is not None:
        loops = int(np.count_nonzero(np.diagonal(graph)))
        edges = int(np.count_nonzero(graph)) - loops
        symmetric = bool(np.array_equal(graph, graph.T))
    times = series.times or ()
    return SeriesSummary(
        series.files,
        series.graph,
        steps,
        sensors,
        features,
        series.features or (),
        series.sensors[:_NAMES] if series.named else (),
        times[0] if times else None,
        times[-1] if times else None,
        int(series.values.size - given.size),
        float(given.min()) if given.size else None,
        float(given.max()) if given.size else None,
        float(given.mean(dtype=np.float64)) if given.size else None,
        edges,
        loops,
        symmetric,
    )
