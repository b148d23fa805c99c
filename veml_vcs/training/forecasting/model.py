"""The forecaster as MMEngine trains it, and its data set and metric.

Importing this registers them: ``Forecaster``, ``DCRNN``, ``ConvLSTM``, ``MaskedL1Loss``,
``VemlWindows``, ``VemlForecastMetric``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from veml_vcs.training.forecasting.adapt import DATASET, METRIC
from veml_vcs.training.forecasting.networks import DCRNN, ConvLSTM, EncoderDecoder
from veml_vcs.training.forecasting.windows import Windows
from veml_vcs.training.measured import Measured

MODELS.register_module(module=DCRNN)
MODELS.register_module(module=ConvLSTM)

_HORIZONS = (3, 6, 12)  # steps ahead that papers tell apart


@MODELS.register_module()
class MaskedL1Loss(nn.Module):
    """The mean absolute error over values that are known; 0 where none is."""

    def forward(self, forecast: Tensor, targets: Tensor) -> Tensor:
        """Return a scalar.

        Args:
            forecast: float32 [B, ahead, N].
            targets: The same; NaN where there is no value.
        """
        known = torch.isfinite(targets)
        # Not errors[known].mean(): of nothing it is NaN.
        errors = torch.where(known, (forecast - torch.nan_to_num(targets)).abs(), 0.0)
        return errors.sum() / known.sum().clamp(min=1)


@MODELS.register_module()
class Forecaster(BaseModel):  # type: ignore[misc]
    """Forecasts one feature of every sensor, in the units of the data.

    Args:
        backbone: ``DCRNN`` or ``ConvLSTM``.
        loss: What is made small.
        ahead: Steps that are forecast.
        mean: Of the feature in what is trained on.
        deviation: Its standard deviation.
        truth_decay: Steps of training over which the decoder is told the truth less and less (tau
            of Li et al. 2018); 0: it never is.
        data_preprocessor: As of ``BaseModel``.
        init_cfg: As of ``BaseModel``.
    """

    def __init__(
        self,
        backbone: dict[str, Any],
        loss: dict[str, Any] | None = None,
        ahead: int = 12,
        mean: float = 0.0,
        deviation: float = 1.0,
        truth_decay: float = 0.0,
        data_preprocessor: Any = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone: EncoderDecoder = MODELS.build(backbone)
        self.loss = MODELS.build(loss or {"type": "MaskedL1Loss"})
        self.ahead = ahead
        self.truth_decay = truth_decay
        # In the checkpoint: without them its weights say nothing.
        self.register_buffer("mean", torch.tensor(float(mean)))
        self.register_buffer("deviation", torch.tensor(float(deviation)))

    def forward(
        self,
        inputs: Any,
        targets: Any = None,
        index: Any = None,
        mode: str = "tensor",
    ) -> Any:
        """Forecast, as MMEngine asks for it.

        Args:
            inputs: float32 [past, N, F] each, scaled.
            targets: float32 [ahead, N] each, in the units of the data; NaN: no value.
            index: Position of each window.
            mode: ``loss``, ``predict`` or ``tensor``.

        Returns:
            ``{"loss": ...}``; a dict of ``index`` and ``forecast`` each; or float32
            [B, ahead, N].
        """
        x = inputs if isinstance(inputs, Tensor) else torch.stack(list(inputs))
        if mode != "loss":
            forecast = self.backbone(x, self.ahead) * self.deviation + self.mean
            if mode == "tensor":
                return forecast
            places = [int(one) for one in index]
            return [
                {"index": place, "forecast": one.detach().cpu().numpy()}
                for place, one in zip(places, forecast, strict=True)
            ]
        truth = targets if isinstance(targets, Tensor) else torch.stack(list(targets))
        scaled = torch.nan_to_num((truth - self.mean) / self.deviation)
        forecast = self.backbone(x, self.ahead, scaled, self._told())
        return {"loss": self.loss(forecast * self.deviation + self.mean, truth)}

    def _told(self) -> float:
        """Return how often the decoder is told the truth: tau / (tau + exp(i / tau))."""
        if self.truth_decay <= 0:
            return 0.0
        done = MessageHub.get_current_instance().get_info("iter", 0)
        return self.truth_decay / (self.truth_decay + math.exp(min(done / self.truth_decay, 700.0)))

    def set_walks(self, walks: Sequence[NDArray[np.float32]]) -> None:
        """Say where a random walker goes; of a network without a graph, nothing.

        Args:
            walks: float32 [N, N] each.
        """
        if isinstance(self.backbone, DCRNN):
            self.backbone.set_walks([torch.from_numpy(one) for one in walks])


@DATASETS.register_module(name=DATASET)
class VemlWindows(Dataset[Any]):
    """Windows of a data version as MMEngine takes them.

    Args:
        samples: The windows.
        part: ``train`` or ``val``; told for people who read the config.
        rest: How they were cut, told as well.
    """

    def __init__(self, samples: Windows, part: str = "train", **rest: Any) -> None:
        self.windows = samples
        self.metainfo: dict[str, Any] = {"part": part, **rest}

    def full_init(self) -> None:
        """Do nothing: all is here."""

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        seen, follows = self.windows[int(index)]
        return {
            "inputs": torch.from_numpy(seen),
            "targets": torch.from_numpy(follows),
            "index": int(index),
        }


@dataclass(frozen=True)
class Judged:
    """What was found of forecasts.

    Attributes:
        sums: float64 [5, ahead, N], over all windows: absolute errors, their squares, errors as
            parts of the values, and over how many values these are.
        forecasts: Of windows that do not overlap: place of the window -> float32 [ahead, N].
    """

    sums: NDArray[np.float64]
    forecasts: dict[int, NDArray[np.float32]] = field(default_factory=dict)


@METRICS.register_module(name=METRIC)
class VemlForecastMetric(BaseMetric):  # type: ignore[misc]
    """Errors of forecasts over values that are known, in the units of the data.

    ``MAE``, ``RMSE``, ``MAPE`` (a part, of values that are not 0), ``MAE_3`` and so on for one step
    ahead alone, and ``MAE_last_value``: of saying that everything stays as it is.

    Args:
        samples: The windows that are measured on.

    Attributes:
        measured: The last measurement.
        judged: What it came from.
    """

    default_prefix = None

    def __init__(self, samples: Windows, **rest: Any) -> None:
        super().__init__(**rest)
        self.samples = samples
        self.measured = Measured()
        self.judged = Judged(np.zeros((5, 0, 0), np.float64))

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Add a batch to the sums: of errors, squares, ratios, and counts."""
        del data_batch
        if not self.results:
            shape = (5, self.samples.ahead, self.samples.targets.shape[1])
            self.results.append(Judged(np.zeros(shape, np.float64)))
        judged: Judged = self.results[0]
        for one in data_samples:
            place = int(one["index"])
            _, targets = self.samples[place]
            errors = np.abs(one["forecast"].astype(np.float64) - targets)
            known = np.isfinite(errors)
            ratios = known & (np.abs(targets) > 1e-6)
            parts = np.divide(errors, np.abs(targets), out=np.zeros_like(errors), where=ratios)
            errors = np.where(known, errors, 0.0)
            found = np.stack([errors, np.square(errors), parts, known, ratios])
            np.add(judged.sums, found, out=judged.sums)
            if place % self.samples.ahead == 0:
                judged.forecasts[place] = np.asarray(one["forecast"], np.float32)

    def compute_metrics(self, results: list[Judged]) -> dict[str, float]:
        """Return the errors of all batches."""
        sums = np.sum([one.sums for one in results], axis=0)
        kept = {place: said for one in results for place, said in one.forecasts.items()}
        self.judged = Judged(sums, dict(sorted(kept.items())))
        steps = sums.sum(axis=2)
        errors, squares, parts, known, ratios = steps.sum(axis=1)
        found = {"MAE": errors / known, "RMSE": math.sqrt(squares / known)}
        if ratios:
            found["MAPE"] = parts / ratios
        for step in _HORIZONS:
            if step <= steps.shape[1] and steps[3, step - 1]:
                found[f"MAE_{step}"] = steps[0, step - 1] / steps[3, step - 1]
        found["MAE_last_value"] = self.samples.last_value_error()
        self.measured = Measured({name: float(value) for name, value in found.items()})
        return self.measured.metrics
