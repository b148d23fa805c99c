"""Settle the training of a forecaster: its series, what of it is held back, its config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.series import Series
from veml_vcs.training.forecasting.adapt import fit_forecaster, window_settings
from veml_vcs.training.forecasting.parts import (
    ForecastParts,
    Stretch,
    WindowSettings,
    forecast_parts,
)
from veml_vcs.training.forecasting.windows import split_by_time
from veml_vcs.training.inputs import data_version
from veml_vcs.training.length import fit_length
from veml_vcs.training.plan import Part, Request
from veml_vcs.training.settled import Settled


def plan_forecast(
    repo: Repository, request: Request, config: Mapping[str, Any], notes: list[str]
) -> Settled:
    """Settle what a forecaster is trained on, and fit its config to it.

    Args:
        repo: The repository.
        request: What to train.
        config: The model's, with what ``--set`` changed; nested.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is no such data set, or its data is not here.
        ConflictError: The folder differs from the version that would be trained on.
        InvalidInputError: The data is no series, it is too short, or options contradict.
        FormatError: The series cannot be read, or the config lacks something.
    """
    if request.parts is not None:
        return _settled(repo, request, config, *request.parts, notes)
    data, record = data_version(repo, request.data, notes)
    if request.val is not None:
        raise InvalidInputError(
            "--val: a forecaster is measured on the end of the series that it is trained on",
            hint="--val-split 0.3 holds back the last 30 %",
            kind="no-other-series",
        )
    fraction = held_back(request.val_split)
    settings = window_settings(config)
    series = read(data)
    keys = series.keys
    steps = len(series.values)
    border = split_by_time(steps, fraction, settings.past, settings.ahead)
    held = {"fraction": fraction, "steps": f"{border}:{steps}"}
    return _settled(
        repo, request, config, Part(data.path, record, keys, {"steps": f"0:{border}"}),
        Part(data.path, record, keys, held), notes, series,
    )  # fmt: skip


def _settled(
    repo: Repository,
    request: Request,
    config: Mapping[str, Any],
    train: Part,
    val: Part,
    notes: list[str],
    series: Series | None = None,
) -> Settled:
    """Fit the config to what is trained on and measured on."""
    series = series or read(val.dataset(repo))
    parts = parts_of(repo, series, train, val, request.also, window_settings(config))
    notes += parts.notes
    made = fit_forecaster(config, parts)
    length = fit_length(
        made, len(parts.train), epochs=request.epochs, iterations=request.iterations
    )
    notes += length.notes
    return Settled(
        "forecasting",
        replace(train, windows=len(parts.train)),
        replace(val, windows=len(parts.val)),
        made,
        length.iterations,
        length.epochs,
    )


def parts_of(
    repo: Repository,
    series: Series,
    train: Part,
    val: Part,
    also: Sequence[Part],
    settings: WindowSettings,
) -> ForecastParts:
    """Cut series into windows as parts of data versions say it.

    Args:
        repo: The repository.
        series: What is measured on, read.
        train: What is trained on: of the same data version, or else of another, whose scale is
            taken: then nothing is trained, and this series is measured on.
        val: What is measured on.
        also: What is trained on besides.
        settings: How.

    Raises:
        NotFoundError: Data is not in this clone.
        InvalidInputError: The series do not go together, or there are too few steps.
        FormatError: A part is of no series, or a series cannot be read.
    """
    own = train.version == val.version
    others = [Stretch(read(one.dataset(repo)), *one.steps)
              for one in (*(() if own else (train,)), *also)]  # fmt: skip
    begin = train.steps[0] if own else 0
    fraction = float(val.part["fraction"])
    return forecast_parts(series, settings, fraction, begin=begin, also=others, own=own)


def read(data: Dataset) -> Series:
    """Read the series of a data version.

    Raises:
        InvalidInputError: It is none.
        FormatError: It cannot be read as one.
    """
    if data.facts.task not in ("series", "arrays", "tabular"):
        raise InvalidInputError(
            f"{data.path}: a forecaster learns from a series of sensors, not from data for "
            f"{data.facts.task}",
            hint="docs/formats.md: series with a graph",
            kind="other-task",
        )
    return data.series()


def held_back(text: str) -> float:
    """Return the part of a series that is held back.

    Raises:
        InvalidInputError: It is no number.
    """
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(
            f"--val-split {text}: the end of a series is held back: expected a part such as 0.2",
            kind="unknown-split",
        ) from None
