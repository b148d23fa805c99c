"""Parquet files: read into tables of texts, and merged without a value passing through a text.

Texts are what is compared; where a merge takes a cell, the value itself is taken from the column it
stands in. pyarrow does the reading and writing; it is imported when a function here is called, and
may not be installed (extra ``[parquet]``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from veml_vcs.errors import FormatError, MissingDependencyError
from veml_vcs.samples.annotations.conflicts import Choice
from veml_vcs.samples.tables.diff import TableDiff, diff_tables
from veml_vcs.samples.tables.merge import TableMerge, merge_tables
from veml_vcs.samples.tables.summary import TableSummary, summarise
from veml_vcs.samples.tables.text import Row, Table, quoted, value_of

MAX_CELLS = 4_000_000
MAX_UNPACKED_BYTES = 1 << 30
_BATCH_ROWS = 4096
_VERSIONS = ("1.0", "2.4", "2.6")
_CODECS = {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class ParquetForm:
    """How a Parquet file is written, apart from what it says.

    Attributes:
        codecs: Path of each column in the file -> compression, as pyarrow takes it.
        dictionaries: Paths of the columns whose values are kept in dictionaries.
        group_rows: Rows of the largest row group; 0 if there is none.
        version: Of the format: ``1.0``, ``2.4`` or ``2.6``.
        int96: Whether times are in the old 96-bit form.
        arrow_schema: Whether the file carries the schema of Arrow.
    """

    codecs: dict[str, str]
    dictionaries: tuple[str, ...]
    group_rows: int
    version: str
    int96: bool
    arrow_schema: bool


@dataclass(frozen=True)
class ParquetTable:
    """One Parquet file.

    Attributes:
        table: Its cells as texts: numbers as Python writes them, times in ISO form, nested values
            as JSON, nothing where there is no value, ``''`` for an empty text.
        arrow: Its values, a ``pyarrow.Table``.
        form: How it is written.
    """

    table: Table
    arrow: Any
    form: ParquetForm


@dataclass(frozen=True)
class ParquetMerge:
    """The merge of a Parquet file: its bytes, and the merge of its table."""

    data: bytes
    merge: TableMerge


def read_parquet(data: bytes, key: str) -> ParquetTable:
    """Read a Parquet file.

    Raises:
        FormatError: It is none, is damaged, or too large to compare by rows.
        MissingDependencyError: pyarrow is not installed.
    """
    pa, pq = _pyarrow()
    if not data.startswith(_MAGIC):
        raise FormatError(f"{key}: no Parquet file: it does not begin with PAR1")
    try:
        # Arrow's own buffer, read where it is needed: for Python's files, and to read ahead, Arrow
        # starts threads, and a process that ends while one of them lives is now and then aborted
        # (apache/arrow#34314, #50482).
        with pq.ParquetFile(pa.BufferReader(data), pre_buffer=False) as file:
            meta = file.metadata
            _refuse_large(meta, len(file.schema_arrow.names), key)
            batches, unpacked = [], 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
                unpacked += batch.nbytes
                if unpacked > MAX_UNPACKED_BYTES:
                    raise FormatError(f"{key}: more than {MAX_UNPACKED_BYTES} bytes unpacked")
                batches.append(batch)
            arrow = pa.Table.from_batches(batches, schema=file.schema_arrow)
            form = _form_of(meta)
        arrow.validate(full=True)
        columns = [_texts(pa, column) for column in arrow.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, TypeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{key}: no Parquet file that can be read: {error!s:.300}") from error
    header = Row(tuple(quoted(name, "", ",") for name in arrow.column_names))
    rows = tuple(Row(cells) for cells in zip(*columns, strict=True))
    return ParquetTable(Table("utf-8", b"", ",", header, rows), arrow, form)


def diff_parquet(old: ParquetTable, new: ParquetTable) -> TableDiff:
    """Compare two versions of a Parquet file by rows and cells; then by types and form."""
    found = diff_tables(old.table, new.table)
    before = dict(zip(old.table.columns, old.arrow.schema.types, strict=True))
    after = dict(zip(new.table.columns, new.arrow.schema.types, strict=True))
    form = [
        f"type of {name}: {before[name]} -> {after[name]}"
        for name in before
        if name in after and before[name] != after[name]
    ]
    if not found and not form:
        if old.form != new.form:
            form.append("compression or layout")
        elif not old.arrow.schema.equals(new.arrow.schema, check_metadata=True):
            form.append("metadata")
        else:
            form.append("bytes")
    return replace(found, form=tuple(form))


def merge_parquet(
    base: ParquetTable | None,
    ours: ParquetTable,
    theirs: ParquetTable,
    choice: Choice | None = None,
) -> ParquetMerge:
    """Merge two versions of a Parquet file that began as ``base``, as ``merge_tables`` does.

    The file is written with our schema, compression and size of row groups; what only they have
    comes with theirs.

    Args:
        base: The common ancestor; None if there was none.
        ours: Our side's.
        theirs: Their side's.
        choice: The side all conflicts are settled to; None leaves them open.

    Raises:
        FormatError: A column is of different types, or the result cannot be written without loss.
    """
    pa, _ = _pyarrow()
    merged = merge_tables(None if base is None else base.table, ours.table, theirs.table, choice)
    sides = [ours, theirs] if base is None else [ours, theirs, base]
    rows = _Rows(merged.table, sides)
    taken = [rows.take(pa, place, name) for place, name in enumerate(merged.table.columns)]
    fields, columns = [one[0] for one in taken], [one[1] for one in taken]
    schema = pa.schema(fields, metadata=ours.arrow.schema.metadata)
    result = pa.table(columns, schema=schema)
    data = _written(result, ours.form, theirs.form)
    again = read_parquet(data, "the merged file")
    if again.arrow.schema.types != schema.types or _values(again.table) != _values(merged.table):
        raise FormatError("the merged rows cannot be written as Parquet without loss")
    return ParquetMerge(data, merged)


def summarise_parquet(found: ParquetTable) -> TableSummary:
    """Return a Parquet file in a few lines; kinds of columns are Arrow's types."""
    summary = summarise(found.table)
    types = found.arrow.schema.types
    columns = (replace(c, kind=str(t)) for c, t in zip(summary.columns, types, strict=True))
    codecs = sorted({one.lower() for one in found.form.codecs.values()})
    encoding = ", ".join(["Parquet", *codecs])
    return replace(summary, encoding=encoding, delimiter="", columns=tuple(columns))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError(
            f"rows of Parquet files are read with pyarrow, which is not installed ({error})",
            hint="pip install 'veml[parquet]'",
            kind="needs-parquet",
        ) from error
    return pa, pq


