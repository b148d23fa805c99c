"""A trained detector becomes a file: compared with its checkpoint, measured, run without veml."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Place
from tests.deployment.kit import picture
from tests.training.engine import ENGINE
from tests.training.kit import make_cells, place_for, run
from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError, VemlError
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (extra [export])")

from veml_vcs.deployment.deploy import DeployRequest, Exported, export
from veml_vcs.deployment.onnx_file import OnnxRunner, refuse_unsafe


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_for(tmp_path_factory, "deployed") as place:
        make_cells(place)
        run(place, name="first", iterations=20)
        yield place


def exported(cells: Place, **said: object) -> Exported:
    with Repository(str(cells.root)) as repo:
        return export(repo, replace(DeployRequest("first", threads=1, runs=3), **said))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def onnx_file(cells: Place) -> Exported:
    return exported(cells)


@pytest.fixture(scope="module")
def script_file(cells: Place) -> Exported:
    return exported(cells, format="torchscript")


def test_it_says_what_the_checkpoint_says(cells: Place, onnx_file: Exported) -> None:
    outcome = onnx_file.outcome
    assert outcome.parity is not None
    assert outcome.parity.holds
    assert outcome.parity.samples == 4
    assert 0 < outcome.parity.largest["boxes"] < 0.01
    assert outcome.metrics == pytest.approx(outcome.checkpoint_metrics, abs=1e-3)
    with Repository(str(cells.root)) as repo:
        training = open_training(repo, "first")
        assert outcome.checkpoint_metrics == training.record.metrics
        assert outcome.training.version == training.id
        assert outcome.training.checkpoint == training.record.checkpoint.tree
        assert {one.path: one.role for one in outcome.data} == {"cells": "val"}
        assert outcome.data[0] == training.record.data[1]
        assert outcome.predictions["cells"].keys() == training.predictions()["cells"].keys()
    assert outcome.classes == ("Platelets", "RBC", "WBC")
    assert outcome.latency is not None
    assert (outcome.latency.threads, outcome.latency.batch) == (1, 1)
    assert outcome.latency.median_ms <= outcome.latency.p95_ms


def test_the_file_says_what_it_is(cells: Place, onnx_file: Exported, script_file: Exported) -> None:
    about = OnnxRunner(onnx_file.file, "first").about
    assert json.loads(about["classes"]) == ["Platelets", "RBC", "WBC"]
    assert about["task"] == "detection"
    assert "red first" in about["preprocess.image"]
    assert about["training"] == onnx_file.outcome.training.version
    for data in (onnx_file.file, script_file.file):
        for place in (str(cells.root), str(Path(__file__).parents[2]), "site-packages"):
            assert place.encode() not in data


def test_the_same_training_gives_the_same_file(cells: Place, onnx_file: Exported) -> None:
    """TorchScript's names count up within a process, so its bytes are only equal from process to
    process."""
    assert exported(cells).file == onnx_file.file


def test_a_file_that_says_something_else_is_refused(cells: Place) -> None:
    """No two programs agree to the last digit, so a tolerance of nothing is never held."""
    with pytest.raises(VemlError, match=r"by .* pixels at most \(allowed 0\)") as error:
        exported(cells, tolerance=0.0)
    assert error.value.kind == "no-parity"
    assert "--force" in str(error.value.hint)
    forced = exported(cells, tolerance=0.0, force=True)
    assert forced.outcome.parity is not None
    assert not forced.outcome.parity.holds
    assert any(note.startswith("forced: ") for note in forced.notes)


ALONE = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(name + " is not here")
sys.meta_path.insert(0, Nothing())
import numpy as np
image = np.load({image!r})
{body}
np.savez({target!r}, boxes=boxes, scores=scores, labels=labels)
"""
ONNX_ALONE = """
import onnxruntime
session = onnxruntime.InferenceSession({file!r}, providers=["CPUExecutionProvider"])
boxes, scores, labels = session.run(None, {{"image": image}})
"""
TORCH_ALONE = """
import torch
boxes, scores, labels = (one.numpy() for one in torch.jit.load({file!r})(torch.from_numpy(image)))
"""
VEML_AND_ENGINE = ("veml_vcs", "veml_cli", "mmdet", "mmengine", "mmcv", "torchvision")


