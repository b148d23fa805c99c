"""Targets for training: one entry an object in every array, COCO's conventions, nothing guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations.shapes import compressed, encoded
from veml_vcs.samples.annotations.targets import keypoint_form, targets_of
from veml_vcs.samples.facts import ClassInfo, Facts

SQUARE = [1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]
MASK = np.zeros((6, 8), bool)
MASK[2:5, 3:7] = True
RUNS = encoded(MASK)
OBJECTS: list[dict[str, Any]] = [
    {"class": "car", "xywh": [1, 1, 3, 2], "segmentation": [SQUARE], "area": 5.5},
    {"class": "dog", "segmentation": {**RUNS, "counts": compressed(RUNS["counts"])}, "iscrowd": 1},
    {"class": "car", "xyxy": [0, 0, 2, 2], "keypoints": [1, 2, 2, 0, 0, 0]},
    {"xyxy": [4, 4, 5, 5]},
    {"class": "car", "note": "has no place in the image"},
]


def test_every_array_has_one_entry_an_object() -> None:
    found = targets_of({"objects": OBJECTS}, 8, 6, masks=True, keypoints=(2, 3))
    assert found.names == ("car", "dog", "car", None)
    assert found.boxes.dtype == found.area.dtype == np.float32
    assert found.boxes.tolist() == [[1, 1, 4, 3], [3, 2, 7, 5], [0, 0, 2, 2], [4, 4, 5, 5]]
    assert found.area.tolist() == [5.5, 12, 4, 1]
    assert found.iscrowd.tolist() == [0, 1, 0, 0]
    assert found.masks is not None
    assert (found.masks.dtype, found.masks.shape) == (np.uint8, (4, 6, 8))
    assert np.array_equal(found.masks[1], MASK)
    assert found.masks.sum((1, 2)).tolist() == [6, 12, 0, 0]
    assert found.keypoints is not None
    assert found.keypoints.tolist()[2] == [[1, 2, 2], [0, 0, 0]]
    assert not found.keypoints[[0, 1, 3]].any()


def test_crowds_can_be_left_out_and_nothing_is_an_empty_array() -> None:
    assert targets_of({"objects": OBJECTS}, 8, 6, crowd=False).names == ("car", "car", None)
    for said in (None, {}, {"objects": []}):
        found = targets_of(said, 8, 6, masks=True, keypoints=(17, 3))
        assert found.boxes.shape == (0, 4)
        assert found.masks is not None
        assert found.masks.shape == (0, 6, 8)
        assert found.keypoints is not None
        assert found.keypoints.shape == (0, 17, 3)


def test_relative_keypoints_of_yolo() -> None:
    obj = {"class": "car", "cxcywhn": [0.5, 0.5, 1, 1], "keypoints_n": [0.5, 0.5, 0, 0]}
    found = targets_of({"objects": [obj]}, 8, 6, keypoints=(2, 2)).keypoints
    assert found is not None
    assert found.tolist() == [[[4, 3, 2], [0, 0, 0]]]
    facts = Facts("yolo", extra={"data.yaml": {"kpt_shape": [2, 2]}})
    assert keypoint_form(facts) == (2, 2)
    assert keypoint_form(
        Facts("coco", classes=(ClassInfo("a", 1, {"keypoints": ["x"] * 17}),))
    ) == (17, 3)
    assert keypoint_form(Facts("voc")) == (0, 3)


@pytest.mark.parametrize(
    "wrong",
    [{"keypoints": [1, 2]}, {"keypoints": "x"}, {"keypoints": [1, 2, None]},
     {"keypoints": [0] * 9_000}, {"segmentation": {"size": [3, 3], "counts": [9]}}],
)  # fmt: skip
def test_what_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    said = {"objects": [{"class": "a", "xyxy": [0, 0, 1, 1], **wrong}]}
    with pytest.raises(InvalidInputError):
        targets_of(said, 8, 6, masks=True, keypoints=(1, 3))
