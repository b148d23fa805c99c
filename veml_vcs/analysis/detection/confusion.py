"""What is wrong with detections, one by one: confused, misplaced, found twice, invented, missed.

The kinds are those of TIDE (Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection
Errors", ECCV 2020), at one threshold of score and one of IoU, each detection counted once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.detection.average_precision import ImageBoxes, ious

NEAR = 0.1
"""A detection that overlaps an object of its class by less is not about that object."""


@dataclass(frozen=True)
class ImageErrors:
    """What is wrong in one image; numbers are places in ``ImageBoxes``.

    Attributes:
        correct: Pairs of object and detection.
        confused: Pairs of object and detection that is of another class.
        misplaced: Detections that overlap an object of their class, but not enough.
        duplicate: Detections of an object that a better one has found.
        invented: Detections where there is nothing.
        missed: Objects that none of the first two kinds is of.
    """

    correct: tuple[tuple[int, int], ...]
    confused: tuple[tuple[int, int], ...]
    misplaced: tuple[int, ...]
    duplicate: tuple[int, ...]
    invented: tuple[int, ...]
    missed: tuple[int, ...]

    @property
    def count(self) -> int:
        """How much is wrong: each wrong detection and each missed object is one."""
        wrong = len(self.confused) + len(self.misplaced) + len(self.duplicate) + len(self.invented)
        return wrong + len(self.missed)


def image_errors(image: ImageBoxes, score: float, iou: float) -> ImageErrors:
    """Return what is wrong in one image.

    Objects are given to detections of their class first, the surest first; what is left of both is
    matched across classes. What lies in a crowd of its class is neither right nor wrong.

    Args:
        image: Truth and detections.
        score: Detections below are not looked at.
        iou: An object is found from this IoU on.
    """
    said = np.flatnonzero(image.scores >= score)
    said = said[np.argsort(-image.scores[said], kind="stable")]
    overlaps = ious(image.boxes, image.truth, image.crowd)
    same = image.classes[:, None] == image.truth_classes[None, :]
    free = ~image.crowd
    correct, rest = _take(said, overlaps, same & ~image.crowd[None, :], free, iou)
    crowded = (same & image.crowd[None, :] & (overlaps >= iou)).any(axis=1)
    rest = [one for one in rest if not crowded[one]]
    found_already = same & ~free[None, :] & ~image.crowd[None, :] & (overlaps >= iou)
    duplicate = [one for one in rest if found_already[one].any()]
    rest = [one for one in rest if one not in set(duplicate)]
    confused, rest = _take(rest, overlaps, ~same & ~image.crowd[None, :], free, iou)
    near = (same & ~image.crowd[None, :] & (overlaps >= NEAR)).any(axis=1)
    return ImageErrors(
        tuple(correct),
        tuple(confused),
        tuple(one for one in rest if near[one]),
        tuple(duplicate),
        tuple(one for one in rest if not near[one]),
        tuple(np.flatnonzero(free).tolist()),
    )


def _take(
    detections: NDArray[np.int64] | list[int],
    overlaps: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    free: NDArray[np.bool_],
    iou: float,
) -> tuple[list[tuple[int, int]], list[int]]:
    """Give each detection the free object that it overlaps most; ``free`` loses what is taken."""
    pairs, rest = [], []
    for one in map(int, detections):
        open_to = np.flatnonzero(allowed[one] & free & (overlaps[one] >= iou))
        if len(open_to):
            at = int(open_to[np.argmax(overlaps[one][open_to])])
            free[at] = False
            pairs.append((at, one))
        else:
            rest.append(one)
    return pairs, rest
