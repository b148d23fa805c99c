"""A forecaster as one module that can be exported, in the units of the data on both sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ForecastNetwork(nn.Module):
    """Fills, scales, forecasts. The graph of sensors is in it.

    Args:
        model: The trained ``Forecaster``.
        mean: float64 [F], of each feature in what was trained on.
        deviation: float64 [F].
        missing: Numbers that stand for no value.
        steps_per_day: Whether the network sees the time of day.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        model: Any,
        mean: NDArray[np.float64],
        deviation: NDArray[np.float64],
        missing: Sequence[float],
        steps_per_day: int | None,
    ) -> None:
        super().__init__()
        self.model = model
        # Sparse products have no place in a file; dense ones give the same.
        walks = [one.to_dense() if one.layout != torch.strided else one
                 for one in model.backbone.walks]  # fmt: skip
        model.backbone.walks = tuple(walks)
        self.missing, self.steps_per_day = tuple(missing), steps_per_day
        self.register_buffer("mean", torch.from_numpy(mean).float())
        self.register_buffer("deviation", torch.from_numpy(deviation).float())

    def forward(self, past: Tensor, step: Tensor | None = None) -> Tensor:
        """Forecast one window.

        Args:
            past: float32 [past, sensors, features], in the units of the data; what is missing is
                NaN, or a number that stands for it.
            step: int64 [1]: steps since midnight of the first row; where the time of day is seen.

        Returns:
            float32 [ahead, sensors].
        """
        known = ~torch.isnan(past)
        for number in self.missing:
            known = known & (past != number)
        rows = []
        last = self.mean.expand_as(past[0])  # before anything is known
        for row in range(past.shape[0]):
            last = torch.where(known[row], past[row], last)
            rows.append(last)
        values = (torch.stack(rows) - self.mean) / self.deviation
        if self.steps_per_day is not None and step is not None:
            at = (step + torch.arange(past.shape[0])) % self.steps_per_day
            phase = at.float() * (2 * math.pi / self.steps_per_day)
            clock = torch.stack([phase.sin(), phase.cos()], 1).unsqueeze(1)
            values = torch.cat([values, clock.expand(-1, past.shape[1], 2)], 2)
        forecast: Tensor = self.model(values.unsqueeze(0), mode="tensor")[0]
        return forecast
