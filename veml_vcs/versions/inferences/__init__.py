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
from veml_vcs.versions.inferences.parse import parse_inference_record
from veml_vcs.versions.inferences.record import FileFacts, InferenceRecord

__all__ = [
    "FORMATS",
    "QUANTISATIONS",
    "ExportFormat",
    "FileFacts",
    "InferenceFacts",
    "InferenceOutcome",
    "InferenceRecord",
    "Latency",
    "Parity",
    "Quantisation",
    "TrainingUse",
    "parse_inference_record",
]