@pytest.mark.parametrize("kind", ["onnx", "torchscript"])
def test_the_file_runs_alone(
    tmp_path: Path, kind: str, onnx_file: Exported, script_file: Exported
) -> None:
    """In a process that has neither veml nor MMDetection (and, for ONNX, no PyTorch)."""
    made = onnx_file if kind == "onnx" else script_file
    image, file, target = (tmp_path / name for name in ("image.npy", "file", "said.npz"))
    file.write_bytes(made.file)
    np.save(image, picture(200, 150))
    body = (ONNX_ALONE if kind == "onnx" else TORCH_ALONE).format(file=str(file))
    blocked = (*VEML_AND_ENGINE, "torch") if kind == "onnx" else VEML_AND_ENGINE
    script = ALONE.format(blocked=blocked, image=str(image), target=str(target), body=body)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    wanted = OnnxRunner(onnx_file.file, "first", 1).run({"image": picture(200, 150)})
    with np.load(target) as found:
        assert len(found["scores"]) > 0
        for name in ("boxes", "scores", "labels"):
            np.testing.assert_allclose(found[name], wanted[name], atol=1e-2)


def test_quantised_files_are_smaller_and_measured(cells: Place, onnx_file: Exported) -> None:
    whole, wanted = len(onnx_file.file), onnx_file.outcome.metrics["mAP50"]
    for quantisation, part in (("fp16", 0.6), ("int8", 0.7)):
        made = exported(cells, quantisation=quantisation)
        assert len(made.file) < part * whole
        assert made.outcome.quantisation == quantisation
        assert made.outcome.parity is None, "it is not what the checkpoint says, and does not claim"
        assert made.outcome.checkpoint_metrics == onnx_file.outcome.checkpoint_metrics
        assert made.outcome.metrics["mAP50"] == pytest.approx(wanted, abs=0.05)
    with pytest.raises(InvalidInputError, match="only ONNX"):
        exported(cells, quantisation="fp16", format="torchscript")


def test_other_data(cells: Place) -> None:
    made = exported(cells, data="cells")
    assert made.outcome.data[0].samples == 20
    assert any(note.startswith("16 of 20 samples of cells were trained on") for note in made.notes)


def test_what_cannot_be_deployed(cells: Place) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        exported(cells, training="nowhere")
    with pytest.raises(InvalidInputError, match="--threads 0"):
        exported(cells, threads=0)
    cells.veml("training", "export", "first", "-o", "first.safetensors")
    cells.veml("training", "add", "first.safetensors", "--name", "elsewhere", "--model", "small",
               "--data", "cells")  # fmt: skip
    with pytest.raises(NotFoundError, match="names no data that it was measured on"):
        exported(cells, training="elsewhere")
    with pytest.raises(InvalidInputError, match="which classes"):
        exported(cells, training="elsewhere", data="cells")


def test_hostile_files(onnx_file: Exported) -> None:
    """Each of them is loaded by onnxruntime, or makes it open a file, without ``refuse_unsafe``."""
    import onnx

    def changed(data: bytes) -> onnx.ModelProto:
        return onnx.load_model_from_string(data)

    outside = changed(onnx_file.file)
    tensor = outside.graph.initializer[2]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    with pytest.raises(FormatError, match="lies in another file") as error:
        OnnxRunner(outside.SerializeToString(), "hostile")
    assert error.value.kind == "not-trusted"

    foreign = changed(onnx_file.file)
    foreign.graph.node[0].domain = "somebodys.own"
    with pytest.raises(FormatError, match=r"operators of 'somebodys\.own'"):
        refuse_unsafe(foreign.SerializeToString(), "hostile")

    hidden = changed(onnx_file.file)
    inner = onnx.helper.make_graph([], "inner", [], [])
    inner.initializer.append(tensor)
    node = onnx.helper.make_node("If", ["x"], [], then_branch=inner, else_branch=inner)
    hidden.graph.node.append(node)
    with pytest.raises(FormatError, match="lies in another file"):
        refuse_unsafe(hidden.SerializeToString(), "hostile")

    for data in (b"", b"\x80\x04no", onnx_file.file[: len(onnx_file.file) // 2]):
        with pytest.raises(FormatError, match="hostile"):
            OnnxRunner(data, "hostile")
