"""Fit a forecaster's config to a data version.

Pure, as ``training/adapt.py`` for detectors: a config goes in, another comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.training.forecasting.parts import ForecastParts, WindowSettings
from veml_vcs.training.parts import training_parts
from veml_vcs.versions.models import flatten, unflatten

DATASET = "VemlWindows"
METRIC = "VemlForecastMetric"
FORECASTER = "Forecaster"
NETWORKS = ("DCRNN", "ConvLSTM")


def is_forecaster(config: Mapping[str, Any]) -> bool:
    """Tell whether a config's model forecasts."""
    model = config.get("model")
    return isinstance(model, Mapping) and model.get("type") == FORECASTER


def window_settings(config: Mapping[str, Any]) -> WindowSettings:
    """Return how the config cuts a series into windows.

    Raises:
        FormatError: It says what is not known.
    """
    loader = config.get("train_dataloader")
    said = loader.get("dataset") if isinstance(loader, Mapping) else None
    if not isinstance(said, Mapping):
        raise FormatError(
            "the config says nothing of train_dataloader.dataset, which a training needs",
            hint="veml model template dcrnn-small shows one that has all",
            kind="config-incomplete",
        )
    rest = {key: value for key, value in said.items() if key not in ("type", "part")}
    return WindowSettings.read(rest, "train_dataloader.dataset")


def fit_forecaster(config: Mapping[str, Any], parts: ForecastParts) -> dict[str, Any]:
    """Fit a config to windows.

    Args:
        config: Nested and plain; it is not changed.
        parts: The windows.

    Returns:
        The config: the model knows how many numbers it sees, and their scale; the loaders have the
        data version's windows.

    Raises:
        FormatError: The model's network is none of ours, or the config lacks what a training needs.
    """
    made = training_parts(unflatten(flatten(config)), "dcrnn-small")
    model = made["model"]
    network = model.get("backbone")
    if not isinstance(network, dict) or network.get("type") not in NETWORKS:
        raise FormatError(
            f"model.backbone: expected a dict with a type of {', '.join(NETWORKS)}, found "
            f"{network!r:.80}",
            kind="no-network",
        )
    network["inputs"] = parts.features
    model["ahead"] = parts.train.ahead
    model["mean"] = float(parts.scale.mean[parts.target])
    model["deviation"] = float(parts.scale.deviation[parts.target])
    said = {
        key: value
        for key, value in made["train_dataloader"]["dataset"].items()
        if key not in ("type", "part")
    }
    made["train_dataloader"]["dataset"] = {"type": DATASET, "part": "train", **said}
    size = made["train_dataloader"].get("batch_size", 1)
    made["val_dataloader"] = {
        "batch_size": size,
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "drop_last": False,
        "dataset": {"type": DATASET, "part": "val", **said},
    }
    made["val_cfg"] = {"type": "ValLoop"}
    made["val_evaluator"] = {"type": METRIC}
    made["default_scope"] = "mmengine"
    return made
