"""Inference versions made by hand, for tests: bytes that stand for an export, and detections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.repository.kit import Project
from tests.repository.trainings import made as trainable
from tests.repository.trainings import outcome as training_outcome
from tests.repository.trainings import prepared as prepared_training
from tests.repository.trainings import uses
from veml_vcs.repository import Repository
from veml_vcs.repository.inferences.write import WrittenInference, write_inference
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.trainings.write import write_training
from veml_vcs.versions.inferences import InferenceOutcome, Latency, Parity, TrainingUse
from veml_vcs.versions.trainings import detections

EXPORTED = b"\x08\x08\x12\x04veml" + np.random.default_rng(5).bytes(50_000)
LATENCY = Latency(12.5, 15.25, 1, 2, "Some CPU @ 2.00GHz", 5, 50)


def made(project: Project) -> Project:
    """Give a project data, a model and the training 'night', in one commit."""
    trainable(project)
    write_training(project.repo, training_outcome(project.repo), "night")
    project.git("commit", "-qm", "night")
    project.reopen()
    return project


def prepared(project: Project) -> None:
    """The same, staged."""
    prepared_training(project)
    write_training(project.repo, training_outcome(project.repo), "night")


def outcome(repo: Repository, **changes: Any) -> InferenceOutcome:
    """Return what a deployment of 'night' knows."""
    training = open_training(repo, "night")
    said = detections(
        np.array([[3.0, 4, 12, 16], [30, 30, 40, 41]]), np.array([0.25, 0.875]), ["dog", "car"]
    )
    found = InferenceOutcome(
        training=TrainingUse("night", training.id, training.record.checkpoint.tree),
        task="detection",
        format="onnx",
        classes=("car", "dog"),
        inputs={"image": (1, 3, 160, -1)},
        preprocess={"mean": [123.5, 116.25, 103.5], "size": 160},
        postprocess={"score": 0.05},
        opset=17,
        libraries={"onnx": "1.17.0"},
        data=changes.pop("uses", None) or uses(repo)[1:],
        parity=Parity({"boxes": 0.001, "scores": 1e-6}, {"boxes": 0.5, "scores": 0.01}, 1),
        metrics={"mAP": 0.5},
        per_class={"car": {"AP": 0.5}, "dog": {"AP": float("nan")}},
        checkpoint_metrics={"mAP": 0.5625},
        latency=LATENCY,
        predictions={"data": {"images/0001.png": said}},
    )
    return replace(found, **changes)


def write(
    repo: Repository, folder: Path, name: str = "fast", *, data: bytes = EXPORTED, **changes: Any
) -> WrittenInference:
    """Write an inference version whose file is taken from a folder outside of the repository."""
    how = {key: changes.pop(key) for key in ("force", "remeasured") if key in changes}
    file = folder / "exported.onnx"
    file.write_bytes(data)
    return write_inference(repo, outcome(repo, **changes), file, name, **how)
