"""Average precision as COCO defines it, over boxes in memory.

Lin et al., "Microsoft COCO", 2014, as ``pycocotools.cocoeval`` computes it: 101 points of recall,
IoU .50 to .95, at most 100 detections an image and class, crowds and objects of another size
ignored. Written here because error analysis shall work where no training engine is installed; tests
hold it against pycocotools, where that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
SIZES: dict[str, tuple[float, float]] = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""Name -> least and most area of an object, in square pixels."""

MOST_DETECTIONS = 100
_EPSILON = float(np.spacing(1))

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ImageBoxes:
    """What is true of one image, and what was said of it.

    Attributes:
        truth: float64 [n, 4]: x1, y1, x2, y2 in pixels.
        truth_classes: int64 [n]: numbers of classes.
        truth_areas: float64 [n]: square pixels, as the data says.
        crowd: bool [n]: whether an object is a crowd, of which any number may be found.
        boxes: float64 [m, 4]: the detections.
        classes: int64 [m].
        scores: float64 [m].
    """

    truth: Floats
    truth_classes: NDArray[np.int64]
    truth_areas: Floats
    crowd: Bools
    boxes: Floats
    classes: NDArray[np.int64]
    scores: Floats


@dataclass(frozen=True)
class Precision:
    """Average precision of one class, for objects of one size.

    Attributes:
        truth: Number of objects.
        ap: Mean over IoU .50 to .95; NaN where there is no object.
        ap50: At IoU .50.
        ap75: At IoU .75.
        recall: Largest recall, mean over IoU .50 to .95.
    """

    truth: int
    ap: float
    ap50: float
    ap75: float
    recall: float


def ious(boxes: Floats, others: Floats, crowd: Bools | None = None) -> Floats:
    """Return intersection over union; of a crowd, intersection over the box's own area.

    Args:
        boxes: float64 [m, 4].
        others: float64 [n, 4].
        crowd: bool [n].

    Returns:
        float64 [m, n].
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    inner = np.clip(high - low, 0, None).prod(axis=2)
    areas, other_areas = box_areas(boxes), box_areas(others)
    union = areas[:, None] + other_areas[None, :] - inner
    if crowd is not None:
        union = np.where(crowd[None, :], areas[:, None], union)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.nan_to_num(inner / union)
    return found


def box_areas(boxes: Floats) -> Floats:
    """Return the areas of boxes: float64 [n]."""
    found: Floats = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return found


def average_precision(images: Sequence[ImageBoxes], number: int, size: str = "all") -> Precision:
    """Return the average precision of one class.

    Args:
        images: The images.
        number: The class.
        size: One of ``SIZES``.
    """
    parts = [one for image in images if (one := _matched(image, number, SIZES[size])) is not None]
    truth = sum(one.truth for one in parts)
    if not truth:
        return Precision(0, *(float("nan"),) * 4)
    scores = np.concatenate([one.scores for one in parts])
    order = np.argsort(-scores, kind="mergesort")
    hit = np.concatenate([one.hit for one in parts], axis=1)[:, order]
    ignored = np.concatenate([one.ignored for one in parts], axis=1)[:, order]
    curves = np.zeros((len(THRESHOLDS), len(RECALLS)))
    most = np.zeros(len(THRESHOLDS))
    for row in range(len(THRESHOLDS)):
        right = np.cumsum(hit[row] & ~ignored[row]).astype(np.float64)
        wrong = np.cumsum(~hit[row] & ~ignored[row]).astype(np.float64)
        recall = right / truth
        precision = right / (right + wrong + _EPSILON)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        places = np.searchsorted(recall, RECALLS, side="left")
        reached = places < len(precision)
        curves[row, reached] = precision[places[reached]]
        most[row] = recall[-1] if len(recall) else 0.0
    means = curves.mean(axis=1)
    return Precision(
        truth, float(means.mean()), float(means[0]), float(means[5]), float(most.mean())
    )


@dataclass(frozen=True)
class _Matched:
    truth: int
    scores: Floats
    hit: Bools
    ignored: Bools


def _matched(image: ImageBoxes, number: int, area: tuple[float, float]) -> _Matched | None:
    """Match the detections of one class in one image, at each threshold."""
    mine, said = image.truth_classes == number, image.classes == number
    if not (mine.any() or said.any()):
        return None
    truth_areas, crowd = image.truth_areas[mine], image.crowd[mine]
    outside = (truth_areas < area[0]) | (truth_areas > area[1])
    # Those that count come first, so that one of them is taken before any that is ignored.
    order = np.argsort(crowd | outside, kind="stable")
    truth, crowd, outside = image.truth[mine][order], crowd[order], outside[order]
    passed = crowd | outside
    scores = image.scores[said]
    best = np.argsort(-scores, kind="mergesort")[:MOST_DETECTIONS]
    boxes, scores = image.boxes[said][best], scores[best]
    hit = np.zeros((len(THRESHOLDS), len(boxes)), np.bool_)
    ignored = np.zeros_like(hit)
    counted = int((~passed).sum())
    overlaps = ious(boxes, truth, crowd)
    taken = np.zeros((len(THRESHOLDS), len(truth)), np.bool_)
    for row, overlap in enumerate(overlaps):
        if not len(overlap) or overlap.max() < THRESHOLDS[0]:
            continue
        free = (~taken | crowd[None, :]) & (overlap[None, :] >= THRESHOLDS[:, None])
        for level in np.flatnonzero(free.any(axis=1)).tolist():
            found = np.flatnonzero(free[level])
            regular = found[found < counted]
            among = regular if len(regular) else found
            # The last of equals, as COCO's loop takes it.
            at = among[len(among) - 1 - int(np.argmax(overlap[among][::-1]))]
            hit[level, row] = True
            ignored[level, row] = passed[at]
            taken[level, at] = True
    areas = box_areas(boxes)
    strangers = (areas < area[0]) | (areas > area[1])
    ignored |= ~hit & strangers[None, :]
    return _Matched(counted, scores, hit, ignored)
