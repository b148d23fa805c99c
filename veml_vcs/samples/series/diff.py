"""What differs between two versions of a series: steps, sensors, values, edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.samples.series.read import Series

_LISTED = 1_000
"""Edges and steps that are named; all are counted."""


@dataclass(frozen=True)
class EdgeChange:
    """One edge: from, to, its weight before and after (0: there is none)."""

    start: str
    end: str
    old: float
    new: float


@dataclass(frozen=True)
class SeriesDiff:
    """How two versions of a series differ.

    Attributes:
        old_shape: Steps, sensors and features before.
        new_shape: The same after.
        steps_added: Number of new steps.
        steps_removed: Number of steps that are gone.
        sensors_added: Names of new sensors.
        sensors_removed: Names of sensors that are gone.
        features_added: Names of new features.
        features_removed: Names of features that are gone.
        changed: Values that differ, of steps, sensors and features that both have.
        by_sensor: Sensor -> how many of its values differ, the most first.
        by_feature: Feature -> how many of its values differ; empty if features have no names.
        steps: Steps in which values differ, the first ones, by name or ``#12``.
        changed_steps: How many these are in all.
        edges_added: New edges, in number.
        edges_removed: Edges that are gone, in number.
        edges_changed: Edges of another weight, in number.
        edges: The edges that differ, the first ones.
        files: Keys of the files whose differences this is.
    """

    old_shape: tuple[int, int, int]
    new_shape: tuple[int, int, int]
    steps_added: int = 0
    steps_removed: int = 0
    sensors_added: tuple[str, ...] = ()
    sensors_removed: tuple[str, ...] = ()
    features_added: tuple[str, ...] = ()
    features_removed: tuple[str, ...] = ()
    changed: int = 0
    by_sensor: Mapping[str, int] = field(default_factory=dict)
    by_feature: Mapping[str, int] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    changed_steps: int = 0
    edges_added: int = 0
    edges_removed: int = 0
    edges_changed: int = 0
    edges: tuple[EdgeChange, ...] = ()
    files: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(
            self.old_shape != self.new_shape
            or self.steps_added or self.steps_removed or self.sensors_added or self.sensors_removed
            or self.features_added or self.features_removed or self.changed or self.edges
        )  # fmt: skip


def diff_series(old: Series, new: Series) -> SeriesDiff:
    """Compare two versions of a series.

    Sensors, steps and features are known by their names where both versions have names that tell
    them apart, else by their place.
    """
    named = old.named and new.named
    sensors = _matched(old.sensors if named else None, new.sensors if named else None,
                       old.values.shape[1], new.values.shape[1])  # fmt: skip
    steps = _matched(old.times, new.times, len(old.values), len(new.values))
    depth = _matched(old.features, new.features, old.values.shape[2], new.values.shape[2])
    before = old.values[np.ix_(steps[0], sensors[0], depth[0])]
    after = new.values[np.ix_(steps[1], sensors[1], depth[1])]
    with np.errstate(invalid="ignore"):
        differ = (before != after) & ~(np.isnan(before) & np.isnan(after))
    per_sensor, per_step = differ.sum((0, 2)), differ.any((1, 2))
    ranked = np.argsort(-per_sensor, kind="stable")
    names = [new.sensors[i] for i in sensors[1]]
    features = [new.features[i] for i in depth[1]] if new.features is not None else []
    at = np.flatnonzero(per_step)
    numbers, edges = _edges(old, new, sensors)
    return SeriesDiff(
        old.values.shape,
        new.values.shape,
        steps_added=len(new.values) - len(steps[1]),
        steps_removed=len(old.values) - len(steps[0]),
        sensors_added=_left(new.sensors, sensors[1]),
        sensors_removed=_left(old.sensors, sensors[0]),
        features_added=_left(_names(new.features, new.values.shape[2]), depth[1]),
        features_removed=_left(_names(old.features, old.values.shape[2]), depth[0]),
        changed=int(differ.sum()),
        by_sensor={names[i]: int(per_sensor[i]) for i in ranked if per_sensor[i]},
        by_feature={name: int(n) for name, n in zip(features, differ.sum((0, 1)), strict=False)
                    if n},
        steps=tuple(_step(new.times, int(steps[1][i])) for i in at[:_LISTED]),
        changed_steps=len(at),
        edges_added=numbers[0],
        edges_removed=numbers[1],
        edges_changed=numbers[2],
        edges=edges,
        files=tuple(dict.fromkeys(
            one for one in (*old.files, *new.files, old.graph, new.graph) if one is not None)),
    )  # fmt: skip


def _matched(
    old: Sequence[str] | None, new: Sequence[str] | None, before: int, after: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of what both versions have, in the new order."""
    if old is None or new is None or len(set(old)) != len(old) or len(set(new)) != len(new):
        both = np.arange(min(before, after))
        return both, both
    places = {name: i for i, name in enumerate(old)}
    pairs = [(places[name], j) for j, name in enumerate(new) if name in places]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _left(names: Sequence[str], matched: NDArray[np.int64]) -> tuple[str, ...]:
    gone = set(range(len(names))) - set(matched.tolist())
    return tuple(names[i] for i in sorted(gone))


def _names(names: Sequence[str] | None, count: int) -> Sequence[str]:
    return names if names is not None else [f"#{i}" for i in range(count)]


def _step(times: Sequence[str] | None, place: int) -> str:
    return times[place] if times is not None else f"#{place}"


def _edges(old: Series, new: Series, sensors: Any) -> tuple[tuple[int, int, int], Any]:
    """Compare the graphs; an edge of a sensor that only one side has is added or removed."""
    names = [*(new.sensors[i] for i in sensors[1])]
    only_old, only_new = _left(old.sensors, sensors[0]), _left(new.sensors, sensors[1])
    every = [*names, *only_old, *only_new]
    there = [*range(len(names) + len(only_old))]
    before = _placed(old, len(every), [*sensors[0], *_places(old, sensors[0])], there)
    there = [*range(len(names)), *range(len(every) - len(only_new), len(every))]
    after = _placed(new, len(every), [*sensors[1], *_places(new, sensors[1])], there)
    at = np.argwhere(before != after)
    was, now = before[tuple(at.T)], after[tuple(at.T)]
    numbers = (int((was == 0).sum()), int((now == 0).sum()), int(((was != 0) & (now != 0)).sum()))
    edges = tuple(
        EdgeChange(every[i], every[j], float(before[i, j]), float(after[i, j]))
        for i, j in at[:_LISTED]
    )
    return numbers, edges


def _places(series: Series, matched: NDArray[np.int64]) -> list[int]:
    return sorted(set(range(len(series.sensors))) - set(matched.tolist()))


def _placed(series: Series, count: int, take: list[Any], put: list[int]) -> NDArray[np.float64]:
    """Return a graph over more sensors: those at ``take`` stand at ``put``."""
    whole = np.zeros((count, count))
    if series.adjacency is not None:
        whole[np.ix_(put, put)] = series.adjacency[np.ix_(take, take)]
    return whole
