"""Annotated objects and their boxes, as plain corners whatever way the source writes them.

Reading and geometry only; which object is which is decided in ``match``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations.shapes import bounds_of
from veml_vcs.samples.facts import Annotation

AnnotatedObject: TypeAlias = dict[str, Any]
"""One entry of an annotation's ``objects``; see docs/design/002-annotations.md."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, with left <= right and top <= bottom."""

BOX_FIELDS = ("xywh", "xyxy", "cxcywhn")
"""The fields a box may stand in; an object uses one of them."""

SHAPE_FIELDS = ("area", "segmentation")
"""Fields that describe the same shape as the box, and so follow it when it moves."""

_LARGEST = 1e100
"""No coordinate is larger. Keeps areas finite, so that an IoU is never NaN."""


def objects_of(annotation: Annotation | None) -> list[AnnotatedObject]:
    """Return the annotation's objects; none if it has no ``objects``.

    Raises:
        InvalidInputError: ``objects`` is not a list of dicts.
    """
    objects = [] if annotation is None else annotation.get("objects", [])
    if not isinstance(objects, list):
        raise InvalidInputError(f"objects: expected a list, found {type(objects).__name__}")
    for index, obj in enumerate(objects):
        if not isinstance(obj, dict):
            raise InvalidInputError(
                f"objects[{index}]: expected a dict, found {type(obj).__name__}"
            )
    return objects


def box_of(
    obj: Mapping[str, Any], width: float | None = None, height: float | None = None
) -> Box | None:
    """Return an object's box as corners.

    Args:
        obj: The object.
        width: Of the image, in pixels. Only relative boxes (``cxcywhn``) need the size.
        height: As ``width``.

    Returns:
        Corners in pixels; of a relative box, relative to the image if a side of it is not known.
        Swapped corners and negative extents are put in order. Of an object without a box, the box
        around its polygons, mask or keypoints (``shapes.bounds_of``). None where it has none of
        these, or a box that is not four finite numbers: then only its content can be compared.
    """
    for name in BOX_FIELDS:
        if name in obj:
            numbers = _four_numbers(obj[name])
            break
    else:
        return bounds_of(obj, width, height)
    if numbers is None:
        return None
    a, b, c, d = numbers
    if name == "xywh":
        left, top, right, bottom = a, b, a + c, b + d
    elif name == "xyxy":
        left, top, right, bottom = a, b, c, d
    else:
        across, down = (width, height) if width and height else (1.0, 1.0)
        left, right = (a - c / 2) * across, (a + c / 2) * across
        top, bottom = (b - d / 2) * down, (b + d / 2) * down
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def image_size(*annotations: Mapping[str, Any] | None) -> tuple[float | None, float | None]:
    """Return the first usable ``width`` and ``height`` in pixels that any of the annotations gives.

    Versions of one annotation are compared at one size, so that a size that was added, or is
    missing on one side, does not make all relative boxes look moved.
    """
    for annotation in annotations:
        if annotation is not None:
            width, height = annotation.get("width"), annotation.get("height")
            if _is_extent(width) and _is_extent(height):
                return width, height
    return None, None


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes, from 0 to 1.

    Equal boxes have 1, also where they cover no area (points and lines); else such a box has 0.
    """
    if a == b:
        return 1.0
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    if across <= 0 or down <= 0:
        return 0.0
    common = across * down
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return min(common / union, 1.0) if union > 0 else 0.0


def _four_numbers(value: object) -> list[float] | None:
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
        return None
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def _is_extent(value: Any) -> bool:
    return _is_number(value) and value > 0
