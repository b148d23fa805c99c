"""A list of JSON objects as columns, and back without loss.

Each field becomes one column of the narrowest kind that holds every value exactly:

    int      int64
    float    float64 (ints among them only up to 2^53, since numbers count by value)
    vector   float64 [rows, width]: lists of numbers, all of one length
    word     uint32 into a list of distinct strings
    json     canonical JSON of each value, one flat uint8 array with offsets

A column holds values only for the rows that have the field; which those are is kept unless all do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import short
from veml_vcs.samples.annotations.canonical import canonical_json
from veml_vcs.samples.fragments.fragment import Fragment, FragmentBuilder

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MISSING = object()
_EXACT = 1 << 53
_NUMBERS = {int, float}
_ARRAYS = {
    "int": ("int64", 1),
    "float": ("float64", 1),
    "vector": ("float64", 2),
    "word": ("uint32", 1),
    "json": ("uint8", 1),
}
_FEW = 4
_MAX_EMPTY_ROWS = 1 << 24
"""Rows of a table without columns: no array would show that there are not so many."""


def write_columns(
    builder: FragmentBuilder, table: str, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Store a table and return its column descriptions (JSON, for the fragment's attributes).

    Args:
        builder: Takes the arrays, named ``<table><number>``.
        table: A short name without ``/``.
        rows: JSON objects.

    Raises:
        InvalidInputError: More than 2^24 objects, and all of them empty.
    """
    fields = sorted({field for row in rows for field in row})
    if not fields and len(rows) > _MAX_EMPTY_ROWS:
        raise InvalidInputError(f"{len(rows)} objects, none of which says anything")
    columns = []
    for number, field in enumerate(fields):
        values = [row.get(field, _MISSING) for row in rows]
        present = [value for value in values if value is not _MISSING]
        name = f"{table}{number}"
        column: dict[str, Any] = {"field": field, "array": name}
        if len(present) < len(values):
            mask = np.fromiter((v is not _MISSING for v in values), np.uint8, len(values))
            builder.add_array(f"{name}.present", mask, zstd=True)
            column["partial"] = True
        column.update(_write_values(builder, name, present))
        columns.append(column)
    return columns


def _write_values(builder: FragmentBuilder, name: str, values: list[Any]) -> dict[str, Any]:
    types = set(map(type, values))
    if types == {int} and min(values) >= -(1 << 63) and max(values) < 1 << 63:
        builder.add_array(name, np.array(values, np.int64), zstd=True)
        return {"kind": "int"}
    if types <= _NUMBERS and _all_exact(values):
        builder.add_array(name, np.array(values, np.float64), zstd=True)
        return {"kind": "float"}
    if types == {list}:
        widths = set(map(len, values))
        width = next(iter(widths))
        flat = [number for value in values for number in value]
        if len(widths) == 1 and width and set(map(type, flat)) <= _NUMBERS and _all_exact(flat):
            builder.add_array(name, np.array(flat, np.float64).reshape(-1, width), zstd=True)
            return {"kind": "vector"}
    if types == {str}:
        words = sorted(set(values))
        if len(words) * 4 <= len(values) or len(words) <= 16:
            codes = {word: code for code, word in enumerate(words)}
            builder.add_array(
                name, np.array([codes[value] for value in values], np.uint32), zstd=True
            )
            return {"kind": "word", "words": words}
    texts = [canonical_json(value) for value in values]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    builder.add_array(f"{name}.offsets", np.concatenate(([0], np.cumsum(lengths))), zstd=True)
    builder.add_array(name, np.frombuffer(b"".join(texts), np.uint8), zstd=True)
    return {"kind": "json"}


def _all_exact(values: list[Any]) -> bool:
    return all(type(value) is float or -_EXACT <= value <= _EXACT for value in values)


