"""What versions say of themselves as columns: a condition reads one of these, not every version.

A row of the table ``said`` has what the versions of one kind, of ``CHUNK`` keys, say under one
name: of numbers (a property, a metric) ``float64`` in order, and beside each the key of its version
(``uint16``, from the first key of the row on); of texts, for each text, the keys alone. Little
endian. A long text (a tree, an id) is kept by its first letter: nearly all are different. Numbers
are rounded where a float cannot hold them. So what is found is a little more than what fits;
``conditions.holds`` decides.
"""

from __future__ import annotations

import math
import sqlite3
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from veml_vcs.lineage.conditions import Condition
from veml_vcs.lineage.graph import VERSIONS
from veml_vcs.lineage.sqlite.rows import props_of

CHUNK = 2048
"""Keys a row: a commit writes a row anew, of 5 KB, for each number that its version says."""
_NUMBERS = "#"
_SHORT = 32
"""Letters of a text that is kept as a whole."""
_EXACT = 2.0**53
"""Below it, a whole number is a float."""
_ROUNDED = {"<": "<=", ">": ">=", "!=": ""}
"""What may fit beside a number that is rounded; all of it where nothing is known."""
_SAID = "SELECT kind, name, text, chunk, numbers, keys FROM said"
_MARKS = ", ".join("?" * len(VERSIONS))


_Column = tuple[str, str, str]
"""Kind of the versions, name, and the text that all of them say, or ``_NUMBERS``."""
_Saying = tuple[float, int]
"""A number (0 of texts), and who says it."""


def fitting(
    connection: sqlite3.Connection, kind: str, where: Sequence[Condition]
) -> set[int] | None:
    """Return the keys of versions of one kind that may fit all conditions.

    Args:
        connection: To the file.
        kind: Of the versions.
        where: Those on ``name`` are passed over, which is no column.

    Returns:
        Of all others, none fits. None where any version can.
    """
    found: set[int] | None = None
    for one in where:
        if one.name == "name" or kind not in VERSIONS or found == set():
            continue
        some = set(_keys(connection, kind, one))
        found = some if found is None else found & some
    return found


