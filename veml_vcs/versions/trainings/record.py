"""The record of a training version: ``trainings/NAME.veml``, canonical JSON, one fact a line.

What the fields mean: design note 021. Reading a stranger's record is ``parse``; what a repository
does with it is elsewhere (``repository/trainings``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from veml_vcs.ids import TreeId
from veml_vcs.versions.fields import numbers_json
from veml_vcs.versions.kinds import MODEL, Need, StoredPart
from veml_vcs.versions.text import FORMAT_VERSION, dump_record
from veml_vcs.versions.trainings.outcome import TrainingFacts
from veml_vcs.versions.trainings.uses import PredictionFacts


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


@dataclass(frozen=True, kw_only=True)
class TrainingRecord(TrainingFacts):
    """What one training version is.

    Attributes:
        checkpoint: The weights.
        log: What was said while it ran.
        predictions: What the network said of validation samples.
    """

    checkpoint: CheckpointFacts
    log: LogFacts | None = None
    predictions: PredictionFacts | None = None

    @property
    def parts(self) -> dict[str, StoredPart]:
        """The heavy parts in the store: ``checkpoint``, ``log``, ``predictions``."""
        found = {"checkpoint": StoredPart(self.checkpoint.tree, self.checkpoint.tensors)}
        if self.log is not None:
            found["log"] = StoredPart(self.log.tree, len(self.log.columns))
        if self.predictions is not None:
            found["predictions"] = StoredPart(self.predictions.tree, self.predictions.samples)
        return found

    @property
    def needs(self) -> tuple[Need, ...]:
        """The data versions and the model version."""
        model = self.model
        return (
            *(one.need for one in self.data),
            Need("model", model.name, MODEL.path(model.name), model.version),
        )

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
            "metrics": numbers_json(self.metrics),
            "per_class": {name: numbers_json(one) for name, one in self.per_class.items()},
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
            record["predictions"] = self.predictions.to_json()
        return dump_record(record)


def _checkpoint(facts: CheckpointFacts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tree": facts.tree.hex(),
        "tensors": facts.tensors,
        "bytes": facts.content_bytes,
    }
    if facts.parameters is not None:
        found["parameters"] = facts.parameters
    return found
