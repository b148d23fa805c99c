"""``veml predict`` of forecasters: the steps that follow the last ones of a series."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from veml_vcs.deployment.predictors import asked_task, inference_of, runner_of
from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.records.used import used_data
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion, open_training
from veml_vcs.samples.formats.series import SeriesLayout
from veml_vcs.samples.series.read import Series
from veml_vcs.samples.series.values import read_values
from veml_vcs.training.inputs import data_version
from veml_vcs.versions.trainings import DataUse, parse_training_record

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Forecast:
    """What is said of the steps that follow a series.

    Attributes:
        kind: ``inference`` or ``training``.
        name: Who said it, as the user named it.
        version: Its version id.
        data: The series: a data version, or a file.
        steps: How many steps the series has; the forecast begins after them.
        last_time: Name of its last step; None where steps have no names.
        sensors: Names of the sensors.
        last: float [N], the last value of what is forecast; NaN where it is not known.
        values: float32 [ahead, N], in the units of the data.
        notes: What the user should know.
    """

    kind: str
    name: str
    version: VersionId
    data: str
    steps: int
    last_time: str | None
    sensors: tuple[str, ...]
    last: NDArray[np.float64]
    values: NDArray[np.float32]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Forecaster:
    """Who is asked.

    Attributes:
        kind: ``inference`` or ``training``.
        name: As the user named it.
        version: Its version id.
        past: Steps, sensors and features that it is given.
        target: The feature that it forecasts; None: nobody knows, and there are several.
        clock: Whether it sees the time of day.
        data: What it was trained on, as its record says.
        run: Gives outputs for inputs.
    """

    kind: str
    name: str
    version: VersionId
    past: tuple[int, ...]
    target: str | None
    clock: bool
    data: tuple[DataUse, ...]
    run: Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]


def forecasts(repo: Repository, spec: str, *, training: bool = False) -> bool:
    """Tell whether what a name means is a forecaster.

    Raises:
        NotFoundError: There is nothing of this name.
    """
    return asked_task(repo, spec, training=training) == "forecasting"


def forecast(
    repo: Repository,
    spec: str,
    given: str,
    *,
    training: bool = False,
    threads: int = 0,
    trust: bool = False,
    step: int | None = None,
) -> Forecast:
    """Forecast the steps that follow the last ones of a series.

    Args:
        repo: The repository.
        spec: ``NAME`` or ``NAME@REV`` of an inference version, or else of a training.
        given: A data version with a series, or a file of values (CSV, Parquet, NPY).
        training: Ask the training's checkpoint, also where there is an inference version.
        threads: How many compute; 0: as the runtime thinks fit.
        trust: Run a TorchScript file.
        step: Steps since midnight of the first row that is given, for those that see the time of
            day; None: a data version begins at midnight, as in training.

    Raises:
        NotFoundError: There is no such version or series, or it is not in this clone.
        ConflictError: The folder of a data set differs from its version.
        InvalidInputError: The series is too short, or has other sensors or features.
        FormatError: It cannot be read, or the file is refused.
        MissingDependencyError: What runs it is not installed.
    """
    notes: list[str] = []
    with _opened(repo, spec, training=training, threads=threads, trust=trust) as asked:
        known = _trained_series(repo, asked, notes)
        series, in_file = _series(repo, given, notes)
        series = _fitting(series, asked, known, given, notes)
        past = asked.past[0]
        if len(series.values) < past:
            raise InvalidInputError(
                f"{given}: {len(series.values)} steps; {asked.name} looks at the last {past}",
                kind="too-few-samples",
            )
        window = np.ascontiguousarray(series.values[-past:], np.float32)
        inputs = {"past": window}
        if asked.clock:
            inputs["step"] = np.array([_first_step(series, past, step, in_file, given)], np.int64)
        elif step is not None:
            raise InvalidInputError(f"--step: {asked.name} does not see the time of day")
        unknown = int((~np.isfinite(window)).all(axis=(0, 2)).sum())
        if unknown:
            notes.append(f"of {unknown} sensors nothing is known in the last {past} steps")
        values = _checked(asked.run(inputs), asked)
    return Forecast(
        asked.kind, asked.name, asked.version, given, len(series.values),
        None if series.times is None else series.times[-1], series.sensors,
        _last(series, window, asked.target), values, tuple(notes),
    )  # fmt: skip


@contextmanager
def _opened(
    repo: Repository, spec: str, *, training: bool, threads: int, trust: bool
) -> Iterator[_Forecaster]:
    found = None if training else inference_of(repo, spec)
    if found is None:
        with _of_checkpoint(repo, open_training(repo, spec)) as forecaster:
            yield forecaster
        return
    record = found.record
    runner = runner_of(found, threads, trust)
    yield _Forecaster(
        "inference", found.label, found.id,
        tuple(one for one in record.inputs.get("past", ()) if isinstance(one, int)),
        _target_told(repo, record.training.version), "step" in record.inputs, record.data,
        runner.run,
    )  # fmt: skip


@contextmanager
def _of_checkpoint(repo: Repository, training: TrainingVersion) -> Iterator[_Forecaster]:
    from veml_vcs.training.engine import require_engine
    from veml_vcs.training.held_back import part_of_use, uses_of
    from veml_vcs.training.measure import loaded

    require_engine(training.record.task)
    part = part_of_use(repo, uses_of(training, "val")[0])  # its graph is that of the data
    with loaded(repo, training, part) as run:
        import torch

        from veml_vcs.deployment.forecasting.exporter import ForecastExporter
        from veml_vcs.training.forecasting.run import ForecastRun

        exporter = ForecastExporter.of(run, None)
        assert isinstance(run, ForecastRun)
        network = exporter.network(portable=True)

        def say(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
            with torch.no_grad():
                given = [torch.from_numpy(inputs[name]) for name in exporter.inputs]
                return {"forecast": network(*given).numpy()}

        yield _Forecaster(
            "training", training.label, training.id,
            (exporter.said.past, len(run.sensors), exporter.features),
            exporter.said.target, "step" in exporter.inputs, training.record.data, say,
        )  # fmt: skip


def _trained_series(repo: Repository, asked: _Forecaster, notes: list[str]) -> Series | None:
    """Return what it was measured on: it names sensors and features; None where it is not here."""
    for use in asked.data:
        if use.role == "val":
            try:
                return used_data(repo, use).series()
            except (NotFoundError, DamagedError) as error:
                notes.append(
                    "whether these are the sensors that it knows cannot be told, their number "
                    f"alone: {error.message}"
                )
    return None


def _series(repo: Repository, given: str, notes: list[str]) -> tuple[Series, bool]:
    """Read the series that is given; tell whether it is a file."""
    if not os.path.isfile(given):
        return data_version(repo, given, notes)[0].series(), False
    try:
        with open(given, "rb") as file:
            found = read_values(file.read(), given, SeriesLayout())
    except OSError as error:
        raise FormatError(f"{given}: cannot be read: {error.strerror or error}") from error
    names = found.sensors or tuple(map(str, range(found.values.shape[1])))
    return Series(found.values, None, names, found.times, found.features, (given,), None), True


def _fitting(
    series: Series, asked: _Forecaster, known: Series | None, given: str, notes: list[str]
) -> Series:
    """Return a series with sensors and features in the order that is known.

    Raises:
        InvalidInputError: It has others.
    """
    if len(asked.past) != 3:
        raise FormatError(f"{asked.name}: its record does not say what it is given")
    _, sensors, features = asked.past
    if known is not None and known.named and series.named and series.sensors != known.sensors:
        place = {name: number for number, name in enumerate(series.sensors)}
        missing = [name for name in known.sensors if name not in place]
        if missing:
            raise InvalidInputError(
                f"{given}: has no {', '.join(missing[:5])}" + (", ..." if missing[5:] else "")
                + f"; {asked.name} forecasts the {len(known.sensors)} sensors it was trained on",
                hint="veml transfer fits a forecaster to other sensors",
                kind="other-sensors",
            )  # fmt: skip
        rows = [place[name] for name in known.sensors]
        left = len(series.sensors) - len(rows)
        notes.append(
            "sensors are taken by name"
            + (f"; {left} that it does not know are left out" if left else "")
        )
        series = replace(series, values=series.values[:, rows], sensors=known.sensors)
    if known is not None and known.features and series.features != known.features:
        named = series.features or ()
        absent = [name for name in known.features if name not in named]
        if absent:
            raise InvalidInputError(
                f"{given}: has no feature {', '.join(absent)}; {asked.name} looks at "
                f"{', '.join(known.features)}",
                kind="other-features",
            )
        columns = [named.index(name) for name in known.features]
        series = replace(series, values=series.values[:, :, columns], features=known.features)
    if series.values.shape[1:] != (sensors, features):
        raise InvalidInputError(
            f"{given}: {series.values.shape[1]} sensors of {series.values.shape[2]} features; "
            f"{asked.name} was trained on {sensors} of {features}",
            hint="veml transfer fits a forecaster to other sensors",
            kind="other-sensors",
        )
    return series


def _first_step(series: Series, past: int, step: int | None, in_file: bool, given: str) -> int:
    """Return the step of the day of the first row that the network sees."""
    if step is None and in_file:
        raise InvalidInputError(
            f"{given}: the network sees the time of day, and nothing says when the file begins",
            hint="--step N: steps since midnight of its first row",
            kind="no-step",
        )
    return (step or 0) + len(series.values) - past


def _target_told(repo: Repository, version: VersionId) -> str | None:
    """Return the feature that a training's record says is forecast; None where it is not known."""
    try:
        record = parse_training_record(repo.git.read_blob(version), version)
    except (NotFoundError, DamagedError, FormatError):
        return None
    said = record.config.get("train_dataloader.dataset.target")
    return said if isinstance(said, str) else None


