"""One process that trains a forecaster: its windows, and the graph that its network walks."""

from __future__ import annotations

from typing import Any

from veml_vcs.errors import VemlError
from veml_vcs.training.forecasting.adapt import window_settings
from veml_vcs.training.forecasting.model import Forecaster
from veml_vcs.training.forecasting.parts import ForecastParts, forecast_parts
from veml_vcs.training.forecasting.plan import read
from veml_vcs.training.forecasting.windows import Windows
from veml_vcs.training.run import Run
from veml_vcs.training.watch import Watcher


class ForecastRun(Run):
    """A training of a forecaster."""

    parts: ForecastParts

    def load(self, watcher: Watcher) -> tuple[Windows, Windows]:
        """Read the series, and cut it as the plan says."""
        watcher.doing("reading the series")
        settings = window_settings(self.plan.nested())
        fraction = float(self.plan.val.part["fraction"])
        self.parts = forecast_parts(read(self.plan.train.dataset(self.repo)), settings, fraction)
        return self.parts.train, self.parts.val

    def built(self, model: Any) -> None:
        """Give the network its graph.

        Raises:
            VemlError: The config's model is no forecaster after all.
        """
        if not isinstance(model, Forecaster):
            raise VemlError(f"expected a Forecaster, the engine built {type(model).__name__}")
        model.set_walks(self.parts.walks)
