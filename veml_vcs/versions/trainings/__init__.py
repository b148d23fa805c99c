"""The record of a training version: what went in, and what came out."""

from veml_vcs.versions.trainings.outcome import (
    TrainingFacts,
    TrainingOutcome,
    classes_said,
    detections,
    log_columns,
)
from veml_vcs.versions.trainings.parse import parse_training_record
from veml_vcs.versions.trainings.record import (
    CheckpointFacts,
    LogFacts,
    TrainingRecord,
)
from veml_vcs.versions.trainings.uses import DataUse, Initial, ModelUse, PredictionFacts

__all__ = [
    "CheckpointFacts",
    "DataUse",
    "Initial",
    "LogFacts",
    "ModelUse",
    "PredictionFacts",
    "TrainingFacts",
    "TrainingOutcome",
    "TrainingRecord",
    "classes_said",
    "detections",
    "log_columns",
    "parse_training_record",
]
