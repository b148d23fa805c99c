"""Records of trainings: one form, and what a reader refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.hostile.test_fuzz_training_records import SOUND, TREE
from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import (
    CheckpointFacts,
    Initial,
    ModelUse,
    TrainingRecord,
    detections,
    log_columns,
    parse_training_record,
)

SMALL = b"""{
 "checkpoint": {
  "bytes": 4000,
  "tensors": 10,
  "tree": "%s"
 },
 "data": [
  {"path": "images/train", "role": "train", "samples": 80, "tree": "%s", "version": "%s", \
"part": {}}
 ],
 "initial": {
  "kind": "random"
 },
 "kind": "training",
 "model": {
  "name": "detector",
  "version": "%s"
 },
 "status": "complete",
 "task": "detection",
 "veml": 1
}
""" % (TREE.hex().encode(), TREE.hex().encode(), b"ab" * 20, b"ab" * 20)


def test_the_least_that_a_record_says() -> None:
    found = parse_training_record(SMALL, "x")
    again = found.to_bytes()
    assert again == SMALL.replace(b', "part": {}', b"")
    assert TRAINING.is_record(again)
    assert found == TrainingRecord(
        task="detection",
        model=ModelUse("detector", found.model.version),
        data=found.data,
        checkpoint=CheckpointFacts(TREE, 10, 4000),
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("task", "chess"),
        ("status", None),
        ("seed", -1),
        ("seed", True),
        ("epochs", 1.5),
        ("data", []),
        ("data.0.path", "../x"),
        ("data.0.path", "/x"),
        ("data.0.path", "a/.git"),
        ("data.0.role", "test"),
        ("data.0.version", "ab"),
        ("data.0.tree", "AB" * 32),
        ("data.0.samples", 1 << 63),
        ("data.0.other", 1),
        ("model.name", "../../x"),
        ("model.name", "a@b"),
        ("initial", {"kind": "training", "name": "x"}),
        ("initial", {"kind": "random", "name": "x"}),
        ("initial.name", ".git/x"),
        ("checkpoint.tree", 7),
        ("checkpoint.parameters", "many"),
        ("config", {"a": 1, "a.b": 2}),
        ("libraries", {"torch": 2}),
        ("metrics.mAP", "high"),
        ("metrics.mAP", None),
        ("metrics.mAP", 10**400),
        ("metrics.mAP", True),
        ("per_class.car", [1]),
        ("log.columns", ["loss", "iteration"]),
        ("log.columns", ["loss", "loss"]),
        ("predictions.samples", -1),
        ("note", "hello"),
    ],
)
def test_refused(path: str, value: Any) -> None:
    record = json.loads(SOUND.to_bytes())
    place: Any = record
    *above, last = path.split(".")
    for step in above:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    with pytest.raises(FormatError, match=r"^trainings/a.veml: "):
        parse_training_record(json.dumps(record).encode(), "trainings/a.veml")


@pytest.mark.parametrize("name", ["", "a@b", "-x", "x.veml", "../x", "a//b", ".git/x", "a\nb"])
def test_names(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name of a training"):
        TRAINING.check(name)
    with pytest.raises(FormatError):
        TRAINING.name_of(f"trainings/{name}.veml")


def test_initial_weights_in_words() -> None:
    assert str(Initial()) == "random"
    assert str(Initial("pretrained", "torchvision://resnet50")) == "torchvision://resnet50"
    assert str(SOUND.initial) == "night/one (ababababab)"
    assert str(Initial("checkpoint", tree=TREE)) == "checkpoint 0001020304"


def test_detections_are_annotations_the_best_first() -> None:
    said = detections(np.array([[0, 0, 1, 1], [1, 1, 2, 2.5]]), np.array([0.25, 0.5]), ["a", "b"])
    assert said == {
        "objects": [
            {"class": "b", "score": 0.5, "xyxy": [1.0, 1.0, 2.0, 2.5]},
            {"class": "a", "score": 0.25, "xyxy": [0.0, 0.0, 1.0, 1.0]},
        ]
    }
    assert detections(np.zeros((0, 4)), np.zeros(0), []) == {"objects": []}
    with pytest.raises(InvalidInputError, match="2 classes, boxes of shape"):
        detections(np.zeros((1, 4)), np.zeros(2), ["a", "b"])
    with pytest.raises(InvalidInputError, match="not finite"):
        detections(np.zeros((1, 4)), np.array([np.nan]), ["a"])


def test_a_log_of_rows_that_say_different_things() -> None:
    found = log_columns([{"step": 1, "loss": 2}, {"step": 1, "mAP": 0.5}])
    assert found["step"] == [1.0, 1.0]
    assert repr(found["loss"]) == "[2.0, nan]"
    assert repr(found["mAP"]) == "[nan, 0.5]"
