"""Do two detectors say the same of the same images? Box by box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.detection.average_precision import ious
from veml_vcs.training.detection_metric import Detections
from veml_vcs.versions.inferences.outcome import Parity

PIXELS = 0.1
SCORES = 0.001
"""What is allowed: far above rounding (measured: 2e-4 pixels, 2e-6), far below what can be seen."""

_SAME = 0.5
"""Two detections of a class are of one object from this IoU on."""


@dataclass(frozen=True)
class Choice:
    """By what a detector leaves detections out.

    Attributes:
        score: Those below.
        most: All but so many, by image; below 1: none.
    """

    score: float
    most: int


def compare(
    checkpoint: Sequence[Detections],
    file: Sequence[Detections],
    choice: Choice,
    pixels: float = PIXELS,
    scores: float = SCORES,
) -> Parity:
    """Compare what a checkpoint and a file say of the same samples.

    Detections of one class are of one object where they overlap most, one to one. What only one of
    the two says is counted, but for what is on the edge of being left out by its score.

    Args:
        checkpoint: What the checkpoint says.
        file: What the file says, of the same samples in the same order.
        choice: By what both leave detections out.
        pixels: Tolerance of the corners.
        scores: Tolerance of the scores.
    """
    far, sure, alone = 0.0, 0.0, 0
    for old, new in zip(checkpoint, file, strict=True):
        left, right = _matched(old, new)
        if left.size:
            far = max(far, float(np.abs(old.boxes[left] - new.boxes[right]).max()))
            sure = max(sure, float(np.abs(old.scores[left] - new.scores[right]).max()))
        alone += _alone(old, left, new, choice, scores) + _alone(new, right, old, choice, scores)
    return Parity(
        {"boxes": far, "scores": sure}, {"boxes": pixels, "scores": scores}, len(checkpoint), alone
    )


def _matched(old: Detections, new: Detections) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of detections of the same objects, the nearest first."""
    overlap = ious(old.boxes, new.boxes)
    overlap[old.labels[:, None] != new.labels[None, :]] = 0.0
    # Of equal boxes (of one place, one class) the one with the nearest score.
    near = np.abs(old.scores[:, None] - new.scores[None, :])
    order = np.lexsort((near.ravel(), -overlap.ravel()))
    left, right = [], []
    used_left: set[int] = set()
    used_right: set[int] = set()
    for place in order.tolist():
        row, column = divmod(place, max(1, len(new.scores)))
        if overlap[row, column] < _SAME:
            break
        if row not in used_left and column not in used_right:
            used_left.add(row)
            used_right.add(column)
            left.append(row)
            right.append(column)
    return np.array(left, np.int64), np.array(right, np.int64)


def _alone(
    one: Detections, matched: NDArray[np.int64], other: Detections, choice: Choice, near: float
) -> int:
    """Count what only one of two says and is not on the edge of being left out."""
    edge = choice.score
    if 0 < choice.most <= len(other.scores):
        edge = max(edge, float(other.scores.min()))
    rest = np.delete(one.scores, matched)
    return int((rest > edge + near).sum())
