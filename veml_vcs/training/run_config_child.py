"""The process in which a trusted config runs: ``python -m ... FD PATH`` writes JSON into ``FD``."""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib.util import find_spec
from typing import Any

from veml_vcs.training.classification.adapt import is_classifier
from veml_vcs.training.engine import prepare_engine
from veml_vcs.training.forecasting.adapt import is_forecaster


def main(descriptor: int, path: str) -> None:
    """Run a config, and tell what it says, which files it opened, how large its model is."""
    opened: dict[str, None] = {}

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        # Read only: logs and caches that are written are no part of a config.
        if event == "open" and isinstance(arguments[0], str) and arguments[1] in ("r", "rb", None):
            opened[os.path.abspath(arguments[0])] = None

    sys.path.append(os.getcwd())  # where modules lie that a config of this project imports
    answer: dict[str, Any] = {"values": {}, "files": [], "parameters": None, "notes": []}
    try:
        from mmengine.config import Config

        sys.addaudithook(watch)
        config = Config.fromfile(path)
        answer["values"] = _plain(config.to_dict())
        answer["files"] = [file for file in opened if os.path.isfile(file)]
    except BaseException as error:  # noqa: BLE001 - also sys.exit() of a config is a failure of it
        answer = {"error": _told(error, path)}
    else:
        answer["parameters"], answer["notes"] = _parameters(config)
    with os.fdopen(descriptor, "w", encoding="utf-8") as pipe:
        json.dump(answer, pipe)


def _plain(value: Any) -> Any:
    """Return a value of JSON; refuse what a config cannot hold."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    raise TypeError(f"holds {value!r:.100}, a {type(value).__name__}, which no record can hold")


def _told(error: BaseException, path: str) -> str:
    """Return what failed, with the line of the config where there is one."""
    lines = [one for one in traceback.extract_tb(error.__traceback__) if one.filename == path]
    where = f"line {lines[-1].lineno}: " if lines else ""
    return f"running it failed: {where}{type(error).__name__}: {error!s:.300}"


def _parameters(config: Any) -> tuple[int | None, list[str]]:
    """Return the number of parameters of the config's model, if it can be built here."""
    if is_forecaster(config):
        return None, ["number of parameters unknown: it follows from the features of the data"]
    missing = "torchvision" if is_classifier(config) else "mmdet"
    if find_spec(missing) is None:
        return None, [f"number of parameters unknown: {missing} is not installed"]
    try:
        if is_classifier(config):
            prepare_engine("classification")
            from mmengine.registry import MODELS

            import veml_vcs.training.classification.model  # noqa: F401 - it registers
        else:
            prepare_engine("detection")
            from mmdet.registry import MODELS

        model = MODELS.build(config.model)
    except Exception as error:  # noqa: BLE001 - a model that cannot be built is told, not fatal
        return None, [f"number of parameters unknown: {type(error).__name__}: {error!s:.300}"]
    return sum(one.numel() for one in model.parameters()), []


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
