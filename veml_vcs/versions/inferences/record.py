"""The record of an inference version: ``inferences/NAME.veml``, canonical JSON, one fact a line.

What the fields mean: design note 024. Reading a stranger's record is ``parse``; what a repository
does with it is elsewhere (``repository/inferences``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from veml_vcs.ids import SampleId, TreeId
from veml_vcs.versions.fields import numbers_json
from veml_vcs.versions.inferences.outcome import InferenceFacts, Parity
from veml_vcs.versions.kinds import TRAINING, Need, StoredPart
from veml_vcs.versions.text import FORMAT_VERSION, dump_record
from veml_vcs.versions.trainings.uses import PredictionFacts


@dataclass(frozen=True)
class FileFacts:
    """The deployed file.

    Attributes:
        tree: Root in the store: a tree of one entry.
        sha256: SHA-256 of the file's bytes.
        size_bytes: Its length.
    """

    tree: TreeId
    sha256: SampleId
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class InferenceRecord(InferenceFacts):
    """What one inference version is.

    Attributes:
        file: The deployed file.
        predictions: What it says of samples, where that was kept.
    """

    file: FileFacts
    predictions: PredictionFacts | None = None

    @property
    def parts(self) -> dict[str, StoredPart]:
        """The heavy parts in the store: ``file``, ``predictions``."""
        found = {"file": StoredPart(self.file.tree, 1)}
        if self.predictions is not None:
            found["predictions"] = StoredPart(self.predictions.tree, self.predictions.samples)
        return found

    @property
    def needs(self) -> tuple[Need, ...]:
        """The training, and the data versions that were used."""
        training = self.training
        return (
            Need("training", training.name, TRAINING.path(training.name), training.version),
            *(one.need for one in self.data),
        )

    def same_but_for_latency(self, other: InferenceRecord) -> bool:
        """Tell whether two records are of one deployment: no two measure the same latency."""
        one, another = (replace(record, latency=None).to_bytes() for record in (self, other))
        return one == another

    def to_bytes(self) -> bytes:
        """Return the canonical text of the record."""
        training = self.training
        record: dict[str, Any] = {
            "veml": FORMAT_VERSION,
            "kind": "inference",
            "task": self.task,
            "training": {
                "name": training.name,
                "version": training.version,
                "tree": training.checkpoint.hex(),
            },
            "format": self.format,
            "quantisation": self.quantisation,
            "device": self.device,
            "file": {
                "tree": self.file.tree.hex(),
                "sha256": self.file.sha256.hex(),
                "bytes": self.file.size_bytes,
            },
        }
        maybe: dict[str, Any] = {
            "classes": list(self.classes),
            "inputs": {name: list(shape) for name, shape in self.inputs.items()},
            "preprocess": dict(self.preprocess),
            "postprocess": dict(self.postprocess),
            "options": dict(self.options),
            "opset": self.opset,
            "libraries": dict(self.libraries),
            "data": [one.to_json() for one in self.data],
            "parity": None if self.parity is None else _parity(self.parity),
            "metrics": numbers_json(self.metrics),
            "per_class": {name: numbers_json(one) for name, one in self.per_class.items()},
            "checkpoint_metrics": numbers_json(self.checkpoint_metrics),
            "latency": None if self.latency is None else asdict(self.latency),
            "predictions": None if self.predictions is None else self.predictions.to_json(),
        }
        record |= {name: one for name, one in maybe.items() if one not in (None, {}, [])}
        return dump_record(record)


def _parity(parity: Parity) -> dict[str, Any]:
    return {
        "largest": numbers_json(parity.largest),
        "tolerance": numbers_json(parity.tolerance),
        "samples": parity.samples,
        "unmatched": parity.unmatched,
    }
