"""Everything that a finished deployment knows: what is written as an inference version.

``InferenceFacts`` is what the outcome and the record both say, so that it is described once. What
is measured where, and what makes two deployments the same version: design note 024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from veml_vcs.ids import TreeId, VersionId
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.trainings.outcome import Task
from veml_vcs.versions.trainings.uses import DataUse

ExportFormat = Literal["onnx", "torchscript"]
FORMATS: tuple[ExportFormat, ...] = ("onnx", "torchscript")
Quantisation = Literal["none", "int8", "fp16"]
QUANTISATIONS: tuple[Quantisation, ...] = ("none", "int8", "fp16")


@dataclass(frozen=True)
class TrainingUse:
    """The training version that was deployed.

    Attributes:
        name: The training.
        version: Its version id.
        checkpoint: Root of its checkpoint in the store.
    """

    name: str
    version: VersionId
    checkpoint: TreeId


@dataclass(frozen=True)
class Parity:
    """How the deployed file differs from the checkpoint on the same samples.

    Attributes:
        largest: The largest difference of each kind of number: ``boxes`` (pixels of the image as it
            is stored), ``scores``, ``values`` (a forecast's own units).
        tolerance: What was allowed; the same names.
        samples: On how many samples it was tried.
        unmatched: Detections that only one of the two made.
    """

    largest: Mapping[str, float]
    tolerance: Mapping[str, float]
    samples: int
    unmatched: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing differs by more than was allowed."""
        return not self.unmatched and all(
            difference <= self.tolerance.get(name, 0.0) for name, difference in self.largest.items()
        )


@dataclass(frozen=True)
class Latency:
    """How long one run of the deployed file took. Measured: no two runs give the same numbers.

    Attributes:
        median_ms: Of one batch, in milliseconds.
        p95_ms: 95 of 100 batches took no longer.
        batch: Samples in a batch.
        threads: Threads that computed it.
        cpu: The processor's model name; no name of a host.
        warm_up: Runs before the first that counts.
        runs: Runs that count.
    """

    median_ms: float
    p95_ms: float
    batch: int
    threads: int
    cpu: str
    warm_up: int
    runs: int


@dataclass(frozen=True, kw_only=True)
class InferenceFacts:
    """What an inference version says besides its heavy parts.

    Attributes:
        training: The training version that was deployed.
        task: What it does.
        classes: Names of its classes, in the order of the file's own numbers; empty where the task
            has none.
        format: ``onnx`` or ``torchscript``.
        quantisation: ``none`` (the checkpoint's own numbers), ``int8`` or ``fp16``.
        device: What it was made for and measured on: ``cpu``, ``cuda``.
        inputs: Name of an input of the file -> its shape, -1 where any length does.
        preprocess: What has to be done to a sample first, as flat JSON values (mean, std, size,
            order of channels), so that whoever has the file and the record alone can use it.
        postprocess: What has to be done to what the file gives, as flat JSON values.
        options: What else the exporter was told, as flat JSON values.
        opset: Of ONNX.
        libraries: Name -> version of what exported and ran it.
        data: Data versions that were used: ``val`` measured the accuracy on, ``calibration`` chose
            the ranges of whole numbers.
        parity: Against the checkpoint; None where nobody compared.
        metrics: Name -> number, measured with the deployed file on the data with the role ``val``.
        per_class: Class -> name -> number.
        checkpoint_metrics: Name -> number, of the checkpoint on the same samples.
        latency: None where nobody measured it. It is no part of what makes the version the same.
    """

    training: TrainingUse
    task: Task
    format: ExportFormat
    classes: tuple[str, ...] = ()
    quantisation: Quantisation = "none"
    device: str = "cpu"
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    preprocess: Mapping[str, Any] = field(default_factory=dict)
    postprocess: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    opset: int | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    data: tuple[DataUse, ...] = ()
    parity: Parity | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    checkpoint_metrics: Mapping[str, float] = field(default_factory=dict)
    latency: Latency | None = None


@dataclass(frozen=True, kw_only=True)
class InferenceOutcome(InferenceFacts):
    """A deployment that is done; ``write_inference`` takes it with the exported file.

    Attributes:
        predictions: What the deployed file says of samples, to be looked at by ``veml inference
            errors``: data set's folder -> sample's key -> an annotation (``detections`` of
            ``versions.trainings`` makes those of boxes). The folders are among ``data``.
    """

    predictions: Mapping[str, Mapping[str, Annotation]] = field(default_factory=dict)
