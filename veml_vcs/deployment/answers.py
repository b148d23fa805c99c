"""What files of networks give, checked: a file may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from veml_vcs.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTPUTS = ("boxes", "scores", "labels")


def boxes_scores_labels(
    found: Mapping[str, NDArray[Any]], classes: int, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return what a file found in one image.

    Args:
        found: Output -> array.
        classes: How many classes there are.
        name: Of the image, for messages.

    Returns:
        float64 [n, 4], float64 [n], int64 [n].

    Raises:
        FormatError: Outputs are missing, of other shapes, not finite, or name no class.
    """
    missing = [one for one in OUTPUTS if one not in found]
    if missing:
        raise FormatError(
            f"the file gives {', '.join(found) or 'nothing'}; that of a detector gives "
            f"{', '.join(OUTPUTS)}",
            kind="cannot-run",
        )
    boxes, scores, labels = (np.asarray(found[one]) for one in OUTPUTS)
    count = len(scores) if scores.ndim == 1 else -1
    sound = boxes.shape == (count, 4) and labels.shape == (count,)
    if not sound or not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise FormatError(
            f"{name}: the file gives boxes of shape {boxes.shape}, scores of {scores.shape} and "
            f"labels of {labels.shape}, or values that are no numbers",
            kind="cannot-run",
        )
    if count and (labels.min() < 0 or labels.max() >= classes):
        raise FormatError(
            f"{name}: the file names the class {int(labels.max())}, of {classes}", kind="cannot-run"
        )
    return boxes.astype(np.float64), scores.astype(np.float64), labels.astype(np.int64)


def probabilities(
    found: Mapping[str, NDArray[Any]], classes: int, name: str
) -> NDArray[np.float64]:
    """Return what a file said of one image: float64 [classes].

    Args:
        found: Output -> array.
        classes: How many classes there are.
        name: Of the image, for messages.

    Raises:
        FormatError: There are no scores, of another number, or they are no numbers.
    """
    scores = np.asarray(found.get("scores", ()))
    if scores.shape != (classes,) or not np.isfinite(scores).all():
        raise FormatError(
            f"{name}: the file gives scores of shape {scores.shape}, or that are no numbers; "
            f"expected {classes}",
            kind="cannot-run",
        )
    return scores.astype(np.float64)
