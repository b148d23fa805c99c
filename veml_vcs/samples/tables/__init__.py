"""Tables (CSV, TSV, Parquet): read without loss, compared and merged by row and column.

Names are imported when they are first used: ``veml add`` asks of most files only whether they are
tables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_MODULES = {
    "CellChange": "diff",
    "ColumnSummary": "summary",
    "ParquetMerge": "parquet",
    "ParquetTable": "parquet",
    "RowChange": "diff",
    "Table": "text",
    "TableConflict": "merge",
    "TableDiff": "diff",
    "TableMerge": "merge",
    "TableSummary": "summary",
    "diff_parquet": "parquet",
    "diff_tables": "diff",
    "is_table": "text",
    "merge_parquet": "parquet",
    "merge_tables": "merge",
    "read_parquet": "parquet",
    "read_table": "text",
    "summarise": "summary",
    "summarise_parquet": "parquet",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
