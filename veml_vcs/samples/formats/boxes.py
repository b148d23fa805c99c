"""Boxes from one way of writing into another, exact as far as the result can be.

Numbers are taken as the decimals they were written as: 810.73 - 712.4 is 98.33, not
98.33000000000004, and a box converted there and back is the same box. Pixels are a continuous plane
with its origin in the image's top left corner: VOC's habit of counting pixels from 1 is not
undone, since files do not tell whether they have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, localcontext
from typing import Any, TypeAlias

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.formats.text import exact

Numbers: TypeAlias = list[int | float]
"""Four numbers, whole ones as ``int``."""

_CONTEXT = Context(prec=50)


def to_xyxy(
    obj: Mapping[str, Any], width: float | None = None, height: float | None = None
) -> Numbers | None:
    """Return an object's box as left, top, right, bottom in pixels.

    Args:
        obj: An object of an annotation. One that has only a polygon (``segmentation_n``) has
            the box around it.
        width: Of the image in pixels; needed where the box is relative.
        height: As ``width``.

    Returns:
        None where the object has no box.

    Raises:
        InvalidInputError: The image size is needed and missing or not positive.
    """
    if "xyxy" in obj:
        return list(obj["xyxy"])
    with localcontext(_CONTEXT):
        corners = _corners(obj, width, height)
        return None if corners is None else [_number(value) for value in corners]


def to_xywh(
    obj: Mapping[str, Any], width: float | None = None, height: float | None = None
) -> Numbers | None:
    """Return an object's box as left, top, width, height in pixels; see ``to_xyxy``."""
    if "xywh" in obj:
        return list(obj["xywh"])
    with localcontext(_CONTEXT):
        corners = _corners(obj, width, height)
        if corners is None:
            return None
        left, top, right, bottom = corners
        return [_number(value) for value in (left, top, right - left, bottom - top)]


def to_cxcywhn(
    obj: Mapping[str, Any], width: float | None = None, height: float | None = None
) -> Numbers | None:
    """Return an object's box as centre and size, relative to the image; see ``to_xyxy``."""
    if "cxcywhn" in obj:
        return list(obj["cxcywhn"])
    with localcontext(_CONTEXT):
        corners = _corners(obj, width, height)
        if corners is None:
            return None
        across, down = _extent(width, "width"), _extent(height, "height")
        left, top, right, bottom = corners
        return [
            _number((left + right) / 2 / across),
            _number((top + bottom) / 2 / down),
            _number((right - left) / across),
            _number((bottom - top) / down),
        ]


def _corners(
    obj: Mapping[str, Any], width: float | None, height: float | None
) -> tuple[Decimal, Decimal, Decimal, Decimal] | None:
    if "xyxy" in obj:
        left, top, right, bottom = map(_decimal, obj["xyxy"])
        return left, top, right, bottom
    if "xywh" in obj:
        left, top, across, down = map(_decimal, obj["xywh"])
        return left, top, left + across, top + down
    if "cxcywhn" in obj:
        x, y, across, down = map(_decimal, obj["cxcywhn"])
        left, top, right, bottom = x - across / 2, y - down / 2, x + across / 2, y + down / 2
    elif "segmentation_n" in obj:
        values = list(map(_decimal, obj["segmentation_n"]))
        left, top = min(values[::2]), min(values[1::2])
        right, bottom = max(values[::2]), max(values[1::2])
    else:
        return None
    pixels_across, pixels_down = _extent(width, "width"), _extent(height, "height")
    return left * pixels_across, top * pixels_down, right * pixels_across, bottom * pixels_down


def _extent(value: float | None, what: str) -> Decimal:
    if value is None or not value > 0:
        raise InvalidInputError(f"{what} of the image: expected a positive number, found {value}")
    return _decimal(value)


def _decimal(value: float) -> Decimal:
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def _number(value: Decimal) -> int | float:
    number = exact(float(value))
    if number is None:
        raise InvalidInputError(
            f"box: expected numbers within the range of a double, found {value}"
        )
    return number
