"""An array in a few numbers, for ``veml data show``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ArrayFacts:
    """An array in a few numbers.

    Attributes:
        name: Of an NPZ file, its name in it; nothing of an NPY file.
        shape: Its shape.
        dtype: Data type, as numpy writes it.
        missing: Elements that are no number (NaN).
        minimum: The smallest element; None if there is none, or it is no plain number.
        maximum: As ``minimum``, the largest.
        mean: As ``minimum``, their mean.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    missing: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None


def summarise_array(array: NDArray[Any], name: str = "") -> ArrayFacts:
    """Return an array in a few numbers."""
    told = (name, array.shape, array.dtype.str)
    if array.dtype.kind not in "fiub":
        return ArrayFacts(*told)
    given = array[~np.isnan(array)] if array.dtype.kind == "f" else array
    missing = int(array.size - given.size)
    if not given.size:
        return ArrayFacts(*told, missing=missing)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities have no mean
        mean = float(given.mean(dtype=np.float64))
    return ArrayFacts(*told, missing, float(given.min()), float(given.max()), mean)
