"""A data version with a series, as a network is trained on it: windows, scale and graph.

Reads numbers; imports neither torch nor the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.series import Series
from veml_vcs.training.forecasting.graph import correlations, similarities, transitions
from veml_vcs.training.forecasting.windows import (
    Scale,
    Windows,
    joined,
    make_windows,
    scale_of,
    split_by_time,
    without,
)


@dataclass(frozen=True)
class WindowSettings:
    """How a series is cut into windows, and what is forecast.

    Attributes:
        past: Steps that are seen.
        ahead: Steps that are forecast.
        stride: Steps from one window to the next.
        target: Name of the feature that is forecast; None: the only one.
        missing: Numbers that stand for no value.
        steps_per_day: Adds the time of day to what is seen.
        weights: What the numbers of the graph say: ``similarity`` or ``distance``.
        neighbours: Edges a sensor has at most, of a graph that is made for a data version without.
    """

    past: int = 12
    ahead: int = 12
    stride: int = 1
    target: str | None = None
    missing: tuple[float, ...] = ()
    steps_per_day: int | None = None
    weights: str = "similarity"
    neighbours: int = 8

    @classmethod
    def read(cls, said: Mapping[str, Any], where: str) -> WindowSettings:
        """Read what a config says.

        Raises:
            FormatError: A field is unknown or of another type.
        """
        found: dict[str, Any] = {}
        for name, value in said.items():
            kinds = _KINDS.get(name)
            if kinds is None:
                raise FormatError(
                    f"{where}.{name}: unknown; expected one of {', '.join(_KINDS)}",
                    kind="config-unknown",
                )
            if name == "missing":
                numbers = value if isinstance(value, list | tuple) else [value]
                fits = all(type(one) in (int, float) for one in numbers)
                value = tuple(float(one) for one in numbers) if fits else ()
            else:
                fits = type(value) in kinds
            if not fits:
                raise FormatError(f"{where}.{name}: found {value!r:.60}", kind="config-value")
            found[name] = value
        return cls(**found)


_KINDS: dict[str, tuple[type, ...]] = {
    "past": (int,), "ahead": (int,), "stride": (int,), "target": (str, type(None)),
    "missing": (list,), "steps_per_day": (int, type(None)), "weights": (str,),
    "neighbours": (int,),
}  # fmt: skip


@dataclass(frozen=True)
class ForecastParts:
    """What is trained on and measured on.

    Attributes:
        train: Windows.
        val: Windows.
        scale: Of what is trained on.
        target: Position of the feature that is forecast.
        walks: Transition matrices, float32 [N, N] each.
        features: How many numbers a sensor has at each step, as the network sees it.
        border: The first step that is held back.
        notes: What the user should know.
    """

    train: Windows
    val: Windows
    scale: Scale
    target: int
    walks: tuple[NDArray[np.float32], ...]
    features: int
    border: int
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Stretch:
    """Steps of a series that are trained on.

    Attributes:
        series: Values [T, N, F].
        begin: The first step.
        end: The step after the last.
    """

    series: Series
    begin: int
    end: int


def forecast_parts(
    series: Series,
    said: WindowSettings,
    fraction: float,
    *,
    begin: int = 0,
    also: Sequence[Stretch] = (),
    own: bool = True,
) -> ForecastParts:
    """Cut a series into what is trained on and what is measured on: its end.

    Args:
        series: Values [T, N, F], and the graph.
        said: How.
        fraction: Part of the steps that is held back.
        begin: The first step that is trained on.
        also: Of other series, what is trained on as well.
        own: Whether this series is trained on at all; else it is measured on alone, and the scale
            is that of ``also``.

    Raises:
        InvalidInputError: There are too few steps, several features and none is said, or another
            series has other sensors.
        FormatError: The graph has weights that are none.
    """
    values = without(series.values, said.missing)
    border = split_by_time(len(values), fraction, said.past, said.ahead)
    target = _target(series, said.target)
    others = [without(one.series.values, said.missing)[: one.end] for one in also]
    trained_on = [series] if own else []
    trained_on += [one.series for one in also]
    _refuse_others(series, trained_on)
    trained = [values[begin:border]] if own else []
    trained += [one[stretch.begin :] for one, stretch in zip(others, also, strict=True)]
    scale = scale_of(np.concatenate(trained))
    notes = []
    if series.adjacency is not None:
        graph = similarities(series.adjacency, said.weights)  # type: ignore[arg-type]
    else:
        graph = correlations(values[begin:border, :, target], neighbours=said.neighbours)
        notes.append(
            "the data version has no graph: sensors are joined with those that moved as they did "
            f"in what is trained on ({said.neighbours} at most)"
        )
    how = {
        "past": said.past,
        "ahead": said.ahead,
        "steps_per_day": said.steps_per_day,
    }
    train = make_windows(values, scale, target, begin, border, stride=said.stride, **how)  # type: ignore[arg-type]
    if own:
        for one, stretch in zip(others, also, strict=True):
            train = joined(train, make_windows(
                one, scale, target, stretch.begin, stretch.end, stride=said.stride, **how  # type: ignore[arg-type]
            ))  # fmt: skip
    # Measured on every window, whatever the stride of training is.
    val = make_windows(values, scale, target, border, len(values), **how)  # type: ignore[arg-type]
    if not np.isfinite(val.targets[border:]).any():
        raise InvalidInputError(
            "no value is known in the steps that are held back", kind="no-values"
        )
    return ForecastParts(
        train, val, scale, target, transitions(graph), train.inputs.shape[2], border, tuple(notes)
    )


def _refuse_others(series: Series, trained_on: Sequence[Series]) -> None:
    """Refuse series that one network cannot take.

    A network is made for so many numbers a sensor, and is trained on the graph of one set of
    sensors.

    Raises:
        InvalidInputError: They are of other features, or are trained on and of other sensors.
    """
    for one in trained_on:
        if (one.features, one.values.shape[2]) != (series.features, series.values.shape[2]):
            raise InvalidInputError(
                f"the series has the features {_features(series)}, what was trained on has "
                f"{_features(one)}",
                kind="other-features",
            )
        first = trained_on[0]
        if (one.sensors, one.values.shape[1]) != (first.sensors, first.values.shape[1]):
            raise InvalidInputError(
                f"series of {first.values.shape[1]} and of {one.values.shape[1]} sensors, or of "
                "others, cannot be trained on together: a network is trained on one graph",
                kind="other-sensors",
            )


def _features(series: Series) -> str:
    names = series.features or tuple(str(place) for place in range(series.values.shape[2]))
    return ", ".join(names)


def _target(series: Series, name: str | None) -> int:
    """Return which feature is forecast."""
    count = series.values.shape[2]
    known = series.features or tuple(str(place) for place in range(count))
    if name is None:
        if count == 1:
            return 0
        raise InvalidInputError(
            f"the series has {count} features and nothing says which is forecast: "
            f"{', '.join(known[:12])}",
            hint=f"--set train_dataloader.dataset.target={known[0]}",
            kind="no-target",
        )
    if name not in known:
        raise InvalidInputError(
            f"the series has no feature {name!r}; it has {', '.join(known[:12])}",
            hint=f"--set train_dataloader.dataset.target={known[0]}",
            kind="no-target",
        )
    return known.index(name)
