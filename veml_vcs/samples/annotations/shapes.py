"""Outlines and masks of objects: polygons, run lengths (RLE) and keypoints, as written.

COCO's ``segmentation`` is a list of polygons (x1, y1, x2, y2... in pixels), or a dict of ``size``
[height, width] and ``counts``: run lengths of a mask read column by column, background first,
as a list of numbers or in COCO's compressed text (5 bits a character, differences to the run before
last; ``rleFrString`` in cocoapi's ``maskApi.c``). YOLO's ``segmentation_n`` is one polygon relative
to the image. The values stay as the source has them; this module only reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHAPES = ("segmentation", "segmentation_n")
MAX_MASK_PIXELS = 1 << 28
_LARGEST = 1e100

Bounds: TypeAlias = tuple[float, float, float, float]
Polygon: TypeAlias = Sequence[float]


def polygons_of(
    obj: Mapping[str, Any], width: float | None = None, height: float | None = None
) -> list[Polygon]:
    """Return an object's polygons in pixels, each x1, y1, x2, y2...; none where it has none.

    Args:
        obj: The object.
        width: Of the image in pixels. Without it, relative polygons stay relative.
        height: As ``width``.
    """
    found: list[Polygon] = []
    whole = obj.get("segmentation")
    if isinstance(whole, list):
        found += [one for one in whole if _is_polygon(one)]
    relative = obj.get("segmentation_n")
    if isinstance(relative, list) and _is_polygon(relative):
        across, down = (width, height) if width and height else (1.0, 1.0)
        found.append([v * (down if i % 2 else across) for i, v in enumerate(relative)])
    return found


def runs_of(obj: Mapping[str, Any]) -> tuple[int, int, list[int]] | None:
    """Return height, width and run lengths of an object's RLE mask; None where it has none.

    Raises:
        InvalidInputError: The run lengths are malformed, or do not cover the mask.
    """
    whole = obj.get("segmentation")
    if not isinstance(whole, dict):
        return None
    size, counts = whole.get("size"), whole.get("counts")
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(type(one) is int and one > 0 for one in size)
        or size[0] * size[1] > MAX_MASK_PIXELS
    ):
        raise InvalidInputError(f"segmentation.size: expected [height, width], found {size!r:.80}")
    if isinstance(counts, str):
        runs = _decompressed(counts)
    elif isinstance(counts, list) and all(type(one) is int for one in counts):
        runs = counts
    else:
        raise InvalidInputError(f"segmentation.counts: expected run lengths, found {counts!r:.80}")
    if any(one < 0 for one in runs) or sum(runs) != size[0] * size[1]:
        raise InvalidInputError(
            f"segmentation.counts: run lengths of {sum(runs)} pixels for a mask of "
            f"{size[0]} x {size[1]}"
        )
    return size[0], size[1], runs


def bounds_of(
    obj: Mapping[str, Any], width: float | None = None, height: float | None = None
) -> Bounds | None:
    """Return the box around an object's outline, mask or keypoints; None where it has none.

    Malformed ones have none: what cannot be understood is compared by content alone.

    Args:
        obj: The object.
        width: Of the image in pixels. Without it, the box around a relative polygon is relative.
        height: As ``width``.
    """
    polygons = polygons_of(obj, width, height)
    if polygons:
        xs = [v for one in polygons for v in one[::2]]
        ys = [v for one in polygons for v in one[1::2]]
        return min(xs), min(ys), max(xs), max(ys)
    try:
        mask = runs_of(obj)
    except InvalidInputError:
        return None
    if mask is not None:
        return _bounds_of_runs(*mask)
    points = list(_visible(obj.get("keypoints")))
    if points:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return min(xs), min(ys), max(xs), max(ys)
    return None


def mask_of(obj: Mapping[str, Any], width: int, height: int) -> NDArray[np.bool_] | None:
    """Return an object's mask; None where it has neither polygon nor RLE.

    A pixel belongs to a polygon if its centre lies inside by the even-odd rule; an object's
    polygons are joined. (cocoapi rounds the outline outwards: its masks are wider by a part of a
    pixel.)

    Args:
        obj: The object.
        width: Of the image in pixels.
        height: Of the image in pixels.

    Returns:
        bool [height, width].

    Raises:
        InvalidInputError: The run lengths are malformed, or of an image of another size.
    """
    import numpy as np

    runs = runs_of(obj)
    if runs is not None:
        if runs[:2] != (height, width):
            raise InvalidInputError(
                f"segmentation.size: expected [{height}, {width}], found {list(runs[:2])}"
            )
        values = np.arange(len(runs[2])) % 2 == 1
        return np.repeat(values, runs[2]).reshape(width, height).T
    polygons = polygons_of(obj, width, height)
    if not polygons:
        return None
    mask = np.zeros((height, width), np.bool_)
    for one in polygons:
        _fill(mask, one)
    return mask


def encoded(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return a mask as COCO's uncompressed RLE.

    Args:
        mask: bool [height, width].
    """
    import numpy as np

    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    cuts = [0, *edges.tolist(), len(flat)]
    counts = [b - a for a, b in pairwise(cuts)]
    if len(flat) and flat[0]:
        counts = [0, *counts]
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": counts}


