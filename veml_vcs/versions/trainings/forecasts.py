"""What a forecaster said of the held-back end of a series, as annotations that a record can keep.

Windows overlap: every value is forecast ``ahead`` times. Kept are the forecasts of windows that do
not overlap, each number to 4 digits, and a table of the errors of all windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from veml_vcs.samples.facts import Annotation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ERRORS_KEY = "errors"
"""Key of the table among the predictions of a series."""


def window_key(step: int) -> str:
    """Return the key of the forecast that begins with a step."""
    return f"{step:09}"


def forecast_said(step: int, forecast: NDArray[np.floating[Any]], mae: float) -> Annotation:
    """Return one forecast.

    Args:
        step: The first step that is forecast, of the series.
        forecast: float [ahead, N], in the units of the data.
        mae: Its mean absolute error over values that are known; NaN where none is.
    """
    rows = [[_short(one) for one in row] for row in forecast.tolist()]
    return {"step": step, "mae": _short(mae), "forecast": rows}


def errors_said(
    sensors: Sequence[str],
    windows: int,
    errors: NDArray[np.floating[Any]],
    known: NDArray[np.floating[Any]],
) -> Annotation:
    """Return the table of errors of all windows.

    Args:
        sensors: N names.
        windows: Of how many windows.
        errors: float [ahead, N]: sums of absolute errors.
        known: float [ahead, N]: over how many values.
    """
    return {
        "sensors": list(map(str, sensors)),
        "windows": windows,
        "errors": [[_short(one) for one in row] for row in errors.tolist()],
        "known": [[int(one) for one in row] for row in known.tolist()],
    }


def _short(value: float) -> float | None:
    """Return a number to 4 digits; None of one that is not finite."""
    return float(f"{value:.4g}") if abs(value) < float("inf") else None