def _last(series: Series, window: NDArray[np.float32], target: str | None) -> NDArray[np.float64]:
    """Return the last values of the feature that is forecast; NaN where nobody knows which."""
    names = series.features or ()
    row: NDArray[np.float64] = window[-1].astype(np.float64)
    place = 0 if row.shape[1] == 1 else names.index(target) if target in names else None
    last: NDArray[np.float64] = np.full(len(row), np.nan) if place is None else row[:, place]
    return last


def _checked(found: Mapping[str, NDArray[Any]], asked: _Forecaster) -> NDArray[np.float32]:
    """Return the forecast; a file may be a stranger's.

    Raises:
        FormatError: It gives none.
    """
    values = np.asarray(found.get("forecast", ()))
    if values.ndim != 2 or values.shape[1] != asked.past[1] or not np.isfinite(values).all():
        raise FormatError(
            f"{asked.name} gives a forecast of shape {values.shape}, or one that is no numbers",
            kind="cannot-run",
        )
    return values.astype(np.float32)


def document(found: Forecast) -> dict[str, Any]:
    """Return a forecast as one JSON document."""
    return {
        "by": {"kind": found.kind, "name": found.name, "version": found.version},
        "task": "forecasting",
        "data": found.data,
        "steps": found.steps,
        "last_time": found.last_time,
        "sensors": list(found.sensors),
        "forecast": [_numbers(row) for row in found.values],
    }


def csv_bytes(found: Forecast) -> bytes:
    """Return a forecast as a table: a row a step ahead, a column a sensor."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["ahead", *found.sensors])
    for ahead, row in enumerate(found.values, 1):
        rows.writerow([ahead, *_numbers(row)])
    return text.getvalue().encode("utf-8", "surrogateescape")


def _numbers(row: Sequence[Any] | NDArray[Any]) -> list[float]:
    return [float(f"{value:.6g}") for value in row]
