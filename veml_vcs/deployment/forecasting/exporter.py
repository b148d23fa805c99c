"""Forecasters, for ``exporter``: a window of values goes in, the steps that follow come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from veml_vcs.deployment.exporter import Exporter, Told
from veml_vcs.deployment.forecasting.network import ForecastNetwork
from veml_vcs.errors import FormatError
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.forecasting.adapt import window_settings
from veml_vcs.training.forecasting.model import VemlForecastMetric
from veml_vcs.training.forecasting.run import ForecastRun
from veml_vcs.training.measured import Measured
from veml_vcs.training.run import Run
from veml_vcs.versions.inferences.outcome import Parity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PART = 1e-3
"""What is allowed, as a part of the standard deviation of what is forecast."""


class ForecastExporter(Exporter):
    """A forecaster with the windows that it is measured on.

    Args:
        run: Has the model with its weights, and the windows.
        tolerance: Of values; None is a thousandth of their standard deviation.
    """

    def __init__(self, run: ForecastRun, tolerance: float | None = None) -> None:
        self.run = run
        self.parts = run.parts
        self.model = run.runner.bare_model.eval()
        self.said = window_settings(run.plan.nested())
        self.features = len(self.parts.scale.mean)
        deviation = float(self.model.deviation)
        self.tolerance = _PART * deviation if tolerance is None else tolerance
        sensors = self.parts.val.inputs.shape[1]
        self.inputs = {"past": (self.said.past, sensors, self.features)}
        if self.said.steps_per_day is not None:
            self.inputs["step"] = (1,)
        self.outputs = {"forecast": (self.said.ahead, sensors)}
        self.preprocess = {
            "past": "float32 [steps, sensors, features] in the units of the data, NaN where a "
            "value is missing; sensors and features in the order of the data version",
        }
        if self.said.steps_per_day is not None:
            self.preprocess["step"] = (
                f"int64 [1]: steps since the series began, of {self.said.steps_per_day} a day"
            )
        if self.said.missing:
            self.preprocess["missing"] = ", ".join(f"{one:g}" for one in self.said.missing)
        self.postprocess = {"forecast": "float32 [steps, sensors] in the units of the data"}

    @classmethod
    def of(cls, run: Run, tolerance: float | None) -> ForecastExporter:
        """Return the exporter of a run of this task; see ``Exporter``."""
        assert isinstance(run, ForecastRun)
        return cls(run, tolerance)

    def network(self, *, portable: bool) -> Any:
        """Return the forecaster as one module; see ``Exporter``."""
        del portable  # it has PyTorch's own operators alone
        scale = self.parts.scale
        return ForecastNetwork(
            self.model, scale.mean, scale.deviation, self.said.missing, self.said.steps_per_day
        ).eval()

    def example(self) -> Any:
        """Return the first window."""
        return tuple(torch.from_numpy(one) for one in self.values(0).values())

    def checkpoint_answers(self, told: Told) -> Sequence[Any]:
        """Return the forecasts of the engine's own loop; see ``Exporter``."""
        found = []
        with torch.no_grad():
            for batch in self.run.runner.val_loop.dataloader:
                found += self.model.val_step(batch)
                told(len(found), len(self))
        return sorted(found, key=lambda one: int(one["index"]))

    def values(self, index: int) -> dict[str, NDArray[Any]]:
        """Return a window in the units of the data; see ``Exporter``."""
        windows, scale = self.parts.val, self.parts.scale
        start = int(windows.starts[index])
        scaled = windows.inputs[start : start + windows.past, :, : self.features]
        past = (scaled * scale.deviation + scale.mean).astype(np.float32)
        if self.said.steps_per_day is None:
            return {"past": past}
        return {"past": past, "step": np.array([start], np.int64)}

    def answer(self, index: int, found: Mapping[str, NDArray[Any]]) -> Any:
        """Return a forecast; see ``Exporter``."""
        forecast = found.get("forecast")
        wanted = self.outputs["forecast"]
        if forecast is None or forecast.shape != wanted:
            raise FormatError(f"the file gives no forecast of shape {wanted}", kind="cannot-run")
        return {"index": index, "forecast": forecast}

    def compare(self, checkpoint: Sequence[Any], file: Sequence[Any]) -> Parity:
        """Compare value by value; see ``Exporter``."""
        apart = max(
            float(np.abs(old["forecast"] - new["forecast"]).max())
            for old, new in zip(checkpoint, file, strict=True)
        )
        return Parity({"values": apart}, {"values": self.tolerance}, len(checkpoint))

    def measure(self, answers: Sequence[Any]) -> Measured:
        """Return the errors, as training measures them; see ``Exporter``."""
        metric = VemlForecastMetric(self.parts.val)
        metric.process(None, answers)
        metric.compute_metrics(metric.results)
        return metric.measured

    def predictions(self, answers: Sequence[Any]) -> dict[str, Annotation]:
        """Return nothing: all windows times steps times sensors are more than the data."""
        del answers
        return {}

    def __len__(self) -> int:
        return len(self.parts.val)
