"""Forecasters and classifiers as files; what all tasks share is in ``test_deploy_detector``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.training.classification.class_kit import learn, make_sorted
from tests.training.engine import ENGINE
from tests.training.forecasting.test_forecast_train import SMALL, ring, wave
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
        make_sorted(place)
        (place.root / "roads").mkdir()
        (place.root / "roads/speed.csv").write_text(wave())
        (place.root / "roads/adj.csv").write_text(ring())
        place.veml("add", "roads", "--format", "tables")
        for name in ("dcrnn", "convlstm"):
            place.veml("model", "template", f"{name}-small", f"configs/{name}.py")
            place.veml("model", "add", f"configs/{name}.py")
        place.veml("commit", "-qm", "roads")
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
