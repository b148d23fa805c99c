"""Who is next to whom among sensors: a matrix, or a list of edges, as a file has it.

Never a pickle, in which METR-LA's ``adj_mx.pkl`` comes: reading one runs what is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError
from veml_vcs.samples.arrays import read_array, read_npz
from veml_vcs.samples.formats.series import CONFIG, MAX_CONFIG_BYTES
from veml_vcs.samples.kinds import is_archive, is_array, is_parquet
from veml_vcs.samples.series.values import numbers
from veml_vcs.samples.tables import Table, read_parquet, read_table

MAX_SENSORS = 10_000
_SPARSE = frozenset(("csr", "csc", "coo"))
_EDGE_COLUMNS = (2, 3)
_ENDS = frozenset(("from", "to", "source", "target", "src", "dst", "i", "j", "u", "v"))


@dataclass(frozen=True)
class Adjacency:
    """A graph of sensors.

    Attributes:
        weights: float64 [N, N]; row: from, column: to; 0 where there is no edge.
        sensors: Names of the sensors, where the file has them.
    """

    weights: NDArray[np.float64]
    sensors: tuple[str, ...] | None = None


def read_adjacency(
    data: bytes, key: str, sensors: Sequence[str] | None = None, count: int | None = None
) -> Adjacency:
    """Read a graph.

    Args:
        data: The bytes of the file.
        key: Its key.
        sensors: Names of the sensors, in order, to which a list of edges refers; None: it refers to
            their numbers, from 0.
        count: Number of sensors; None where only the file tells it.

    Raises:
        FormatError: It is neither a square matrix nor a list of edges between these sensors.
        MissingDependencyError: It is a Parquet file, and pyarrow is not installed.
    """
    if key == CONFIG:
        return _listed(data, key, sensors, count)
    if is_array(key):
        return Adjacency(_square(read_array(data, key), key))
    if is_archive(key):
        return Adjacency(_square(_from_archive(read_npz(data, key).arrays, key), key))
    table = read_parquet(data, key).table if is_parquet(key) else read_table(data, key)
    if table.ragged or not table.rows:
        raise FormatError(f"{key}: no square matrix and no list of edges")
    width, height = len(table.columns), len(table.rows)
    if width - height in (0, 1) and not (width in _EDGE_COLUMNS and _are_edges(table, count)):
        return _matrix(table, key, skip=width - height)
    if width in _EDGE_COLUMNS:
        return _edges(table, key, sensors, count)
    raise FormatError(
        f"{key}: expected a square matrix, or edges (from, to, weight), found {height} rows of "
        f"{width} columns"
    )


def _square(array: NDArray[Any], key: str) -> NDArray[np.float64]:
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.dtype.kind not in "fiub":
        shape = "x".join(map(str, array.shape))
        raise FormatError(f"{key}: expected a square matrix, found {array.dtype} {shape}")
    _refuse_large(len(array), key)
    return array.astype(np.float64)


def _refuse_large(count: int, key: str) -> None:
    if count > MAX_SENSORS:
        raise FormatError(f"{key}: {count} sensors, more than {MAX_SENSORS}")


def _from_archive(arrays: Mapping[str, NDArray[Any]], key: str) -> NDArray[Any]:
    """Return the one square matrix of an archive, or a sparse one as ``scipy.sparse`` saves it."""
    if {"format", "shape", "data"} <= arrays.keys():
        return _sparse(arrays, key)
    square = [one for one in arrays.values() if one.ndim == 2 and one.shape[0] == one.shape[1]]
    if len(square) != 1:
        raise FormatError(f"{key}: expected one square matrix, found {len(square)}")
    return square[0]


def _sparse(arrays: Mapping[str, NDArray[Any]], key: str) -> NDArray[Any]:
    form = bytes(arrays["format"].tobytes()).rstrip(b"\0").decode("ascii", "replace")
    shape = arrays["shape"].ravel()
    wanted = ("row", "col") if form == "coo" else ("indices", "indptr")
    sound = (
        form in _SPARSE
        and set(wanted) <= arrays.keys()
        and shape.dtype.kind in "iu"
        and len(shape) == 2
        and shape[0] == shape[1] >= 0
        and all(arrays[name].ndim == 1 and arrays[name].dtype.kind in "iu" for name in wanted)
        and arrays["data"].ndim == 1
        and arrays["data"].dtype.kind in "fiub"
    )
    if not sound:
        raise FormatError(f"{key}: no square sparse matrix of scipy (csr, csc, coo)")
    count = int(shape[0])
    _refuse_large(count, key)
    first, second = (arrays[name].astype(np.int64) for name in wanted)
    if form != "coo":
        first, second = second, first  # row pointers, then columns
        lengths = np.diff(first)
        if len(first) != count + 1 or (lengths < 0).any() or lengths.sum() != len(second):
            raise FormatError(f"{key}: the pointers of the sparse matrix are malformed")
        first = np.repeat(np.arange(count), lengths)
    rows, columns = (second, first) if form == "csc" else (first, second)
    data = arrays["data"]
    inside = len(rows) == len(columns) == len(data) and all(
        not len(one) or (one.min() >= 0 and one.max() < count) for one in (rows, columns)
    )
    if not inside:
        raise FormatError(f"{key}: the indices of the sparse matrix are malformed")
    weights = np.zeros((count, count))
    np.add.at(weights, (rows, columns), data)
    return weights


def _are_edges(table: Table, count: int | None) -> bool:
    """Tell edges from a matrix of two or three sensors: by the header, else by how many there are.

    ``count`` is the number of sensors, None where nothing else tells it.
    """
    if table.header is not None:
        return bool({one.lower().strip() for one in table.columns} & _ENDS)
    return count is not None and count != len(table.rows)


def _matrix(table: Table, key: str, skip: int) -> Adjacency:
    names = table.columns[skip:]
    _refuse_large(len(names), key)
    columns = [numbers(table.column(one), table.delimiter, f"{key}, column {one}") for one in names]
    weights = np.nan_to_num(np.stack(columns, 1), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return Adjacency(weights, names if table.header is not None else None)


def _listed(data: bytes, key: str, sensors: Sequence[str] | None, count: int | None) -> Adjacency:
    """Read the ``edges`` of ``series.json``: a list of [from, to] or [from, to, weight]."""
    try:
        edges = json.loads(data)["edges"] if len(data) <= MAX_CONFIG_BYTES else None
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise FormatError(f"{key}: no edges: {error!s:.100}") from error
    if not isinstance(edges, list):
        raise FormatError(f"{key}: expected a list of edges, found {edges!r:.60}")
    for one in edges:
        ends = one[:2] if isinstance(one, list) and len(one) in _EDGE_COLUMNS else []
        if (
            len(ends) < 2
            or not all(isinstance(end, str) or type(end) is int for end in ends)
            or not all(type(weight) in (int, float) for weight in one[2:])
        ):
            raise FormatError(f"{key}: expected [from, to, weight], found {one!r:.60}")
    starts, stops = ([str(one[i]) for one in edges] for i in range(2))
    try:
        weights = [float(one[2]) if len(one) > 2 else 1.0 for one in edges]
    except OverflowError as error:
        raise FormatError(f"{key}: a weight is too large: {error}") from error
    return _graph([starts, stops], weights, key, sensors, count)


def _edges(table: Table, key: str, sensors: Sequence[str] | None, count: int | None) -> Adjacency:
    ends = [table.column(name) for name in table.columns[:2]]
    weights = [1.0] * len(table.rows)
    if len(table.columns) > 2:
        weights = numbers(
            table.column(table.columns[2]), table.delimiter, f"{key}, column {table.columns[2]}"
        ).tolist()
    return _graph(ends, weights, key, sensors, count)


def _graph(
    ends: Sequence[Sequence[str]],
    weights: Sequence[float],
    key: str,
    sensors: Sequence[str] | None,
    count: int | None,
) -> Adjacency:
    """Return the matrix of a list of edges."""
    places: dict[str, int] = {}
    named = sensors is not None and {*ends[0], *ends[1]} <= set(sensors)
    if named and sensors is not None:
        places = {name: i for i, name in enumerate(sensors)}
    else:
        places = _numbered(ends, key, len(sensors) if sensors is not None else count)
    size = len(sensors) if sensors is not None else count
    if size is None:
        size = 1 + max(places.values(), default=-1)
    _refuse_large(size, key)
    matrix = np.zeros((size, size))
    for a, b, weight in zip(*ends, weights, strict=True):
        matrix[places[a], places[b]] = 0.0 if np.isnan(weight) else weight
    return Adjacency(matrix, tuple(sensors) if named and sensors is not None else None)


def _numbered(ends: Sequence[Sequence[str]], key: str, count: int | None) -> dict[str, int]:
    places = {}
    for text in {*ends[0], *ends[1]}:
        plain = text.strip().removesuffix(".0")
        fits = plain.isascii() and plain.isdigit() and len(plain) < 10
        if not fits or (count is not None and int(plain) >= count):
            known = (
                "the sensors' names" if count is None else f"a sensor's name, or 0 to {count - 1}"
            )
            raise FormatError(f"{key}: an edge ends at {text!r:.60}; expected {known}")
        places[text] = int(plain)
    return places
