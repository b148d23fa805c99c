"""The values of one file of a series, as numbers by time, sensor and feature.

Read from arrays [time, sensor] or [time, sensor, feature], from wide tables (a row a step, a column
a sensor) and from long ones (a column says which sensor a row is of).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError
from veml_vcs.samples.arrays import read_array, read_npz
from veml_vcs.samples.formats.series import SeriesLayout
from veml_vcs.samples.kinds import is_archive, is_array, is_parquet
from veml_vcs.samples.tables import Table, read_parquet, read_table
from veml_vcs.samples.tables.match import key_columns
from veml_vcs.samples.tables.text import is_table

MAX_VALUES = 1 << 28
MAX_TEXT_BYTES = 1 << 28
"""Cells of a text table take about ten times their bytes in memory."""

_MISSING = frozenset(("", "na", "nan", "null", "none", "n/a", "-"))
_TIME_NAMES = frozenset(("time", "timestamp", "date", "datetime", "index", "step", "#1"))
_ARRAYS = ("data", "values", "x")
_LONG_KEY = 2


@dataclass(frozen=True)
class Values:
    """Values by time, sensor and feature.

    Attributes:
        values: float [T, N, F]: float64 from text and whole numbers, else of the file's own width;
            NaN where there is no value.
        times: What names each step; None where nothing does.
        sensors: What names each sensor; None where nothing does.
        features: What names each feature; None where nothing does.
    """

    values: NDArray[Any]
    times: tuple[str, ...] | None = None
    sensors: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None


def read_values(data: bytes, key: str, layout: SeriesLayout) -> Values:
    """Read a file of values.

    Raises:
        FormatError: It is malformed, or not laid out in one of the ways known.
        MissingDependencyError: It is a Parquet file, and pyarrow is not installed.
    """
    if is_array(key):
        return Values(_cube(read_array(data, key), key))
    if is_archive(key):
        return Values(_cube(_array_of(read_npz(data, key).arrays, key, layout.array), key))
    if is_parquet(key):
        return from_table(read_parquet(data, key).table, key, layout)
    if is_table(key):
        if len(data) > MAX_TEXT_BYTES:
            raise FormatError(f"{key}: {len(data)} bytes of text are too many to read as a series")
        return from_table(read_table(data, key), key, layout)
    raise FormatError(f"{key}: no table or array that is read as a series")


def from_table(table: Table, key: str, layout: SeriesLayout) -> Values:
    """Read a wide or a long table.

    Raises:
        FormatError: It is neither.
    """
    if table.ragged:
        raise FormatError(f"{key}: rows have different numbers of cells")
    named = [one for one in (*layout.time, layout.sensor, *layout.features) if one is not None]
    for name in named:
        if name not in table.columns:
            raise FormatError(f"{key}: there is no column {name!r:.60}")
    if len(table.rows) * len(table.columns) > MAX_VALUES:
        raise FormatError(f"{key}: more than {MAX_VALUES} values")
    time, sensor = list(layout.time), layout.sensor
    if layout.form != "wide" and sensor is None:
        time, sensor = _long_key(table, time, wanted=layout.form == "long", key=key)
    if sensor is not None and layout.form != "wide":
        return _long(table, key, time, sensor, layout.features)
    return _wide(table, key, time)


def numbers(values: Sequence[str], delimiter: str, where: str) -> NDArray[np.float64]:
    """Return the numbers in texts, NaN where there is none.

    Raises:
        FormatError: One is no number.
    """
    try:
        return np.array(values, np.float64)  # numpy reads plain numbers quickly
    except ValueError:
        pass
    found = np.full(len(values), np.nan)
    for place, text in enumerate(values):
        plain = text.strip()
        if plain.lower() in _MISSING:
            continue
        if delimiter != "," and plain.count(",") == 1:
            plain = plain.replace(",", ".")
        try:
            found[place] = float(plain)
        except ValueError:
            raise FormatError(f"{where}: expected a number, found {text!r:.60}") from None
    return found


def _cube(array: NDArray[Any], key: str) -> NDArray[Any]:
    if array.ndim not in (2, 3) or array.dtype.kind not in "fiub":
        shape = "x".join(map(str, array.shape))
        raise FormatError(f"{key}: expected numbers [time, sensor] or [time, sensor, feature], "
                          f"found {array.dtype} {shape}")  # fmt: skip
    numbers_ = array if array.dtype.kind == "f" else array.astype(np.float64)
    return numbers_ if array.ndim == 3 else numbers_[:, :, None]


def _array_of(arrays: Any, key: str, wanted: str | None) -> NDArray[Any]:
    if wanted is not None:
        if wanted not in arrays:
            raise FormatError(f"{key}: there is no array {wanted!r:.60}")
        return arrays[wanted]  # type: ignore[no-any-return]
    fitting = [
        name for name, one in arrays.items() if one.ndim in (2, 3) and one.dtype.kind in "fiub"
    ]
    chosen = next((name for name in _ARRAYS if name in fitting), None)
    if chosen is None and len(fitting) != 1:
        raise FormatError(f"{key}: which array holds the values? series.json says it ('array')")
    return arrays[chosen or fitting[0]]  # type: ignore[no-any-return]


def _long_key(
    table: Table, time: list[str], *, wanted: bool, key: str
) -> tuple[list[str], str | None]:
    """Return the columns of time, and the one of the sensor; None if the table is not long."""
    names = key_columns([table])
    if len(names) == _LONG_KEY and table.kind(names[1]) in ("text", "int") and not time:
        first, second = names
        if table.kind(first) in ("time", "int") and len(table.columns) > _LONG_KEY:
            return [first], second
    if wanted:
        raise FormatError(f"{key}: which column is the sensor? series.json says it ('sensor')")
    return time, None


def _long(
    table: Table, key: str, time: Sequence[str], sensor: str, features: Sequence[str]
) -> Values:
    if not time:
        raise FormatError(f"{key}: which columns are the time? series.json says it ('time')")
    rest = [one for one in table.columns if one not in time and one != sensor]
    chosen = list(features) or [one for one in rest if table.kind(one) in ("int", "float")]
    if not chosen:
        raise FormatError(f"{key}: no column of numbers beside {sensor} and {', '.join(time)}")
    steps = list(zip(*(table.column(name) for name in time), strict=True))
    owners = table.column(sensor)
    rows = {one: i for i, one in enumerate(dict.fromkeys(steps))}
    columns = {one: i for i, one in enumerate(dict.fromkeys(owners))}
    if len(rows) * len(columns) * len(chosen) > MAX_VALUES:
        raise FormatError(f"{key}: more than {MAX_VALUES} values")
    at = np.array([rows[step] * len(columns) + columns[one]
                   for step, one in zip(steps, owners, strict=True)], np.int64)  # fmt: skip
    if len(np.unique(at)) != len(at):
        raise FormatError(f"{key}: two rows of one {sensor} at one {', '.join(time)}")
    values = np.full((len(rows) * len(columns), len(chosen)), np.nan)
    for place, name in enumerate(chosen):
        values[at, place] = numbers(table.column(name), table.delimiter, f"{key}, column {name}")
    times = tuple(" ".join(step) for step in rows)
    cube = values.reshape(len(rows), len(columns), len(chosen))
    return Values(cube, times, tuple(columns), tuple(chosen))


def _wide(table: Table, key: str, time: Sequence[str]) -> Values:
    names = list(table.columns)
    if not time and names and len(names) > 1 and _is_time(table, names[0]):
        time = names[:1]
    sensors = [name for name in names if name not in time]
    if not sensors:
        raise FormatError(f"{key}: no column is a sensor")
    values = _plain(table, [names.index(name) for name in sensors])
    if values is None:
        values = np.stack(
            [
                numbers(table.column(name), table.delimiter, f"{key}, column {name}")
                for name in sensors
            ],
            1,
        )
    times = None
    if time:
        told = zip(*(table.column(name) for name in time), strict=True)
        times = tuple(" ".join(one) for one in told)
    named = tuple(sensors) if table.header is not None else None
    return Values(values[:, :, None], times, named)


def _plain(table: Table, places: Sequence[int]) -> NDArray[np.float64] | None:
    """Return the numbers in some columns where all of them are plain; None if they are not.

    Reading all cells at once is several times faster than column by column.
    """
    try:
        cells = np.array([row.cells for row in table.rows]).reshape(len(table.rows), -1)
        return cells[:, places].astype(np.float64)
    except ValueError:
        return None


def _is_time(table: Table, name: str) -> bool:
    """Tell whether the first column of a wide table is the time, or the index of the rows."""
    if table.kind(name) == "time":
        return True
    return table.header is not None and name.lower().strip() in _TIME_NAMES
