"""Diff of two annotations, down to fields of objects."""

from __future__ import annotations

from typing import Any

import pytest

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations import (
    AnnotationDiff,
    DiffCounts,
    FieldChange,
    ObjectChange,
    diff_annotation,
)


def car(x: float = 0, **more: Any) -> dict[str, Any]:
    return {"class": "car", "xywh": [x, 0, 10, 10], **more}


def test_equal_annotations() -> None:
    diff = diff_annotation(
        {"objects": [car(48)], "width": 5}, {"width": 5.0, "objects": [car(48.0)]}
    )
    assert diff == AnnotationDiff(unchanged=1)
    assert not diff


def test_none_is_not_an_empty_annotation() -> None:
    assert not diff_annotation(None, None)
    assert diff_annotation(None, {}) == AnnotationDiff(annotation_added=True)
    assert diff_annotation({}, None) == AnnotationDiff(annotation_removed=True)
    assert diff_annotation(None, {})
    diff = diff_annotation({"objects": [car()], "labels": ["day"]}, None)
    assert diff.removed == (ObjectChange(0, None, car(), None),)
    assert diff.fields == (FieldChange("labels", ["day"], None),)


def test_added_and_removed_objects_carry_their_index() -> None:
    diff = diff_annotation({"objects": [car(), car(100)]}, {"objects": [car(200), car()]})
    assert diff.added == (ObjectChange(None, 0, None, car(200)),)
    assert diff.removed == (ObjectChange(1, None, car(100), None),)
    assert not diff.reordered


def test_a_moved_box_takes_its_area_and_outline_along() -> None:
    old = car(0, area=100, segmentation=[[0, 0, 9, 9]])
    new = {"class": "car", "xywh": [0, 0, 10, 5], "area": 50, "segmentation": [[0, 0, 9, 4]]}
    diff = diff_annotation({"objects": [old]}, {"objects": [new]})
    assert diff.moved == diff.edited == (ObjectChange(0, 0, old, new, 0.5),)
    assert diff.changed == diff.relabelled == ()


def test_an_area_that_changes_alone_is_a_change() -> None:
    diff = diff_annotation({"objects": [car(area=100)]}, {"objects": [car(area=90)]})
    assert diff.moved == ()
    assert diff.changed[0].fields == (FieldChange("area", 100, 90),)


def test_one_object_in_several_lists() -> None:
    old = car(0, id=7, attributes={"color": "red", "doors": 4})
    new = {
        "id": 7,
        "class": "truck",
        "xywh": [50, 0, 10, 10],
        "attributes": {"color": "blue", "doors": 4, "a.b": None},
    }
    diff = diff_annotation({"objects": [old]}, {"objects": [new]})
    fields = (
        FieldChange("attributes.color", "red", "blue"),
        FieldChange('attributes["a.b"]', None, None),
    )
    change = ObjectChange(0, 0, old, new, 0.0, fields)
    assert diff.moved == diff.relabelled == diff.changed == diff.edited == (change,)
    assert diff.counts == DiffCounts(moved=1, relabelled=1, changed=1, edited=1)


def test_relabelled_only() -> None:
    diff = diff_annotation({"objects": [car()]}, {"objects": [{**car(), "class": "van"}]})
    assert diff.counts == DiffCounts(relabelled=1, edited=1)
    assert diff.relabelled[0].iou == 1.0


def test_reordered() -> None:
    diff = diff_annotation({"objects": [car(), car(50)]}, {"objects": [car(50), car()]})
    assert diff == AnnotationDiff(unchanged=2, reordered=True)
    assert diff
    assert diff.counts == DiffCounts(unchanged=2, reordered=1)


def test_image_level_fields() -> None:
    old = {"width": 640, "labels": ["a"], "splits": ["train"], "iscrowd": 1, "info": {"x": {}}}
    new = {"width": 641, "labels": ["b"], "splits": ["train"], "iscrowd": True, "info": {}}
    diff = diff_annotation(old, new)
    assert diff.fields == (
        FieldChange("width", 640, 641),
        FieldChange("labels", ["a"], ["b"]),
        FieldChange("iscrowd", 1, True),  # JSON's true is not 1, though Python's is
        FieldChange("info.x", {}, None),
    )
    assert diff.counts == DiffCounts(fields=3, labels=1)


def test_a_size_that_was_added_moves_no_relative_box() -> None:
    obj = {"class": "car", "cxcywhn": [0.5, 0.5, 0.2, 0.2]}
    nudged = {"class": "car", "cxcywhn": [0.5, 0.5, 0.2, 0.21]}
    diff = diff_annotation({"objects": [obj]}, {"objects": [nudged], "width": 640, "height": 480})
    assert diff.moved[0].iou == pytest.approx(0.2 / 0.21)


def test_counts_add_up() -> None:
    one = diff_annotation({"objects": [car()]}, {"objects": [car(3), car(50)]}).counts
    assert sum([one, one], DiffCounts()) == DiffCounts(added=2, moved=2, edited=2)


def test_refuses_what_is_no_annotation() -> None:
    with pytest.raises(InvalidInputError, match="objects: expected a list"):
        diff_annotation({"objects": 3}, {})
