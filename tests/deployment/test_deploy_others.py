"""Forecasters and classifiers as files; what all tasks share is in ``test_deploy_detector``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.training.classification.class_kit import learn, make_sorted
from tests.training.engine import ENGINE
from tests.training.forecasting.road_kit import SMALL, make_roads, wave
from tests.training.kit import place_for, run
from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.repository.repository import Repository

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra [export])")

from veml_vcs.deployment.deploy import DeployRequest, Exported, export
from veml_vcs.deployment.onnx_file import OnnxRunner
from veml_vcs.versions.inferences.outcome import ExportFormat


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_for(tmp_path_factory, "others") as place:
        make_roads(place)
        make_sorted(place)
        yield place


def made(place: Place, training: str, kind: ExportFormat = "onnx", **rest: object) -> Exported:
    with Repository(str(place.root)) as repo:
        return export(repo, DeployRequest(training, format=kind, threads=1, runs=2, **rest))  # type: ignore[arg-type]


@pytest.mark.parametrize("network", ["dcrnn", "convlstm"])
@pytest.mark.parametrize("kind", ["onnx", "torchscript"])
def test_forecasters(place: Place, network: str, kind: ExportFormat) -> None:
    """The graph is in the file: a DCRNN needs nothing but values."""
    day = "train_dataloader.dataset.steps_per_day=24"
    run(place, *SMALL, day, data="roads", model=network, iterations=3, name=network)
    outcome = made(place, network, kind).outcome
    assert outcome.parity is not None
    assert outcome.parity.holds
    assert outcome.metrics == pytest.approx(outcome.checkpoint_metrics, rel=1e-4)
    assert outcome.metrics["MAE"] > 0
    assert outcome.inputs == {"past": (4, 12, 1), "step": (1,)}


def test_what_follows_a_series(place: Place) -> None:
    """The file and the checkpoint say the same, of a data version and of a file of its last rows.

    Columns are taken by name: seen to fail without ``_fitting``'s order.
    """
    run(place, *SMALL, data="roads", model="convlstm", iterations=2, name="next")
    place.veml("deploy", "next", "--runs", "1", "--threads", "1")
    said = place.veml("predict", "next", "roads", "--json", "--csv", "next.csv").json()
    assert (said["by"]["kind"], said["steps"], said["task"]) == ("inference", 300, "forecasting")
    values = np.array(said["forecast"])
    assert values.shape == (4, 12)
    table = [row.split(",") for row in (place.root / "next.csv").read_text().splitlines()]
    assert table[0] == ["ahead", *said["sensors"]]
    assert [[float(one) for one in row[1:]] for row in table[1:]] == said["forecast"]
    again = place.veml("predict", "next", "roads", "--json", "--training").json()
    assert again["by"]["kind"] == "training"
    np.testing.assert_allclose(again["forecast"], values, rtol=1e-4)
    rows = [row.split(",") for row in wave().splitlines()]
    order = [3, *(one for one in range(12) if one != 3)]
    turned = [[row[one] for one in order] for row in [rows[0], *rows[-6:]]]
    (place.root / "last.csv").write_text("".join(",".join(row) + "\n" for row in turned))
    done = place.veml("predict", "next", "last.csv", "--json")
    assert "taken by name" in done.err
    assert done.json()["forecast"] == said["forecast"]
    shown = place.veml("predict", "next", "roads", "--most", "2").out
    assert "4 steps after the 300 of roads" in shown
    assert "and 10 sensors more" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("roads", "--errors"), "--errors: quick is a forecaster"),
        (("roads", "--score", "0.5"), "--score: quick is a forecaster"),
        (("roads", "roads"), "expected one series, found 2"),
        (("short.csv",), "3 steps; quick looks at the last 4"),
        (("other.csv",), "has no s7, s8, s9, s10, s11; quick forecasts the 12 sensors"),
        (("unnamed.csv",), "7 sensors of 1 features; quick was trained on 12 of 1"),
        (("roads", "--step", "3"), "--step: quick does not see the time of day"),
        (("sorted",), "sorted: no series"),
    ],
)  # fmt: skip
def test_no_forecast_of_what_is_no_such_series(
    place: Place, arguments: tuple[str, ...], told: str
) -> None:
    if not (place.root / "trainings/quick.veml").exists():
        run(place, *SMALL, data="roads", model="convlstm", iterations=1, name="quick")
    (place.root / "short.csv").write_text(wave(3))
    (place.root / "other.csv").write_text(wave(9, 7))
    (place.root / "unnamed.csv").write_text(wave(9, 7).partition("\n")[2])
    assert told in place.veml("predict", "quick", *arguments, code=128).err


def test_the_time_of_day_of_a_file_has_to_be_said(place: Place) -> None:
    day = "train_dataloader.dataset.steps_per_day=24"
    run(place, *SMALL, day, data="roads", model="convlstm", iterations=1, name="clock")
    (place.root / "day.csv").write_text(wave())
    assert "nothing says when" in place.veml("predict", "clock", "day.csv", code=128).err
    said = place.veml("predict", "clock", "roads", "--json").json()["forecast"]
    for step, same in (("0", True), ("48", True), ("7", False)):
        found = place.veml("predict", "clock", "day.csv", "--step", step, "--json").json()
        assert (found["forecast"] == said) is same


def test_missing_values_are_filled_in_the_file(place: Place) -> None:
    """As in training: the last known value, or the mean if there is none before."""
    missing = "train_dataloader.dataset.missing=[0]"
    run(place, *SMALL, missing, data="roads", model="dcrnn", iterations=2, name="gaps")
    file = OnnxRunner(made(place, "gaps").file, "gaps")
    past = np.linspace(30, 50, 48, dtype=np.float32).reshape(4, 12, 1)
    whole = past.copy()
    past[1, 3], past[2, 3] = np.nan, 0.0
    whole[1, 3] = whole[2, 3] = past[0, 3]
    said = file.run({"past": past})["forecast"]
    np.testing.assert_array_equal(said, file.run({"past": whole})["forecast"])
    past[:, 5] = np.nan
    assert np.isfinite(file.run({"past": past})["forecast"]).all()


def test_a_forecaster_is_measured_on_its_own_series(place: Place) -> None:
    run(place, *SMALL, data="roads", model="dcrnn", iterations=2, name="own")
    with pytest.raises(InvalidInputError, match="end of the series"):
        made(place, "own", data="roads")


def test_classifiers(place: Place) -> None:
    """Resizing in the file is torchvision's to two levels of brightness."""
    learn(place)
    for kind in ("onnx", "torchscript"):
        outcome = made(place, "small", kind).outcome  # type: ignore[arg-type]
        assert outcome.parity is not None
        assert outcome.parity.holds
        assert outcome.metrics == pytest.approx(outcome.checkpoint_metrics, abs=0.05)
        assert outcome.predictions["sorted"]


