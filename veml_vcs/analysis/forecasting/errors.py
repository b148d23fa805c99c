"""``veml training errors`` of a forecaster: how wrong it is, by steps ahead, by sensor, and when.

Only what the training kept is read (``versions.trainings.forecasts``); the data is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.records.said import Judged, predictions_of
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.trainings.forecasts import ERRORS_KEY


@dataclass(frozen=True)
class AheadErrors:
    """How wrong forecasts are so many steps ahead.

    Attributes:
        ahead: Steps ahead, from 1.
        mae: Mean absolute error over all sensors, in the units of the data; NaN: nothing is known.
        values: Of how many values.
    """

    ahead: int
    mae: float
    values: int


@dataclass(frozen=True)
class SensorErrors:
    """How wrong forecasts of one sensor are.

    Attributes:
        sensor: Its name.
        mae: Mean absolute error over all steps ahead; NaN: nothing is known.
        values: Of how many values.
    """

    sensor: str
    mae: float
    values: int


@dataclass(frozen=True)
class WindowErrors:
    """How wrong one forecast was, over all sensors and steps ahead.

    Attributes:
        step: The first step that was forecast, of the series.
        mae: Mean absolute error.
    """

    step: int
    mae: float


@dataclass(frozen=True)
class ForecastErrors:
    """What a forecaster gets wrong.

    Attributes:
        kind: ``training`` or ``inference``.
        name: The version, as the user named it.
        version: Its version id.
        windows: How many windows it was validated on.
        mae: Mean absolute error over all.
        ahead: By steps ahead.
        sensors: By sensor, the worst first.
        table: MAE by steps ahead (rows) and sensor (columns, in the order of ``names``); None
            where nothing is known.
        names: Sensors in the order of the data.
        worst: The forecasts that were most wrong, of windows that do not overlap.
        task: ``forecasting``.
    """

    kind: str
    name: str
    version: VersionId
    windows: int
    mae: float
    ahead: tuple[AheadErrors, ...]
    sensors: tuple[SensorErrors, ...]
    table: tuple[tuple[float | None, ...], ...]
    names: tuple[str, ...]
    worst: tuple[WindowErrors, ...]
    task: str = "forecasting"


def forecast_errors(version: Judged, *, worst: int = 10) -> ForecastErrors:
    """Look at what a forecaster said of the end of the series that it was validated on.

    Args:
        version: The training, or inference version.
        worst: How many forecasts to name.

    Raises:
        NotFoundError: It has no predictions, or they are not in this
            clone.
        InvalidInputError: It is no forecaster.
        DamagedError: What it kept is no forecasts.
    """
    if version.record.task != "forecasting":
        raise InvalidInputError(f"{version.label}: a {version.record.task}, and no forecaster")
    (said,) = predictions_of(version).values()
    names, windows, errors, known = _table(said.get(ERRORS_KEY), version.label)
    means = _divided(errors, known)
    ahead, sensors = _divided(errors.sum(1), known.sum(1)), _divided(errors.sum(0), known.sum(0))
    by_sensor = [
        SensorErrors(name, float(sensors[i]), int(known[:, i].sum()))
        for i, name in enumerate(names)
    ]
    by_sensor.sort(key=lambda one: -one.mae if one.mae == one.mae else 1.0)
    return ForecastErrors(
        version.kind.name, version.label, version.id, windows,
        float(_divided(errors.sum(), known.sum())),
        tuple(
            AheadErrors(i + 1, float(one), int(known[i].sum())) for i, one in enumerate(ahead)
        ),
        tuple(by_sensor),
        tuple(tuple(None if one != one else one for one in row) for row in means.tolist()),
        names,
        tuple(sorted(_windows(said, version.label), key=lambda one: (-one.mae, one.step))[:worst]),
    )  # fmt: skip


def _windows(said: Mapping[str, Annotation], spec: str) -> list[WindowErrors]:
    found = []
    for key, one in said.items():
        if key == ERRORS_KEY:
            continue
        step, mae = one.get("step"), one.get("mae")
        if type(step) is not int or (mae is not None and type(mae) not in (int, float)):
            raise DamagedError(f"{spec}: its prediction {key!r:.80} is no forecast")
        if mae is not None:
            found.append(WindowErrors(step, float(mae)))
    return found


def _table(
    said: Any, spec: str
) -> tuple[tuple[str, ...], int, NDArray[np.float64], NDArray[np.float64]]:
    try:
        names = tuple(map(str, said["sensors"]))
        errors = np.array(said["errors"], np.float64)
        known = np.array(said["known"], np.float64)
        windows = int(said["windows"])
    except (TypeError, KeyError, ValueError) as error:
        raise DamagedError(f"{spec}: its predictions hold no table of errors") from error
    shapes = {errors.shape, known.shape}
    if shapes != {(len(errors), len(names))} or not (known >= 0).all():
        raise DamagedError(f"{spec}: its table of errors is of the shapes {shapes}")
    return names, windows, errors, known


def _divided(errors: Any, known: Any) -> NDArray[np.float64]:
    """Return means; NaN where nothing is known."""
    sums, counts = np.asarray(errors, np.float64), np.asarray(known, np.float64)
    means: NDArray[np.float64] = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
