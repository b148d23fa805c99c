"""Windows of a series: what was before, and what comes after it.

Computes on numpy arrays; knows nothing of stores and of torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import InvalidInputError


@dataclass(frozen=True)
class Scale:
    """How values become numbers around 0.

    Attributes:
        mean: float64 [F], of the values of training.
        deviation: float64 [F]: their standard deviation; 1 where they never change.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


@dataclass(frozen=True)
class Windows:
    """The windows of one part of a series.

    Attributes:
        inputs: float32 [T, N, F] (and two features more if the time of day is one): scaled; where
            a value is missing the last known one, or the mean (0) if there is none before.
        targets: float32 [T, N], in the units of the data; NaN where there is no value.
        starts: int64 [W]: the step each window begins with.
        past: Steps that are seen.
        ahead: Steps that are forecast.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    starts: NDArray[np.int64]
    past: int
    ahead: int

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, place: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what is seen, float32 [past, N, F], and what follows, float32 [ahead, N]."""
        start = int(self.starts[place])
        now = start + self.past
        return self.inputs[start:now], self.targets[now : now + self.ahead]

    def last_value_error(self) -> float:
        """Return the mean absolute error of saying that everything stays as it is.

        What any forecast has to beat. NaN where no value is known.
        """
        known = _forward_filled(self.targets)
        total, count = 0.0, 0
        for start in self.starts.tolist():
            now = start + self.past
            errors = np.abs(self.targets[now : now + self.ahead] - known[now - 1])
            there = np.isfinite(errors)
            total += float(errors[there].sum(dtype=np.float64))
            count += int(there.sum())
        return total / count if count else math.nan


def split_by_time(steps: int, fraction: float, past: int, ahead: int) -> int:
    """Return the step at which the held-back end of a series begins.

    Never drawn at random: neighbouring windows share most of their values, so a random split would
    measure what was trained on.

    Args:
        steps: Steps of the series.
        fraction: Part that is held back, between 0 and 1.
        past: Steps that a window sees.
        ahead: Steps that it forecasts.

    Raises:
        InvalidInputError: The fraction is none, or one side has no window.
    """
    if not 0 < fraction < 1:
        raise InvalidInputError(f"--val-split {fraction:g}: expected a fraction between 0 and 1")
    border = steps - max(ahead, round(fraction * steps))
    if border < past + ahead:
        raise InvalidInputError(
            f"a series of {steps} steps cannot be split: windows of {past} + {ahead} steps, and "
            f"{fraction:g} of the steps held back",
            hint="--val-split with a smaller fraction, or fewer steps ahead",
            kind="too-few-samples",
        )
    return border


def scale_of(values: NDArray[np.floating]) -> Scale:
    """Return mean and standard deviation of each feature.

    Args:
        values: float [T, N, F]; NaN where there is no value.

    Raises:
        InvalidInputError: A feature has no value at all.
    """
    known = np.isfinite(values)
    counts = known.sum(axis=(0, 1))
    if (counts == 0).any():
        which = int(np.argmin(counts))
        raise InvalidInputError(
            f"feature {which} has no value in what is trained on", kind="no-values"
        )
    filled = np.where(known, values, 0.0).astype(np.float64)
    mean = filled.sum(axis=(0, 1)) / counts
    spread = np.where(known, filled - mean, 0.0)
    deviation = np.sqrt(np.square(spread).sum(axis=(0, 1)) / counts)
    deviation[deviation < 1e-12] = 1.0
    return Scale(mean, deviation)


def make_windows(
    values: NDArray[np.floating],
    scale: Scale,
    target: int,
    begin: int,
    end: int,
    *,
    past: int = 12,
    ahead: int = 12,
    stride: int = 1,
    steps_per_day: int | None = None,
) -> Windows:
    """Cut a part of a series into windows.

    What is forecast lies in the part as a whole; what is seen may reach back before it.

    Args:
        values: float [T, N, F], the whole series; NaN where there is no value.
        scale: Of the values of training.
        target: The feature that is forecast.
        begin: First step of the part.
        end: Step after its last.
        past: Steps that are seen.
        ahead: Steps that are forecast.
        stride: Steps from one window to the next.
        steps_per_day: Adds sine and cosine of the time of day, counted from step 0.

    Raises:
        InvalidInputError: A count is below 1.
    """
    for name, count in (("past", past), ("ahead", ahead), ("stride", stride)):
        if count < 1:
            raise InvalidInputError(f"{name}: expected 1 or more steps, found {count}")
    scaled = (_forward_filled(values) - scale.mean) / scale.deviation
    inputs = np.nan_to_num(scaled, nan=0.0).astype(np.float32)
    if steps_per_day is not None:
        inputs = np.concatenate([inputs, _time_of_day(values.shape, steps_per_day)], axis=2)
    first = max(0, begin - past)
    starts = np.arange(first, end - past - ahead + 1, stride, dtype=np.int64)
    targets = values[:, :, target].astype(np.float32)
    return Windows(inputs, targets, starts, past, ahead)


def joined(first: Windows, second: Windows) -> Windows:
    """Return the windows of two series of the same sensors; none lies in both."""
    return replace(
        first,
        inputs=np.concatenate([first.inputs, second.inputs]),
        targets=np.concatenate([first.targets, second.targets]),
        starts=np.concatenate([first.starts, second.starts + len(first.inputs)]),
    )


def without(values: NDArray[np.floating], missing: Sequence[float]) -> NDArray[np.float64]:
    """Return values in which the numbers that stand for "no value" are NaN, and so are infinities.

    Args:
        values: float, any shape; it is not changed.
        missing: The numbers: METR-LA writes 0, others -999.
    """
    found = np.array(values, np.float64)
    found[np.isin(found, list(missing)) | ~np.isfinite(found)] = np.nan
    return found


def _forward_filled(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return values with each missing one replaced by the last before it, along the first axis."""
    known = np.isfinite(values)
    steps = np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1))
    last = np.maximum.accumulate(np.where(known, steps, 0), axis=0)
    return np.take_along_axis(values, last, axis=0)


def _time_of_day(shape: tuple[int, ...], steps_per_day: int) -> NDArray[np.float32]:
    if steps_per_day < 2:
        raise InvalidInputError(f"steps_per_day: expected 2 or more, found {steps_per_day}")
    phase = 2 * np.pi * (np.arange(shape[0]) % steps_per_day) / steps_per_day
    both = np.stack([np.sin(phase), np.cos(phase)], axis=1).astype(np.float32)
    return np.broadcast_to(both[:, None, :], (shape[0], shape[1], 2))