def test_a_classifier_on_larger_images(place: Place) -> None:
    """Shorter side, middle; down and up."""
    import torch
    from torchvision.transforms import v2

    from veml_vcs.deployment.classification.network import _cropped, _resized

    random = np.random.default_rng(0)
    for size in ((90, 130), (41, 33), (20, 30)):
        image = torch.from_numpy(random.integers(0, 256, (3, *size)).astype(np.uint8))
        wanted = v2.Resize(40)(image)
        found = _resized(image.float(), 40, None)
        assert found.shape == wanted.shape
        assert (found - wanted.float()).abs().max() <= 2
        for crop in ((24, 24), (50, 44)):
            cropped = _cropped(wanted.float(), *crop)
            assert torch.equal(cropped, v2.CenterCrop(crop)(wanted).float())
        assert (_resized(image.float(), 30, 20) - v2.Resize((30, 20))(image)).abs().max() <= 2


def test_a_pipeline_that_no_file_can_do(place: Place) -> None:
    from veml_vcs.deployment.classification.network import _step

    for said in ({"type": "Grayscale"}, {"type": "Resize", "size": 4, "antialias": False},
                 {"type": "Resize", "size": [1, 2, 3]}):  # fmt: skip
        with pytest.raises(FormatError) as error:
            _step(said)
        assert error.value.kind == "cannot-export"
