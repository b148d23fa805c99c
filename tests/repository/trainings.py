"""Trainings made by hand, for tests: small tensors, a log, detections, over a real data version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.repository.kit import Project, coco, small_model
from veml_vcs.ids import VersionId
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.models.add import add_model
from veml_vcs.samples.tensors import Checkpoint, Tensor
from veml_vcs.versions.trainings import (
    DataUse,
    ModelUse,
    TrainingOutcome,
    detections,
    log_columns,
)

CONFIG = (
    b"model = dict(type='FasterRCNN', backbone=dict(type='ResNet', depth=18))\n"
    b"optim_wrapper = dict(optimizer=dict(type='AdamW', lr=0.001))\n"
)


def made(project: Project) -> Project:
    """Give a project a data set ``data`` with boxes and a model ``detector``, in one commit."""
    prepared(project)
    project.save("data", "configs")
    return project


def prepared(project: Project) -> None:
    """The same, staged."""
    project.write(coco(small_model(4)), "data")
    project.write({"detector.py": CONFIG}, "configs")
    project.add("data")
    add_model(project.repo, str(project.path("configs/detector.py")), "detector")


def tensor(values: Any) -> Tensor:
    array = np.asarray(values, np.float32)
    return Tensor("F32", array.shape, array.tobytes())


def weights(seed: int = 0, head: int | None = None) -> Checkpoint:
    """Return a backbone and a head; the head by a seed of its own."""
    body, top = np.random.default_rng(seed), np.random.default_rng(seed if head is None else head)
    return Checkpoint(
        {
            "backbone.weight": tensor(body.normal(size=(64, 64))),
            "backbone.steps": Tensor("I64", (), np.int64(seed).tobytes()),
            "head.bias": tensor(top.normal(size=4)),
            "head.weight": tensor(top.normal(size=(4, 64))),
        }
    )


def uses(repo: Repository, path: str = "data") -> tuple[DataUse, ...]:
    record = repo.record_at(path, None)
    version = blob_id(record.to_bytes())
    return (
        DataUse(path, version, record.tree, "train", 3, {"seed": 0, "fraction": 0.75}),
        DataUse(path, version, record.tree, "val", 1, {"seed": 0, "fraction": 0.25}),
    )


def model_version(repo: Repository, name: str = "detector") -> VersionId:
    from veml_vcs.repository.models.versions import open_model

    return open_model(repo, name).id


def outcome(repo: Repository, **changes: Any) -> TrainingOutcome:
    """Return what a short run on ``data`` knows."""
    said = detections(
        np.array([[3.0, 4, 12, 16], [30, 30, 40, 40.5]]), np.array([0.25, 0.875]), ["dog", "car"]
    )
    rows: list[dict[str, float]] = [
        {"iteration": 1, "epoch": 1, "loss": 2.5},
        {"iteration": 2, "epoch": 1, "loss": 1.5},
        {"iteration": 2, "epoch": 1, "mAP": 0.25},
        {"iteration": 3, "epoch": 2, "loss": 1.0},
        {"iteration": 4, "epoch": 2, "loss": 0.75},
        {"iteration": 4, "epoch": 2, "mAP": 0.5},
    ]
    found = TrainingOutcome(
        task="detection",
        model=ModelUse("detector", model_version(repo)),
        data=uses(repo) if "data" not in changes else (),
        checkpoint=weights(),
        config={"optim_wrapper.optimizer.lr": 0.001, "train_cfg.max_epochs": 2},
        seed=0,
        determinism={"deterministic": True},
        libraries={"torch": "2.14.1"},
        epochs=2,
        iterations=4,
        parameters=4356,
        metrics={"mAP": 0.5, "mAP_50": 0.75},
        per_class={"car": {"AP": 0.5}, "dog": {"AP": float("nan")}},
        log=log_columns(rows),
        predictions={"data": {"images/0001.png": said}},
    )
    return replace(found, **changes)