def _refuse_large(meta: Any, columns: int, key: str) -> None:
    """Refuse a file by what it states of itself, before anything is unpacked."""
    if not columns:
        raise FormatError(f"{key}: a table without columns")
    if meta.num_rows < 0 or meta.num_rows * columns > MAX_CELLS:
        raise FormatError(
            f"{key}: {meta.num_rows} rows of {columns} columns are too many to compare by cells"
        )
    groups = (meta.row_group(i) for i in range(meta.num_row_groups))
    total = sum(one.total_byte_size for one in groups)
    if total > MAX_UNPACKED_BYTES:
        raise FormatError(f"{key}: {total} bytes unpacked are too many to compare by cells")


def _form_of(meta: Any) -> ParquetForm:
    codecs: dict[str, str] = {}
    dictionaries: dict[str, None] = {}
    rows, int96 = 0, False
    for i in range(meta.num_row_groups):
        group = meta.row_group(i)
        rows = max(rows, group.num_rows)
        for j in range(group.num_columns):
            column = group.column(j)
            codecs.setdefault(
                column.path_in_schema, _CODECS.get(column.compression, column.compression)
            )
            if any("DICTIONARY" in one for one in column.encodings):
                dictionaries[column.path_in_schema] = None
            int96 = int96 or column.physical_type == "INT96"
    version = meta.format_version if meta.format_version in _VERSIONS else _VERSIONS[-1]
    carries = b"ARROW:schema" in (meta.metadata or {})
    return ParquetForm(codecs, tuple(dictionaries), rows, version, int96, carries)


def _texts(pa: Any, column: Any) -> list[str]:
    """Return the text of every cell; different values of one column have different texts."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _texts(pa, pa.chunked_array([one.storage for one in column.chunks],
                                           kind.storage_type))  # fmt: skip
    if pa.types.is_dictionary(kind):
        return _texts(pa, column.cast(kind.value_type))
    if pa.types.is_floating(kind):
        if pa.types.is_float64(kind):
            return ["" if one is None else repr(one) for one in column.to_pylist()]
        # numpy writes the fewest digits that give the same number at its own width.
        numbers = column.to_numpy()  # NaN where there is none
        nulls = column.is_null().to_pylist()
        return ["" if gone else str(one) for one, gone in zip(numbers, nulls, strict=True)]
    if pa.types.is_date64(kind):
        return _texts(pa, column.cast(pa.timestamp("ms")))
    if pa.types.is_timestamp(kind):
        mark = "" if kind.tz is None else "Z"
        plain = column.cast(pa.timestamp(kind.unit)).cast(pa.string())
        return ["" if one is None else _short_time(one) + mark for one in plain.to_pylist()]
    if pa.types.is_date32(kind) or pa.types.is_time(kind):
        return ["" if one is None else one for one in column.cast(pa.string()).to_pylist()]
    if pa.types.is_duration(kind):
        column = column.cast(pa.int64())
    if pa.types.is_integer(kind):
        return ["" if one is None else str(one) for one in column.to_pylist()]
    return [quoted(_text(one), "", ",") for one in column.to_pylist()]


def _text(value: Any) -> str:
    """Return the text of a value that Python knows."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if not value or value[0] == "'" else value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_nested)
    return str(value)