class ColumnTable:
    """A stored table of columns.

    Args:
        fragment: Holds the arrays.
        columns: The descriptions that ``write_columns`` returned.
        rows: Number of rows.

    Raises:
        DamagedError: The descriptions or the arrays do not fit together.
    """

    def __init__(self, fragment: Fragment, columns: Any, rows: int) -> None:
        self.rows = rows
        self._columns: dict[str, _Column] = {}
        if not isinstance(columns, list):
            raise DamagedError(f"fragment {short(fragment.id)}: its columns are not a list")
        if not columns and rows > _MAX_EMPTY_ROWS:
            raise DamagedError(f"fragment {short(fragment.id)}: {rows} objects without a column")
        self._fragment = fragment
        for number, column in enumerate(columns):
            try:
                field = column["field"]
                if not isinstance(field, str) or field in self._columns:
                    raise ValueError(f"field {field!r:.80}")
                self._columns[field] = _Column(fragment, column, rows)
            except (KeyError, TypeError, ValueError) as error:
                raise self._damaged(number, error) from error

    def rows_between(self, start: int, end: int) -> list[dict[str, Any]]:
        """Return rows ``start`` to ``end`` as JSON objects.

        Raises:
            DamagedError: A value cannot be decoded.
        """
        found: list[dict[str, Any]] = [{} for _ in range(end - start)]
        for number, (field, column) in enumerate(self._columns.items()):
            try:
                for row, value in column.between(start, end):
                    found[row - start][field] = value
            except (ValueError, RecursionError) as error:
                raise self._damaged(number, error) from error
        return found

    def rows_at(self, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
        """Return some rows as JSON objects.

        Args:
            rows: int64 [n], increasing.

        Raises:
            DamagedError: A value cannot be decoded.
        """
        if len(rows) and int(rows[-1]) - int(rows[0]) == len(rows) - 1:
            return self.rows_between(int(rows[0]), int(rows[-1]) + 1)
        found: list[dict[str, Any]] = [{} for _ in range(len(rows))]
        for number, (field, column) in enumerate(self._columns.items()):
            try:
                positions, values = column.at(rows)
            except (ValueError, RecursionError) as error:
                raise self._damaged(number, error) from error
            if positions is None:
                for row, value in zip(found, values, strict=True):
                    row[field] = value
            else:
                for position, value in zip(positions, values, strict=True):
                    found[position][field] = value
        return found

    def _damaged(self, number: int, error: Exception) -> DamagedError:
        return DamagedError(
            f"fragment {short(self._fragment.id)}: column {number} cannot be read: {error!r:.200}"
        )


class _Column:
    """One column of a stored table."""

    def __init__(self, fragment: Fragment, column: dict[str, Any], rows: int) -> None:
        name = column["array"]
        self._kind = column["kind"]
        dtype, axes = _ARRAYS[self._kind]
        self._values = fragment.array(name, dtype)
        if self._values.ndim != axes:
            raise ValueError(f"{self._values.ndim} axes, expected {axes}")
        self._first: NDArray[np.int64] | None = None
        count = rows
        if column.get("partial"):
            mask = fragment.array(f"{name}.present", "uint8")
            if mask.shape != (rows,) or (mask > 1).any():
                raise ValueError("mask does not fit")
            self._first = np.concatenate(([0], np.cumsum(mask, dtype=np.int64)))
            count = int(self._first[-1])
        if self._kind == "json":
            self._offsets = fragment.array(f"{name}.offsets", "int64")
            if (
                self._offsets.shape != (count + 1,)
                or self._offsets[0] != 0
                or (self._offsets[1:] < self._offsets[:-1]).any()
                or self._offsets[-1] != len(self._values)
            ):
                raise ValueError("offsets do not fit")
        elif len(self._values) != count:
            raise ValueError("values do not fit")
        if self._kind == "word":
            self._words: list[str] = column["words"]
            if not isinstance(self._words, list) or (self._values >= len(self._words)).any():
                raise ValueError("codes do not fit the words")

    def between(self, start: int, end: int) -> list[tuple[int, Any]]:
        if self._first is None:
            rows: Sequence[int] = range(start, end)
            low, high = start, end
        else:
            first = self._first[start : end + 1]
            rows = (np.flatnonzero(np.diff(first)) + start).tolist()
            low, high = int(first[0]), int(first[-1])
        return list(zip(rows, self._decode(low, high), strict=True))

    def at(self, rows: NDArray[np.int64]) -> tuple[list[int] | None, list[Any]]:
        """Return which of some rows have the field (None: all have), and its values there."""
        if self._first is None:
            return None, self._decode_at(rows)
        places = self._first[rows]
        has = self._first[rows + 1] > places
        return np.flatnonzero(has).tolist(), self._decode_at(places[has])

    def _decode_at(self, places: NDArray[np.int64]) -> list[Any]:
        if self._kind == "json":
            starts, ends = self._offsets[places].tolist(), self._offsets[places + 1].tolist()
            data = self._values
            texts = [data[i:j].tobytes() for i, j in zip(starts, ends, strict=True)]
            return _decode_texts(texts)
        return self._decode_part(self._values[places])

    def _decode(self, low: int, high: int) -> list[Any]:
        if self._kind == "json":
            if high - low <= _FEW:
                return [self._json(i) for i in range(low, high)]
            return self._all_json(low, high)
        return self._decode_part(self._values[low:high])

    def _decode_part(self, part: NDArray[Any]) -> list[Any]:
        if self._kind == "word":
            return [self._words[code] for code in part.tolist()]
        if self._kind in ("float", "vector"):
            return _numbers(part)
        values: list[Any] = part.tolist()
        return values

    def _all_json(self, low: int, high: int) -> list[Any]:
        bounds = self._offsets[low : high + 1].tolist()
        data = self._values[bounds[0] : bounds[-1]].tobytes()
        first = bounds[0]
        return _decode_texts([data[start - first : end - first] for start, end in pairwise(bounds)])

    def _json(self, i: int) -> Any:
        start, end = int(self._offsets[i]), int(self._offsets[i + 1])
        return json.loads(self._values[start:end].tobytes())


def _decode_texts(texts: list[bytes]) -> list[Any]:
    """Decode many texts in one go: they are canonical, so commas make them a list."""
    found: list[Any] = json.loads(b"[" + b",".join(texts) + b"]")
    if len(found) != len(texts):
        raise ValueError(f"{len(found)} values in {len(texts)} texts")
    return found


def _numbers(part: NDArray[np.float64]) -> list[Any]:
    """Return numbers, or rows of them; whole ones as ints, as the canonical form has them."""
    whole = (part == np.trunc(part)) & (np.abs(part) <= _EXACT)
    values: list[Any] = part.tolist()
    if not whole.any():
        return values
    ints: list[Any] = np.where(whole, part, 0).astype(np.int64).tolist()
    if whole.all():
        return ints
    marks = whole.tolist()
    if part.ndim == 1:
        return [i if mark else v for i, v, mark in zip(ints, values, marks, strict=True)]
    return [
        i if all(mark) else [a if m else b for a, b, m in zip(i, v, mark, strict=True)]
        for i, v, mark in zip(ints, values, marks, strict=True)
    ]
