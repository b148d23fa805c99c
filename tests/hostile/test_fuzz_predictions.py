"""A stranger's predictions and annotations: looked at, or refused, in little time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.hostile.mutations import mutated_json
from veml_vcs.analysis.detection.average_precision import average_precision
from veml_vcs.analysis.detection.confusion import image_errors
from veml_vcs.analysis.detection.errors import boxes_of
from veml_vcs.errors import VemlError

TRUTH = {
    "height": 60, "width": 80,
    "objects": [
        {"class": "car", "xywh": [1, 2, 30, 40], "area": 900.5, "iscrowd": 0},
        {"class": "dog", "cxcywhn": [0.5, 0.5, 0.2, 0.2]},
    ],
}  # fmt: skip
SAID = {
    "objects": [
        {"class": "car", "score": 0.75, "xyxy": [1, 2, 31, 42]},
        {"class": "dog", "score": 0.5, "xyxy": [1.5, 2.5, 3.5, 4.5]},
    ]
}


def use(truth: Any, said: Any) -> None:
    message = ""
    try:
        boxes = boxes_of(truth, said, "a.png", lambda: b"", {})
    except VemlError as error:
        message = error.message
    assert len(message) < 500
    if message:
        return
    found = image_errors(boxes, 0.3, 0.5)
    assert found.count >= 0
    for number in range(3):
        precision = average_precision([boxes], number)
        assert not precision.ap > 1.0 + 1e-9


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(said=mutated_json((SAID,)))
@example(said=SAID)
@example(said={"objects": [{"class": "car", "score": 10**400, "xyxy": [0, 0, 1, 1]}]})
@example(said={"objects": [{"class": [], "score": 1, "xyxy": [0, 0, 1e308, 1e308]}]})
def test_predictions(said: Any) -> None:
    use(TRUTH, said)


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(truth=mutated_json((TRUTH,)))
@example(truth=None)
@example(truth={"objects": [{"class": "car", "xywh": [0, 0, 1, 1], "area": 10**400}]})
def test_truth(truth: Any) -> None:
    use(truth, SAID)


def test_a_prediction_without_a_score_is_damage() -> None:
    said = json.loads(json.dumps(SAID))
    del said["objects"][0]["score"]
    with pytest.raises(VemlError, match=r"a prediction of a\.png has no score"):
        boxes_of(TRUTH, said, "a.png", lambda: b"", {})
