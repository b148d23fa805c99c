"""``veml train`` as it is typed: in a terminal, in several processes, with the full-size model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROGRAM, Place, place  # noqa: F401
from tests.training.engine import ENGINE
from tests.training.kit import make_cells

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]

SHORT = ("--set", "train_cfg.val_interval=100", "--data", "cells", "--model", "small")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@pytest.fixture
def cells(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:  # noqa: F811
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    make_cells(place)
    return place


def test_as_typed(cells: Place) -> None:
    done = cells.program("train", *SHORT, "--iterations", "4", "--name", "night/one")
    assert done.code == 0, done.err
    assert "training night/one" in done.out
    assert "staged: trainings/night/one.veml" in done.out
    assert "iteration 4: mAP 0.0" in done.err
    for word in ("Warning", "loading annotations", "mmengine", "Traceback"):
        assert word not in done.err + done.out
    assert cells.git("status", "--short").split() == ["A", "trainings/night/one.veml"]
    shown = cells.veml("training", "show", "night/one").out
    assert "mAP50" in shown
    assert cells.veml("commit", "-qm", "trained").code == 0
    again = cells.program("train", *SHORT, "--iterations", "4", "--name", "night/one", "--json")
    found = json.loads(again.out)
    assert (found["status"], found["iterations"]) == ("complete", 4)
    assert cells.git("status", "--short") == ""  # the same version


def start(cells: Place, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(PROGRAM), "train", *arguments],
        cwd=cells.root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "VEML_PROGRESS": "plain"},
        start_new_session=True,
    )


def wait_for_a_step(child: subprocess.Popen[str]) -> None:
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("iteration 1/"):
            return
    raise AssertionError(f"it ended with {child.wait()}")


def test_ctrl_c_with_workers(cells: Place) -> None:
    """Of a terminal Ctrl-C reaches every process of the group, those that load images too.

    Seen to fail (each of them answered) without ``ignore_interrupts``.
    """
    child = start(cells, *SHORT, "--workers", "2", "--iterations", "400")
    wait_for_a_step(child)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=300)
    assert child.returncode == 130, err
    assert err.count("stopping after this step") == 1
    assert "the weights so far are recorded as partial" in out
    assert "go on: veml train --resume --name small" in out
    record = json.loads((cells.root / "trainings/small.veml").read_text())
    assert record["status"] == "partial"
    assert "metrics" not in record
    busy = cells.program("train", "--resume", "--data", "cells")
    assert busy.code == 128
    assert "are settled" in busy.err


def test_one_process_at_a_time(cells: Place) -> None:
    child = start(cells, *SHORT, "--iterations", "400")
    try:
        wait_for_a_step(child)
        other = cells.program("train", *SHORT, "--iterations", "1")
        assert other.code == 1
        assert "was interrupted and can go on" in other.err
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def test_two_processes(cells: Place) -> None:
    """The documented command: torchrun, gloo, and one record."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
              "--standalone", "--no-python"]  # fmt: skip
    done = subprocess.run(
        [*launch, str(PROGRAM), "train", "--launcher", "pytorch", *SHORT, "--iterations", "3"],
        cwd=cells.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("training small") == 1
    assert done.stderr.count("iteration 3: mAP") == 1
    record = json.loads((cells.root / "trainings/small.veml").read_text())
    assert record["determinism"]["processes"] == 2
    assert record["iterations"] == 3
    assert record["predictions"]["samples"] == 4


def test_a_launcher_that_did_not_start_it(cells: Place) -> None:
    done = cells.program("train", *SHORT, "--launcher", "pytorch")
    assert done.code == 128
    assert "was not started by it" in done.err


def test_the_full_size_model_takes_a_step(cells: Place) -> None:
    """Faster R-CNN R50-FPN, 12 epochs, as the paper has it: built, one step, on small images.

    Weights of ImageNet would be downloaded; a size of 320 pixels, or it takes minutes.
    """
    cells.veml("model", "template", "faster-rcnn-r50-fpn", "configs/full.py")
    cells.veml("model", "add", "-q", "configs/full.py")
    done = cells.program(
        "train", "--data", "cells", "--model", "full", "--iterations", "1",
        "--val-split", "0.05", "--set", "model.backbone.init_cfg=None",
        "--set", "train_dataloader.dataset.pipeline.2.scale=[320, 240]", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    assert found["iterations"] == 1
    record = json.loads((cells.root / "trainings/full.veml").read_text())
    assert record["checkpoint"]["parameters"] == 41_358_431


def test_no_network(cells: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published weights that cannot be had are told, not a bug."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("TORCH_HOME", str(cells.root.parent / "none"))
    done = cells.program(
        "train", *SHORT, "--iterations", "1", "--set",
        'model.backbone.init_cfg={"type": "Pretrained", "checkpoint": "torchvision://resnet18"}',
    )  # fmt: skip
    assert done.code == 128, done.err
    assert "the weights that the config begins with cannot be had (model.backbone" in done.err
    assert "--set model.backbone.init_cfg=None begins at random" in done.err
    assert not Path(cells.root / "trainings").exists()
