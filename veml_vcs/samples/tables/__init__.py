"""Tables (CSV, TSV, Parquet): read without loss, compared and merged by row and column."""

from veml_vcs.samples.tables.diff import CellChange, RowChange, TableDiff, diff_tables
from veml_vcs.samples.tables.merge import TableConflict, TableMerge, merge_tables
from veml_vcs.samples.tables.parquet import (
    ParquetMerge,
    ParquetTable,
    diff_parquet,
    merge_parquet,
    read_parquet,
    summarise_parquet,
)
from veml_vcs.samples.tables.summary import ColumnSummary, TableSummary, summarise
from veml_vcs.samples.tables.text import Table, is_table, read_table

__all__ = [
    "CellChange",
    "ColumnSummary",
    "ParquetMerge",
    "ParquetTable",
    "RowChange",
    "Table",
    "TableConflict",
    "TableDiff",
    "TableMerge",
    "TableSummary",
    "diff_parquet",
    "diff_tables",
    "is_table",
    "merge_parquet",
    "merge_tables",
    "read_parquet",
    "read_table",
    "summarise",
    "summarise_parquet",
]
