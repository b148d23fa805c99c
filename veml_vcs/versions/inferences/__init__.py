"""The record of an inference version: the deployed file, what it is of, and what was measured."""

from veml_vcs.versions.inferences.outcome import (
    FORMATS,
    QUANTISATIONS,
    ExportFormat,
    InferenceFacts,
    InferenceOutcome,
    Latency,
    Parity,
    Quantisation,
    TrainingUse,
)

__all__ = [
    "FORMATS",
    "QUANTISATIONS",
    "ExportFormat",
    "InferenceFacts",
    "InferenceOutcome",
    "Latency",
    "Parity",
    "Quantisation",
    "TrainingUse",
]
