"""The records of versions: small canonical texts in the Git tree that pin the bytes behind them."""

from veml_vcs.versions.data import (
    RECORD_SUFFIX,
    ClassCount,
    DataRecord,
    dataset_path,
    is_data_record,
    parse_data_record,
)
from veml_vcs.versions.text import FORMAT_VERSION, dump_record, load_record

__all__ = [
    "FORMAT_VERSION",
    "RECORD_SUFFIX",
    "ClassCount",
    "DataRecord",
    "dataset_path",
    "dump_record",
    "is_data_record",
    "load_record",
    "parse_data_record",
]
