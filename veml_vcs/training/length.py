"""How long to train: passes or steps, and the schedules that end with them.

Pure; for the configs of all tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError

_MEASURED_TIMES = 4


@dataclass(frozen=True)
class Length:
    """How long a training is.

    Attributes:
        iterations: Steps of the optimiser.
        epochs: Passes, if the config counts in passes.
        notes: What was changed, in sentences.
    """

    iterations: int
    epochs: int | None
    notes: tuple[str, ...]


def fit_length(
    made: dict[str, Any], samples: int, *, epochs: int | None, iterations: int | None
) -> Length:
    """Settle how long a config trains, and how often it measures.

    Args:
        made: The config, nested; changed in place.
        samples: How many are trained on.
        epochs: Train so many passes instead of what it says; schedules are stretched.
        iterations: Train so many steps instead.

    Raises:
        FormatError: A count in the config is none.
        InvalidInputError: Both ``epochs`` and ``iterations`` are given.
    """
    batch = made["train_dataloader"].get("batch_size")
    if type(batch) is not int or batch < 1:
        raise FormatError(f"train_dataloader.batch_size: expected a count, found {batch!r:.60}")
    steps = -(-samples // batch)
    notes = tuple(_set_length(made, steps, epochs, iterations))
    loop = made["train_cfg"]
    by_epoch = "max_epochs" in loop
    total = loop["max_epochs"] * steps if by_epoch else loop["max_iters"]
    loop.setdefault("val_interval", 1 if by_epoch else max(1, -(-total // _MEASURED_TIMES)))
    return Length(total, loop["max_epochs"] if by_epoch else None, notes)


def _set_length(
    made: dict[str, Any], steps: int, epochs: int | None, iterations: int | None
) -> Iterator[str]:
    """Set how long to train, and stretch the schedules that end with it."""
    if epochs is not None and iterations is not None:
        raise InvalidInputError("--epochs and --iterations: give one of them")
    loop = made["train_cfg"]
    kind = str(loop.get("type", "")).rpartition(".")[2]
    by_epoch = bool(loop.get("by_epoch", kind.startswith("Epoch") or "max_epochs" in loop))
    key = "max_epochs" if by_epoch else "max_iters"
    old = loop.get(key)
    if type(old) is not int or old < 1:
        raise FormatError(f"train_cfg.{key}: expected a count, found {old!r:.60}")
    loop.pop("by_epoch", None)
    loop["type"] = "EpochBasedTrainLoop" if by_epoch else "IterBasedTrainLoop"
    if by_epoch and iterations is not None:
        _by_iterations(made, steps)
        loop, key, old, by_epoch = made["train_cfg"], "max_iters", old * steps, False
    new = iterations if not by_epoch else epochs
    if not by_epoch and epochs is not None:
        new = epochs * steps
    if new is None or new == old:
        return
    loop[key] = new
    for one in _schedulers(made):
        _stretch(one, old, new)
    yield f"train_cfg.{key}: {old} -> {new}; the schedules that end with it were stretched"


def _schedulers(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = made.get("param_scheduler")
    every = found if isinstance(found, list) else [found]
    return [one for one in every if isinstance(one, dict)]


def _by_iterations(made: dict[str, Any], steps: int) -> None:
    """Count in steps what a config counts in passes."""
    loop = made["train_cfg"]
    made["train_cfg"] = {"type": "IterBasedTrainLoop", "max_iters": loop["max_epochs"] * steps}
    made["train_dataloader"]["sampler"] = {"type": "InfiniteSampler", "shuffle": True}
    for one in _schedulers(made):
        if not one.get("by_epoch", True):
            continue
        one["by_epoch"] = False
        one.pop("convert_to_iter_based", None)
        for name in ("begin", "end", "T_max"):
            if type(one.get(name)) is int:
                one[name] *= steps
        if isinstance(one.get("milestones"), list):
            one["milestones"] = [place * steps for place in one["milestones"]]


def _stretch(scheduler: dict[str, Any], old: int, new: int) -> None:
    """Let a schedule that ended with the training end with it again; a warm-up stays as it is.

    A warm-up that is longer than the training then just does not end.
    """
    begin = scheduler.get("begin", 0)
    if type(begin) is not int:
        return
    if scheduler.get("T_max") == old - begin:
        scheduler["T_max"] = max(1, new - begin)
    if scheduler.get("end") == old:
        scheduler["end"] = max(begin + 1, new)
    if isinstance(scheduler.get("milestones"), list):
        scheduler["milestones"] = [max(1, place * new // old) for place in scheduler["milestones"]]