def _nested(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else str(value)


def _short_time(text: str) -> str:
    """Drop zeros at the end of a fraction of a second."""
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Rows:
    """Where the rows of a merged table come from: most of them whole from a side."""

    def __init__(self, merged: Table, sides: Sequence[ParquetTable]) -> None:
        self._rows = merged.rows
        self._sides = sides
        starts = [0]
        for side in sides:
            starts.append(starts[-1] + len(side.table.rows))
        known: dict[int, int] = {}
        for start, side in zip(starts, sides, strict=False):
            if side.table.columns == merged.columns:
                known.update((id(row), start + i) for i, row in enumerate(side.table.rows))
        self._places = [known.get(id(row), -1) for row in self._rows]
        self._made = [i for i, place in enumerate(self._places) if place < 0]

    def take(self, pa: Any, place: int, name: str) -> tuple[Any, Any]:
        """Return a column of the result: each value from where a side has it.

        Rows that the merge put together are looked up by the text of their cell: different values
        of one column have different texts.
        """
        having = [side for side in self._sides if name in side.table.columns]
        field = having[0].arrow.schema.field(having[0].table.columns.index(name))
        texts: list[str] = []
        parts: list[Any] = []
        for side in self._sides:
            if name not in side.table.columns:
                texts += [""] * len(side.table.rows)
                parts.append(pa.nulls(len(side.table.rows), field.type))
                continue
            at = side.table.columns.index(name)
            here = side.arrow.schema.field(at)
            if here.type != field.type:
                raise FormatError(f"the column {name} is {field.type} here and {here.type} there")
            texts += [value_of(row.cells[at]) for row in side.table.rows] if self._made else []
            parts += side.arrow.column(at).chunks
        indices: list[int | None] = list(self._places)
        if self._made:
            known = {text: i for i, text in reversed(list(enumerate(texts))) if text != ""}
            for i in self._made:
                text = value_of(self._rows[i].cells[place])
                indices[i] = known[text] if text != "" else None
        whole = pa.chunked_array(parts, field.type)
        return _picked(pa, field, whole, pa.array(indices, pa.int64()))


def _picked(pa: Any, field: Any, whole: Any, indices: Any) -> tuple[Any, Any]:
    """Return the elements of a column at places, and its field."""
    try:
        if pa.types.is_dictionary(field.type):  # sides have dictionaries of their own
            column = whole.cast(field.type.value_type).take(indices).dictionary_encode()
            column = column.cast(field.type)
        else:
            column = whole.take(indices)
    except pa.ArrowException as error:
        raise FormatError(
            f"the column {field.name} cannot be put together: {error!s:.200}"
        ) from error
    return (field.with_nullable(True) if column.null_count else field), column


def _values(table: Table) -> list[tuple[str, ...]]:
    """Return the values of all rows; a cell without quotes is its own value."""
    return [
        tuple(map(value_of, row.cells)) if any(c[:1] == '"' for c in row.cells) else row.cells
        for row in table.rows
    ]


def _written(table: Any, ours: ParquetForm, theirs: ParquetForm) -> bytes:
    pa, pq = _pyarrow()
    stream = pa.BufferOutputStream()
    codecs = {**theirs.codecs, **ours.codecs}
    dictionaries = [*ours.dictionaries, *(p for p in theirs.dictionaries if p not in ours.codecs)]
    try:
        pq.write_table(
            table,
            stream,
            compression=codecs or "SNAPPY",
            use_dictionary=dictionaries or False,
            row_group_size=ours.group_rows or None,
            version=ours.version,
            use_deprecated_int96_timestamps=ours.int96,
            store_schema=ours.arrow_schema,
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FormatError(f"the merged rows cannot be written: {error!s:.200}") from error
    written: bytes = stream.getvalue().to_pybytes()
    return written
