"""How a source was deployed is taken over with its lifecycle; what goes wrong costs no training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.training.classification.class_kit import learn, make_sorted
from tests.training.engine import TORCHVISION
from tests.training.kit import place_for
from veml_vcs.repository.inferences.versions import open_inference
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training

pytestmark = [pytest.mark.ml, pytest.mark.slow, TORCHVISION]
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra [export])")

from veml_vcs.lifecycle.deployed import deploy_alike, deployments_of, names_alike

TAKE = ("transfer", "new", "--from", "first", "--iterations", "2", "--name", "second")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Training ``first`` of ``sorted``, deployed twice; ``new`` is some of it again."""
    with place_for(tmp_path_factory, "deployed") as place:
        make_sorted(place)
        learn(place, name="first", epochs=1)
        place.veml("deploy", "-q", "first", "--quantize", "fp16", "--name", "small", "--runs", "1")
        place.veml("deploy", "-q", "first", "--name", "whole", "--runs", "1")
        shutil.copytree(place.root / "sorted", place.root / "new")
        for path in sorted((place.root / "new").rglob("*.png"))[::2]:
            path.unlink()
        place.veml("add", "-q", "new")
        place.veml("commit", "-qm", "first, deployed")
        yield place.root


def test_it_is_deployed_as_its_source_was(cells: Place) -> None:
    told = cells.veml(*TAKE, "--dry-run").out
    assert "deployed as onnx (whole)" in told
    assert "deployed as onnx fp16 (small)" in told
    ways = cells.veml(*TAKE, "--dry-run", "--json").json()["chosen"][0]["deployed"]
    assert [(one["format"], one["quantisation"]) for one in ways] == [
        ("onnx", "none"), ("onnx", "fp16"),
    ]  # fmt: skip
    done = cells.veml(*TAKE)
    assert "inference second " in done.out
    with Repository(str(cells.root)) as repo:
        second = open_training(repo, "second").id
        for name, quantisation in (("second", "none"), ("second-onnx-fp16", "fp16")):
            record = open_inference(repo, name).record
            assert (record.training.version, record.quantisation) == (second, quantisation)
    again = cells.veml(*TAKE, "--resume").out
    assert again.count("(done before)") == 3


def test_no_deploy_leaves_it(cells: Place) -> None:
    assert "deployed as" not in cells.veml(*TAKE, "--dry-run", "--no-deploy").out
    cells.veml(*TAKE, "--no-deploy", "-q")
    assert not (cells.root / "inferences/second.veml").exists()
    with Repository(str(cells.root)) as repo:
        assert deployments_of(repo, open_training(repo, "second").id) == ()


def test_what_cannot_be_deployed_is_told_and_loses_nothing(cells: Place) -> None:
    """A name that is taken is said before anything is trained; one taken meanwhile, after it."""
    place = cells.root / "inferences/second.veml"
    place.write_text("mine")
    told = cells.veml(*TAKE, code=None)
    assert told.code == 1
    assert "another file is" in told.err
    assert not (cells.root / "trainings/second.veml").exists()
    place.unlink()
    cells.veml(*TAKE, "-q", "--no-deploy")
    place.write_text("mine")
    with Repository(str(cells.root)) as repo:
        ways = deployments_of(repo, open_training(repo, "first").id)
        assert names_alike("second", ways) == ("second", "second-onnx-fp16")
        first, other = deploy_alike(repo, "second", ways)
        assert first.deployed is None
        assert "another file is" in first.problem
        assert first.hint == "once more: veml deploy second --name second --format onnx"
        assert other.deployed is not None
        assert open_training(repo, "second").record.status == "complete"
    assert place.read_text() == "mine"
    told = cells.veml(*TAKE, "--resume", code=1)
    assert "not deployed as onnx: " in told.err


def test_a_file_that_says_something_else_is_told(cells: Place) -> None:
    """Its checkpoint is whole, and so is the training.

    A tolerance of less than nothing is never kept: real files differ in the last digits or not.
    """
    cells.veml(*TAKE, "-q", "--no-deploy")
    with Repository(str(cells.root)) as repo:
        ways = deployments_of(repo, open_training(repo, "first").id)[:1]
        (found,) = deploy_alike(repo, "second", ways, tolerance=-1.0)
        assert found.deployed is None
        assert "nothing was written" in found.problem
        assert open_training(repo, "second").record.metrics
    assert not (cells.root / "inferences/second.veml").exists()