def compressed(counts: Sequence[int]) -> str:
    """Return run lengths as COCO's compressed text (``rleToString`` in cocoapi's ``maskApi.c``)."""
    text = []
    for i, count in enumerate(counts):
        value = count - counts[i - 2] if i > 2 else count
        while True:
            part = value & 31
            value >>= 5
            more = value != -1 if part & 16 else value != 0
            text.append(chr((part | 32 if more else part) + 48))
            if not more:
                break
    return "".join(text)


def _decompressed(text: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for char in text:
        part = ord(char) - 48
        if not 0 <= part < 64 or shift > 60:
            raise InvalidInputError(f"segmentation.counts: no compressed RLE: {text!r:.60}")
        value |= (part & 31) << shift
        shift += 5
        if not part & 32:
            if part & 16:
                value -= 1 << shift
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value = shift = 0
    if shift:
        raise InvalidInputError(f"segmentation.counts: compressed RLE is cut off: {text!r:.60}")
    return runs


def _bounds_of_runs(height: int, width: int, runs: list[int]) -> Bounds | None:
    left, top, right, bottom = width, height, -1, -1
    place = 0
    for i, run in enumerate(runs):
        if i % 2 and run:
            first, last = place, place + run - 1
            left, right = min(left, first // height), max(right, last // height)
            if first // height == last // height:
                top, bottom = min(top, first % height), max(bottom, last % height)
            else:  # goes over the end of a column
                top, bottom = 0, height - 1
        place += run
    return None if right < 0 else (left, top, right + 1, bottom + 1)


def _fill(mask: NDArray[np.bool_], polygon: Polygon) -> None:
    """Set the pixels whose centres lie inside a polygon, row by row."""
    import numpy as np

    xs, ys = np.array(polygon[::2], np.float64), np.array(polygon[1::2], np.float64)
    x2, y2 = np.roll(xs, -1), np.roll(ys, -1)
    height, width = mask.shape
    low = max(0, int(np.floor(ys.min() - 0.5)))
    high = min(height - 1, int(np.ceil(ys.max() - 0.5)))
    for row in range(low, high + 1):
        y = row + 0.5
        crosses = (ys <= y) != (y2 <= y)
        if not crosses.any():
            continue
        at = xs[crosses] + (y - ys[crosses]) / (y2[crosses] - ys[crosses]) * (
            x2[crosses] - xs[crosses]
        )
        at.sort()
        for start, end in zip(at[::2], at[1::2], strict=True):
            first = max(0, int(np.ceil(start - 0.5)))
            last = min(width, int(np.ceil(end - 0.5)))
            mask[row, first:last] = True


def _is_polygon(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 4
        and len(value) % 2 == 0
        and all(type(v) in (int, float) and abs(v) < _LARGEST for v in value)
    )


def _visible(values: Any) -> Iterator[tuple[float, float]]:
    """Yield COCO's keypoints that are labelled: x, y, visibility."""
    if not isinstance(values, list) or len(values) % 3 or len(values) > 3_000:
        return
    for x, y, seen in zip(values[::3], values[1::3], values[2::3], strict=True):
        if all(type(v) in (int, float) and abs(v) < _LARGEST for v in (x, y, seen)) and seen > 0:
            yield x, y
