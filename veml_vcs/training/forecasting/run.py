"""One process that trains a forecaster: its windows, and the graph that its network walks."""

from __future__ import annotations

from typing import Any

import numpy as np

from veml_vcs.errors import VemlError
from veml_vcs.training.forecasting.adapt import window_settings
from veml_vcs.training.forecasting.model import Forecaster
from veml_vcs.training.forecasting.parts import ForecastParts
from veml_vcs.training.forecasting.plan import parts_of, read
from veml_vcs.training.forecasting.windows import Windows
from veml_vcs.training.run import Run
from veml_vcs.training.runner import metric_of
from veml_vcs.training.watch import Watcher
from veml_vcs.versions.trainings.forecasts import (
    ERRORS_KEY,
    errors_said,
    forecast_said,
    window_key,
)


class ForecastRun(Run):
    """A training of a forecaster."""

    parts: ForecastParts
    sensors: tuple[str, ...]

    def load(self, watcher: Watcher) -> tuple[Windows, Windows]:
        """Read the series, and cut it as the plan says."""
        watcher.doing("reading the series")
        plan = self.plan
        series = read(plan.val.dataset(self.repo))
        self.sensors = series.sensors or tuple(map(str, range(series.values.shape[1])))
        self.parts = parts_of(
            self.repo, series, plan.train, plan.val, plan.also, window_settings(plan.nested())
        )
        return self.parts.train, self.parts.val

    def built(self, model: Any) -> None:
        """Give the network its graph.

        Raises:
            VemlError: The config's model is no forecaster after all.
        """
        if not isinstance(model, Forecaster):
            raise VemlError(f"expected a Forecaster, the engine built {type(model).__name__}")
        model.set_walks(self.parts.walks)

    def predictions(self) -> dict[str, dict[str, Any]]:
        """Return forecasts of windows that do not overlap, and the errors of all windows."""
        windows, judged = self.parts.val, metric_of(self.runner).judged
        said = {}
        for place, forecast in judged.forecasts.items():
            _, targets = windows[place]
            known = np.isfinite(targets)
            wrong = np.abs(forecast - targets)[known]
            step = int(windows.starts[place]) + windows.past
            mae = float(wrong.mean()) if wrong.size else float("nan")
            said[window_key(step)] = forecast_said(step, forecast, mae)
        errors, known = judged.sums[0], judged.sums[3]
        said[ERRORS_KEY] = errors_said(self.sensors, len(windows), errors, known)
        return {self.plan.val.path: said}