def says_what_nodes_say(connection: sqlite3.Connection) -> bool:
    """Tell whether the table is what the versions make of it; nobody else sees damage to it."""
    right: dict[tuple[_Column, int], list[_Saying]] = {}
    for key, kind, props in connection.execute(
        f"SELECT key, kind, props FROM node WHERE known AND kind IN ({_MARKS})", VERSIONS
    ):
        for column, number in _columns(kind, props_of(props)):
            right.setdefault((column, key // CHUNK), []).append((number, key))
    try:
        found = {
            ((kind, name, text), chunk): _read(chunk, *row)
            for kind, name, text, chunk, *row in connection.execute(_SAID)
        }
    except (TypeError, ValueError):  # bytes that are no such numbers, or not as many
        return False
    return found == {row: _ordered(some) for row, some in right.items()}  # each is in order


def sayings(connection: sqlite3.Connection) -> Iterator[tuple[_Column, float, int]]:
    """Yield all that the table has: column, number (0 of texts), key; as the rows have it."""
    for kind, name, text, chunk, *row in connection.execute(_SAID):
        for number, key in _read(chunk, *row):
            yield (kind, name, text), number, key


class ValuesWriter:
    """Keeps the columns as versions come and go, inside one transaction.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._do = connection.execute
        self._come: dict[_Column, tuple[array[float], array[int]]] = {}
        self._gone: dict[_Column, set[int]] = {}

    def come(self, key: int, kind: str, props: Mapping[str, Any]) -> None:
        """Add a version with what it says."""
        for column, number in _columns(kind, props):
            some = self._come.get(column)
            if some is None:
                some = self._come[column] = array("d"), array("q")
            some[0].append(number)
            some[1].append(key)

    def gone(self, key: int, kind: str, props: Mapping[str, Any]) -> None:
        """Take out a version that may have come just now."""
        for column, _ in _columns(kind, props):
            self._gone.setdefault(column, set()).add(key)

    def close(self) -> None:
        """Write it."""
        for column in sorted(self._come.keys() | self._gone.keys()):
            gone = self._gone.get(column, set())
            chunks: dict[int, list[_Saying]] = {key // CHUNK: [] for key in gone}
            for one in zip(*self._come.get(column, ((), ())), strict=True):
                chunks.setdefault(one[1] // CHUNK, []).append(one)
            for chunk, come in sorted(chunks.items()):
                row = self._do(
                    "SELECT numbers, keys FROM said "
                    "WHERE kind = ? AND name = ? AND text = ? AND chunk = ?",
                    (*column, chunk),
                ).fetchone()
                if row is not None:
                    come += _read(chunk, *row)
                self._write(column, chunk, _ordered([one for one in come if one[1] not in gone]))

    def _write(self, column: _Column, chunk: int, some: Sequence[_Saying]) -> None:
        if not some:
            self._do("DELETE FROM said WHERE kind = ? AND name = ? AND text = ? AND chunk = ?",
                     (*column, chunk))  # fmt: skip
            return
        numbers = array("d", [one[0] for one in some] if column[2] == _NUMBERS else [])
        keys = array("H", [one[1] - chunk * CHUNK for one in some])
        self._do("INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?, ?)",
                 (*column, chunk, _bytes(numbers), _bytes(keys)))  # fmt: skip


def _columns(kind: str, props: Mapping[str, Any]) -> Iterator[tuple[_Column, float]]:
    """Yield the columns that a version stands in, and its number there, as ``conditions.said``."""
    metrics = props.get("metrics")
    for told in (props, metrics):
        if told is None or not isinstance(told, Mapping):
            continue
        for name, value in told.items():
            if told is metrics and props.get(name) is not None:
                continue
            if isinstance(value, str):
                yield (kind, sent(name), _text(value)), 0.0
            elif isinstance(value, (int, float)) and value is not True and value is not False:
                number = float_of(value)
                if number == number:  # not a number fits != alone, and no record has it
                    yield (kind, sent(name), _NUMBERS), number


def _keys(connection: sqlite3.Connection, kind: str, one: Condition) -> Iterator[int]:
    column = "SELECT chunk, numbers, keys FROM said WHERE kind = ? AND name = ? AND text "
    of = (kind, sent(one.name))
    if not isinstance(one.value, str):
        for chunk, numbers, keys in connection.execute(f"{column} = ?", (*of, _NUMBERS)):
            some, ends = _array("d", numbers), _array("H", keys)
            for part in _parts(some, one.sign, one.value):
                yield from [chunk * CHUNK + end for end in ends[part]]
        return
    text = _text(one.value)
    if one.sign == "=":
        rows = connection.execute(f"{column} = ?", (*of, text))
    else:
        # Where a text has ?, others that SQLite does not take may be called the same.
        own = len(one.value) <= _SHORT and "?" not in text
        alike = text if one.sign == "!=" and own else _NUMBERS
        rows = connection.execute(f"{column} NOT IN (?, ?)", (*of, _NUMBERS, alike))
    for chunk, _, keys in rows:
        yield from [chunk * CHUNK + end for end in _array("H", keys)]


def _parts(numbers: array[float], sign: str, value: float) -> list[slice]:
    """Return where numbers in order fit a condition; where the value is large, or equal to it."""
    if not abs(value) < _EXACT:
        sign = _ROUNDED.get(sign, sign)
    first, after = bisect_left(numbers, value), bisect_right(numbers, value)
    return {
        "=": [slice(first, after)], "!=": [slice(first), slice(after, None)],
        "<": [slice(first)], "<=": [slice(after)],
        ">": [slice(after, None)], ">=": [slice(first, None)], "": [slice(None)],
    }[sign]  # fmt: skip


def _ordered(some: Sequence[_Saying]) -> list[_Saying]:
    return sorted(set(some))


def _text(text: str) -> str:
    """Return a text as a column is called by it; none is ``_NUMBERS``."""
    return f"={sent(text)}" if len(text) <= _SHORT else f"~{sent(text[0])}"


def sent(text: str) -> str:
    """Return text that SQLite takes: not half of a pair of surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def float_of(value: float) -> float:
    """Return a number as a float: the nearest, and beyond all of them infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _read(chunk: int, numbers: bytes, keys: bytes) -> list[_Saying]:
    ends = [chunk * CHUNK + end for end in _array("H", keys)]
    return list(zip(_array("d", numbers) if numbers else [0.0] * len(ends), ends, strict=True))


def _array(form: str, data: bytes) -> array[Any]:
    found = array(form, data)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _bytes(values: array[Any]) -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
