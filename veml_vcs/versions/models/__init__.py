"""The record of a model version: an OpenMMLab config as it was read, and what it says."""

from veml_vcs.versions.changes import FactChange
from veml_vcs.versions.configs.flat import ConfigChange, compare_configs, flatten, unflatten
from veml_vcs.versions.models.compare import fact_rows
from veml_vcs.versions.models.record import (
    ModelRecord,
    parse_model_record,
)

__all__ = [
    "ConfigChange",
    "FactChange",
    "ModelRecord",
    "compare_configs",
    "fact_rows",
    "flatten",
    "parse_model_record",
    "unflatten",
]
