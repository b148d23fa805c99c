"""Settle the training of a forecaster: its series, what of it is held back, its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.series import Series
from veml_vcs.training.forecasting.adapt import fit_forecaster, window_settings
from veml_vcs.training.forecasting.parts import forecast_parts
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
    parts = forecast_parts(series, settings, fraction)
    notes += parts.notes
    made = fit_forecaster(config, parts)
    length = fit_length(
        made, len(parts.train), epochs=request.epochs, iterations=request.iterations
    )
    notes += length.notes
    keys = (*series.files, *([series.graph] if series.graph else []))
    steps = len(series.values)
    held = {"fraction": fraction, "steps": f"{parts.border}:{steps}"}
    return Settled(
        "forecasting",
        Part(data.path, record, keys, {"steps": f"0:{parts.border}"}, len(parts.train)),
        Part(data.path, record, keys, held, len(parts.val)),
        made,
        length.iterations,
        length.epochs,
    )


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
