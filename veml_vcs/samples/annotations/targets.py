"""What a detector is trained on: the objects of one sample as arrays that agree place by place.

The conventions are COCO's as torchvision's detectors take them. Numbers only; tensors are made in
``analysis.torch_dataset``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations.boxes import box_of, objects_of
from veml_vcs.samples.annotations.shapes import mask_of
from veml_vcs.samples.facts import Annotation, Facts

_VISIBLE = 2.0
"""COCO's flag of a keypoint that is labelled and can be seen."""

_MOST_KEYPOINTS = 1_000


@dataclass(frozen=True)
class Targets:
    """The n objects of a sample that have a place in the image.

    Attributes:
        boxes: float32 [n, 4] as x1, y1, x2, y2 in pixels.
        names: The class of each; None where it has none.
        area: float32 [n] in square pixels: what the source says, else that of the box.
        iscrowd: int64 [n], 1 for a group of objects outlined as one.
        masks: uint8 [n, height, width] of 0 and 1, all 0 for an object without mask; or None.
        keypoints: float32 [n, k, 3] as x, y in pixels and visibility (0 not labelled, 1 hidden, 2
            visible), all 0 for an object without keypoints; or None.
    """

    boxes: NDArray[np.float32]
    names: tuple[str | None, ...]
    area: NDArray[np.float32]
    iscrowd: NDArray[np.int64]
    masks: NDArray[np.uint8] | None = None
    keypoints: NDArray[np.float32] | None = None


def keypoint_form(facts: Facts) -> tuple[int, int]:
    """Return how many keypoints an object of a data set has, and how many numbers each.

    COCO lists their names with each class; YOLO has ``kpt_shape``. (0, 3) where neither is said.
    """
    listed = [one.extra.get("keypoints") for one in facts.classes]
    count = max((len(one) for one in listed if isinstance(one, list)), default=0)
    for said in facts.extra.values():
        shape = said.get("kpt_shape") if isinstance(said, Mapping) else None
        if isinstance(shape, list) and len(shape) == 2 and all(type(v) is int for v in shape):
            return shape[0], shape[1]
    return count, 3


def targets_of(
    annotation: Annotation | None,
    width: int,
    height: int,
    *,
    masks: bool = False,
    keypoints: tuple[int, int] | None = None,
    crowd: bool = True,
) -> Targets:
    """Return the objects of a sample as arrays.

    Args:
        annotation: What is said of the sample.
        width: Of the image, in pixels.
        height: Of the image, in pixels.
        masks: Whether to make masks.
        keypoints: Number of keypoints and of the numbers of each (``keypoint_form``); None leaves
            them out. With more keypoints in an object than that, all objects have as many.
        crowd: Whether to keep objects that are a crowd.

    Raises:
        InvalidInputError: A mask is malformed, or of an image of another size; keypoints are no
            numbers.
    """
    found: list[Mapping[str, Any]] = []
    boxes = []
    for obj in objects_of(annotation):
        box = box_of(obj, width, height)
        if box is not None and (crowd or not obj.get("iscrowd")):
            found.append(obj)
            boxes.append(box)
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    classes = [obj.get("class") for obj in found]
    return Targets(
        corners,
        tuple(None if one is None else str(one) for one in classes),
        _areas(found, corners),
        np.array([int(bool(obj.get("iscrowd"))) for obj in found], np.int64),
        _masks(found, width, height) if masks else None,
        None if keypoints is None else _keypoints(found, width, height, *keypoints),
    )


def _areas(found: Sequence[Mapping[str, Any]], corners: NDArray[np.float32]) -> Any:
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    for place, obj in enumerate(found):
        said = obj.get("area")
        if type(said) in (int, float):
            areas[place] = said
    return areas


def _masks(found: Sequence[Mapping[str, Any]], width: int, height: int) -> NDArray[np.uint8]:
    masks = np.zeros((len(found), height, width), np.uint8)
    for place, obj in enumerate(found):
        mask = mask_of(obj, width, height)
        if mask is not None:
            masks[place] = mask
    return masks


def _keypoints(
    found: Sequence[Mapping[str, Any]], width: int, height: int, count: int, numbers: int
) -> NDArray[np.float32]:
    each = [_points(obj, width, height, numbers) for obj in found]
    count = max([count, *map(len, each)])
    points = np.zeros((len(found), count, 3), np.float32)
    for place, one in enumerate(each):
        points[place, : len(one)] = one
    return points


def _points(obj: Mapping[str, Any], width: int, height: int, numbers: int) -> NDArray[np.float64]:
    """Return an object's keypoints, float64 [k, 3]."""
    name = "keypoints" if "keypoints" in obj else "keypoints_n"
    values, size = obj.get(name) or [], 3 if name == "keypoints" else numbers
    if (
        not isinstance(values, list)
        or not all(type(one) in (int, float) for one in values)
        or size not in (2, 3)
        or len(values) % size
        or len(values) > size * _MOST_KEYPOINTS
    ):
        raise InvalidInputError(f"{name}: expected {size} numbers each, found {values!r:.80}")
    points = np.array(values, np.float64).reshape(-1, size)
    if size == 2:
        seen = np.where(points.any(1), _VISIBLE, 0.0)
        points = np.column_stack([points, seen])
    if name == "keypoints_n":
        points[:, :2] *= (width, height)
    return points
