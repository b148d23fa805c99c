"""The record of a training version: ``trainings/NAME.veml``, canonical JSON, one fact a line.

What the fields mean: design note 021. Reading a stranger's record is ``parse``; what a repository
does with it is elsewhere (``repository/trainings``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.ids import TreeId
from veml_vcs.versions.names import RecordNames
from veml_vcs.versions.text import FORMAT_VERSION, dump_record
from veml_vcs.versions.trainings.outcome import Status, Task
from veml_vcs.versions.trainings.uses import DataUse, Initial, ModelUse

TRAININGS = "trainings/"
"""Where the records of trainings lie."""

NAMES = RecordNames(TRAININGS, "training", "veml train --name night")
NUMBERS = {"~inf": math.inf, "~-inf": -math.inf, "~nan": math.nan}
"""What stands for a metric that JSON has no number for, as in a config."""


@dataclass(frozen=True)
class CheckpointFacts:
    """The checkpoint of a training version.

    Attributes:
        tree: Its root in the store.
        tensors: Number of tensors.
        content_bytes: Sum of their sizes.
        parameters: How many numbers were learnt; None where nobody counted them.
    """

    tree: TreeId
    tensors: int
    content_bytes: int
    parameters: int | None = None


@dataclass(frozen=True)
class LogFacts:
    """The log of a training version.

    Attributes:
        tree: Root in the store: a checkpoint of float64 columns.
        rows: Length of each column.
        columns: Their names, sorted.
    """

    tree: TreeId
    rows: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class PredictionFacts:
    """What the network said of the validation samples.

    Attributes:
        tree: Root in the store: annotations without samples, by data set's folder and key.
        samples: Of how many.
    """

    tree: TreeId
    samples: int


@dataclass(frozen=True)
class TrainingRecord:
    """What one training version is; fields that ``TrainingOutcome`` has too mean the same."""

    task: Task
    model: ModelUse
    data: tuple[DataUse, ...]
    checkpoint: CheckpointFacts
    config: Mapping[str, Any] = field(default_factory=dict)
    initial: Initial = field(default_factory=Initial)
    status: Status = "complete"
    seed: int | None = None
    determinism: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    iterations: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    log: LogFacts | None = None
    predictions: PredictionFacts | None = None
    transferred_from: Mapping[str, Any] = field(default_factory=dict)
    rebuilt_from: Mapping[str, Any] = field(default_factory=dict)
    derived: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trees(self) -> dict[str, TreeId]:
        """The heavy parts in the store, by name: ``checkpoint``, ``log``, ``predictions``."""
        found = {"checkpoint": self.checkpoint.tree}
        if self.log is not None:
            found["log"] = self.log.tree
        if self.predictions is not None:
            found["predictions"] = self.predictions.tree
        return found

    def to_bytes(self) -> bytes:
        """Return the canonical text of the record."""
        record: dict[str, Any] = {
            "veml": FORMAT_VERSION,
            "kind": "training",
            "task": self.task,
            "status": self.status,
            "model": {"name": self.model.name, "version": self.model.version},
            "data": [one.to_json() for one in self.data],
            "initial": self.initial.to_json(),
            "checkpoint": _checkpoint(self.checkpoint),
        }
        maybe: dict[str, Any] = {
            "config": dict(self.config),
            "seed": self.seed,
            "determinism": dict(self.determinism),
            "libraries": dict(self.libraries),
            "epochs": self.epochs,
            "iterations": self.iterations,
            "metrics": _numbers(self.metrics),
            "per_class": {name: _numbers(one) for name, one in self.per_class.items()},
            "transferred_from": dict(self.transferred_from),
            "rebuilt_from": dict(self.rebuilt_from),
            "derived": dict(self.derived),
        }
        record |= {name: one for name, one in maybe.items() if one is not None and one != {}}
        if self.log is not None:
            record["log"] = {
                "tree": self.log.tree.hex(),
                "rows": self.log.rows,
                "columns": list(self.log.columns),
            }
        if self.predictions is not None:
            record["predictions"] = {
                "tree": self.predictions.tree.hex(),
                "samples": self.predictions.samples,
            }
        return dump_record(record)


def is_training_record(data: bytes) -> bool:
    """Tell cheaply whether a ``*.veml`` file describes a training version."""
    return b'\n "kind": "training",\n' in data


def _checkpoint(facts: CheckpointFacts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tree": facts.tree.hex(),
        "tensors": facts.tensors,
        "bytes": facts.content_bytes,
    }
    if facts.parameters is not None:
        found["parameters"] = facts.parameters
    return found


def _numbers(metrics: Mapping[str, float]) -> dict[str, Any]:
    return {name: _number(one) for name, one in metrics.items()}


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return next(text for text, one in NUMBERS.items() if str(one) == str(float(value)))
