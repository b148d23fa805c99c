"""Tables in text files (CSV, TSV): read without loss, compared and merged by row and column."""

from veml_vcs.samples.tables.diff import CellChange, RowChange, TableDiff, diff_tables
from veml_vcs.samples.tables.merge import TableConflict, TableMerge, merge_tables
from veml_vcs.samples.tables.summary import ColumnSummary, TableSummary, summarise
from veml_vcs.samples.tables.text import Table, is_table, read_table

__all__ = [
    "CellChange",
    "ColumnSummary",
    "RowChange",
    "Table",
    "TableConflict",
    "TableDiff",
    "TableMerge",
    "TableSummary",
    "diff_tables",
    "is_table",
    "merge_tables",
    "read_table",
    "summarise",
]
