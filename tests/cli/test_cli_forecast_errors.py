"""``veml training errors`` of a forecaster: tables from what its training kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.repository.kit import Project
from tests.repository.trainings import made, outcome
from veml_vcs.repository import Repository
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.trainings.forecasts import (
    ERRORS_KEY,
    errors_said,
    forecast_said,
    window_key,
)

ERRORS = np.array([[2.0, 4.0, 0.0], [6.0, 8.0, 0.0]])
KNOWN = np.array([[2, 2, 0], [2, 2, 0]])
TABLE = errors_said(["north", "south", "silent"], 3, ERRORS, KNOWN)
SAID = {
    ERRORS_KEY: TABLE,
    window_key(12): forecast_said(12, np.zeros((2, 3)), 1.5),
    window_key(14): forecast_said(14, np.full((2, 3), 1 / 3), 3.25),
    window_key(16): forecast_said(16, np.zeros((2, 3)), float("nan")),
}


def write(place: Place, said: dict[str, Annotation], name: str) -> None:
    with Repository(str(place.root)) as repo:
        run = outcome(repo, predictions={"data": said}, per_class={})
        write_training(repo, replace(run, task="forecasting"), name, force=True)


@pytest.fixture
def speed(place: Place) -> Place:
    made(Project(place.root)).close()
    write(place, SAID, "speed")
    return place


def test_means(speed: Place) -> None:
    found = speed.veml("training", "errors", "speed", "--json").json()
    assert (found["task"], found["windows"], found["mae"]) == ("forecasting", 3, 2.5)
    assert [one["mae"] for one in found["ahead"]] == [1.5, 3.5]
    assert [(one["sensor"], one["mae"], one["values"]) for one in found["sensors"]] == [
        ("south", 3, 4), ("north", 2, 4), ("silent", None, 0),
    ]  # fmt: skip
    assert found["table"] == [[1, 2, None], [3, 4, None]]
    assert [(one["step"], one["mae"]) for one in found["worst"]] == [(14, 3.25), (12, 1.5)]
    with Repository(str(speed.root)) as repo:
        kept = repo.training("speed").predictions()["data"][window_key(14)]
    assert kept["forecast"] == [[0.3333] * 3] * 2


def test_the_view(speed: Place) -> None:
    told = speed.veml("training", "errors", "speed", "--worst", "1").out
    assert told.startswith("training speed  on 3 windows: MAE 2.5")
    assert "south" in told
    assert "north" not in told
    assert "2 sensors more" in told
    assert (
        "--plot draws images"
        in speed.veml("training", "errors", "speed", "--plot", "a.png", code=None).err
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({ERRORS_KEY: {}}, "no table of errors"),
        ({ERRORS_KEY: {**TABLE, "sensors": ["one"]}}, "table of errors is of the shapes"),
        ({ERRORS_KEY: {**TABLE, "known": [[-1, 1, 1], [1, 1, 1]]}}, "table of errors"),
        ({window_key(14): {"step": "x", "mae": 1}}, "is no forecast"),
    ],
)
def test_what_is_no_forecasts(speed: Place, change: dict[str, Any], message: str) -> None:
    write(speed, {**SAID, **change}, "wrong")
    assert message in speed.veml("training", "errors", "wrong", code=None).err
