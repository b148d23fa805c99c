"""What the file of a classifier gives, checked: it may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from veml_vcs.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
