"""A whole series: the values of its files put together, and the graph that goes with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError, MissingDependencyError
from veml_vcs.samples.formats.series import SeriesLayout
from veml_vcs.samples.series.adjacency import Adjacency, read_adjacency
from veml_vcs.samples.series.values import MAX_VALUES, Values, read_values


@dataclass(frozen=True)
class Series:
    """A series with its graph.

    Attributes:
        values: float [T, N, F]; NaN where there is no value.
        adjacency: float64 [N, N], row: from, column: to; None where there is no graph.
        sensors: Names of the N sensors; their numbers from 0 where nothing names them.
        times: Names of the T steps; None where nothing names them.
        features: Names of the F features; None where nothing names them.
        files: Keys of the files with values.
        graph: Key of the file with the graph.
    """

    values: NDArray[Any]
    adjacency: NDArray[np.float64] | None
    sensors: tuple[str, ...]
    times: tuple[str, ...] | None
    features: tuple[str, ...] | None
    files: tuple[str, ...]
    graph: str | None

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all its files, the graph's last."""
        return (*self.files, *([self.graph] if self.graph else []))

    @property
    def named(self) -> bool:
        """Whether the sensors have names, not numbers only."""
        return self.sensors != tuple(map(str, range(len(self.sensors))))


def read_series(
    layout: SeriesLayout, samples: Sequence[str], read: Callable[[str], bytes]
) -> Series:
    """Read a series.

    Without ``layout.values``, every file of numbers that has as many sensors as the graph has is
    taken for values; files one after the other along the time, or, of long tables, all rows
    together.

    Raises:
        FormatError: Nothing fits, or files do not go together.
        MissingDependencyError: There is a Parquet file, and pyarrow is not installed.
    """
    parts: dict[str, Values] = {}
    if layout.values or layout.adjacency is None:
        parts = {key: read_values(read(key), key, layout) for key in layout.values or samples}
    else:
        parts = _fitting(layout, samples, read)
    whole = _joined(parts)
    count = whole.values.shape[1]
    graph = None
    if layout.adjacency is not None:
        data = read(layout.adjacency)
        graph = read_adjacency(data, layout.adjacency, whole.sensors, count)
        if len(graph.weights) != count:
            raise FormatError(
                f"{layout.adjacency}: a graph of {len(graph.weights)} sensors, but the values are "
                f"of {count}"
            )
        graph = _in_order(graph, whole.sensors)
    names = whole.sensors or (graph.sensors if graph is not None else None)
    return Series(
        whole.values,
        None if graph is None else graph.weights,
        names if names is not None else tuple(map(str, range(count))),
        whole.times,
        whole.features,
        tuple(parts),
        layout.adjacency,
    )


def _fitting(
    layout: SeriesLayout, samples: Sequence[str], read: Callable[[str], bytes]
) -> dict[str, Values]:
    """Return the files that have as many sensors as the graph."""
    assert layout.adjacency is not None
    found: dict[str, Values] = {}
    reasons = []
    for key in samples:
        if key == layout.adjacency:
            continue
        try:
            found[key] = read_values(read(key), key, layout)
        except (FormatError, MissingDependencyError) as error:
            reasons.append(error.message)
    try:
        wanted = len(read_adjacency(read(layout.adjacency), layout.adjacency).weights)
    except FormatError:  # edges between names: the values tell how many sensors there are
        largest = max(found, key=lambda key: found[key].values.size, default=None)
        wanted = -1 if largest is None else found[largest].values.shape[1]
    largest_count = max((one.values.shape[1] for one in found.values()), default=0)
    fits = {key: one for key, one in found.items() if one.values.shape[1] == wanted}
    if not fits and largest_count >= wanted >= 0:  # edges need not name the last sensors
        fits = {key: one for key, one in found.items() if one.values.shape[1] == largest_count}
    if not fits:
        raise FormatError(
            f"no file has the values of the {wanted} sensors of {layout.adjacency}"
            + "".join(f"; {one}" for one in reasons[:3])
        )
    return fits


def _joined(parts: dict[str, Values]) -> Values:
    every = list(parts.values())
    if not every:
        raise FormatError("a series without a file of values")
    if len(every) == 1:
        return every[0]
    first = every[0]
    for key, one in parts.items():
        if one.features != first.features or one.values.shape[2] != first.values.shape[2]:
            raise FormatError(f"{key}: has other features than {next(iter(parts))}")
    if all(one.times is not None and one.sensors is not None for one in every) and any(
        one.sensors != first.sensors for one in every
    ):
        return _together(parts)
    if any(one.values.shape[1] != first.values.shape[1] for one in every):
        raise FormatError("the files of values have different numbers of sensors")
    if any(one.sensors != first.sensors for one in every):
        raise FormatError("the files of values name different sensors")
    times = None
    if all(one.times is not None for one in every):
        times = tuple(step for one in every for step in one.times or ())
    values = np.concatenate([one.values for one in every])
    return Values(values, times, first.sensors, first.features)


def _together(parts: dict[str, Values]) -> Values:
    """Join files by the names of their steps and sensors."""
    every = list(parts.values())
    times = {t: i for i, t in enumerate(dict.fromkeys(t for one in every for t in one.times or ()))}
    sensors = {s: i for i, s in enumerate(dict.fromkeys(
        s for one in every for s in one.sensors or ()))}  # fmt: skip
    depth = every[0].values.shape[2]
    if len(times) * len(sensors) * depth > MAX_VALUES:
        raise FormatError(f"more than {MAX_VALUES} values")
    values = np.full((len(times), len(sensors), depth), np.nan)
    taken = np.zeros((len(times), len(sensors)), np.bool_)
    for key, one in parts.items():
        rows = np.array([times[t] for t in one.times or ()], np.int64)
        columns = np.array([sensors[s] for s in one.sensors or ()], np.int64)
        place = np.ix_(rows, columns)
        if taken[place].any():
            raise FormatError(f"{key}: has steps of sensors that another file has, too")
        taken[place] = True
        values[place] = one.values
    return Values(values, tuple(times), tuple(sensors), every[0].features)


def _in_order(graph: Adjacency, sensors: tuple[str, ...] | None) -> Adjacency:
    """Put a matrix whose columns are named into the order of the values' sensors."""
    if graph.sensors is None or sensors is None or graph.sensors == sensors:
        return graph
    if set(graph.sensors) != set(sensors):
        return graph  # other names for the same sensors: by place
    at = {name: i for i, name in enumerate(graph.sensors)}
    order = np.array([at[name] for name in sensors], np.int64)
    return Adjacency(graph.weights[np.ix_(order, order)], sensors)
