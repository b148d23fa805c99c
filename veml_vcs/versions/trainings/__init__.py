"""The record of a training version: what went in, and what came out."""

from veml_vcs.versions.trainings.outcome import (
    TrainingOutcome,
    classes_said,
    detections,
    log_columns,
)
from veml_vcs.versions.trainings.parse import parse_training_record
from veml_vcs.versions.trainings.record import (
    NAMES,
    TRAININGS,
    CheckpointFacts,
    LogFacts,
    PredictionFacts,
    TrainingRecord,
    is_training_record,
)
from veml_vcs.versions.trainings.uses import DataUse, Initial, ModelUse

__all__ = [
    "NAMES",
    "TRAININGS",
    "CheckpointFacts",
    "DataUse",
    "Initial",
    "LogFacts",
    "ModelUse",
    "PredictionFacts",
    "TrainingOutcome",
    "TrainingRecord",
    "classes_said",
    "detections",
    "is_training_record",
    "log_columns",
    "parse_training_record",
]
