"""The record of a model version: an OpenMMLab config as it was read, and what it says."""

from veml_vcs.versions.models.compare import FactChange, compare_facts, fact_rows
from veml_vcs.versions.models.flat import ConfigChange, compare_configs, flatten, unflatten
from veml_vcs.versions.models.record import (
    MODELS,
    ModelRecord,
    check_name,
    is_model_record,
    model_name,
    parse_model_record,
    record_path,
)

__all__ = [
    "MODELS",
    "ConfigChange",
    "FactChange",
    "ModelRecord",
    "check_name",
    "compare_configs",
    "compare_facts",
    "fact_rows",
    "flatten",
    "is_model_record",
    "model_name",
    "parse_model_record",
    "record_path",
    "unflatten",
]
