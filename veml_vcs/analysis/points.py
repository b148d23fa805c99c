"""Matrices of embeddings: checked once, then read in blocks, so that a memory map will do.

Arithmetic on large matrices is done in single precision where the data are single or half
precision. What that loses is bounded (`Points.tolerance`), so that callers can tell what a rounded
distance proves, and compute it from differences in float64 where it does not prove enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import InvalidInputError

FloatArray: TypeAlias = NDArray[np.floating[Any]]
Float64Array: TypeAlias = NDArray[np.float64]
IndexArray: TypeAlias = NDArray[np.int64]
Progress: TypeAlias = Callable[[int, int], None]
"""Called with (done, total) as work goes on."""

BLOCK_BYTES = 4 << 20
"""Bytes of one block in working precision: it stays in the processor's cache between operations."""

LARGEST_VALUE = 1e150
"""Larger magnitudes are refused: their squares overflow float64."""

_CENTRE_ABOVE = 4.0
_SINGLE_RANGE = (1e-24, 1e30)
_NAMED_ROWS = 5
_DOUBTFUL_ROWS = 1024


def check_matrix(points: Any, what: str, *, min_rows: int = 1) -> NDArray[Any]:
    """Return ``points`` as a real, two-dimensional array with at least ``min_rows`` rows.

    Values are not looked at, so a memory map is not read.

    Raises:
        InvalidInputError: Wrong kind of values, wrong shape, no columns, or too few rows.
    """
    array: NDArray[Any] = np.asanyarray(points)
    if array.dtype.kind not in "fiu":
        raise InvalidInputError(f"{what}: expected real numbers, found dtype {array.dtype}")
    if array.ndim != 2 or array.shape[1] == 0:
        raise InvalidInputError(f"{what}: expected shape [rows, dimensions], found {array.shape}")
    if len(array) < min_rows:
        raise InvalidInputError(f"{what}: expected at least {min_rows} rows, found {len(array)}")
    return array


def check_same_dimension(a: NDArray[Any], b: NDArray[Any], what: str) -> None:
    """Refuse two matrices whose rows cannot be compared.

    Raises:
        InvalidInputError: The numbers of columns differ.
    """
    if a.shape[1] != b.shape[1]:
        raise InvalidInputError(
            f"{what}: expected embeddings of one dimension, found {a.shape[1]} and {b.shape[1]}",
            hint="embed both with the same embedder",
            kind="dimension-mismatch",
        )


def small_matrix(points: Any, what: str, *, min_rows: int = 1) -> Float64Array:
    """Return a matrix that fits in memory as finite float64 values.

    Raises:
        InvalidInputError: As `check_matrix`, or a value is not finite or too large.
    """
    array = np.asarray(check_matrix(points, what, min_rows=min_rows), dtype=np.float64)
    _refuse_rows(~_usable(array), what, None)
    return array


def single_precision(array: Float64Array) -> FloatArray:
    """Return float32 values where their squares fit in float32, else ``array``."""
    peak = float(np.abs(array).max(initial=0.0))
    return array.astype(np.float32) if peak == 0 or 1e-12 < peak < 1e15 else array


class Points:
    """A checked matrix of embeddings in working precision, read block by block.

    The rows that `blocks` and `take` give are the data minus ``shift``. There is no shift unless
    the data lie far from the origin: |x|^2 + |c|^2 - 2 x.c would then cancel (with an offset of
    1000 standard deviations 98 % of the centres of a greedy core set came out wrong).

    Args:
        points: [n, d] array or memory map of real numbers; never copied as a whole.
        what: What it is, for messages.
        names: A name for each row, for messages.

    Attributes:
        dtype: Working precision: float32 for float16 and float32 data, else float64.
        squared_norms: [n] squared lengths of the shifted rows, in working precision.
        tolerance: Relative bound on the rounding error of a sum of d products.
        underflow: Absolute bound on what is lost where products are too small for the precision.

    Raises:
        InvalidInputError: As `check_matrix`, or rows with values that are not finite or too large.
    """

    def __init__(self, points: Any, what: str, *, names: Sequence[str] | None = None) -> None:
        self.array = check_matrix(points, what)
        self.rows, self.dimension = self.array.shape
        if names is not None and len(names) != self.rows:
            raise InvalidInputError(
                f"{what}: expected a name for each of {self.rows} rows, found {len(names)}"
            )
        half_or_single = self.array.dtype.kind == "f" and self.array.dtype.itemsize <= 4
        self._set_precision(np.dtype(np.float32 if half_or_single else np.float64))
        self.shift: FloatArray | None = None

        # A finite sum of squares proves a row finite; only doubtful rows are looked at one by one.
        norms, mean = self._measure()
        doubtful = np.flatnonzero(~(norms <= np.float64(LARGEST_VALUE)))
        bad = np.zeros(self.rows, dtype=bool)
        for start in range(0, len(doubtful), _DOUBTFUL_ROWS):
            some = doubtful[start : start + _DOUBTFUL_ROWS]
            bad[some] = ~_usable(np.asarray(self.array[some], dtype=np.float64))
        _refuse_rows(bad, what, names)
        if doubtful.size or not _fits_single(norms):
            self._set_precision(np.dtype(np.float64))
            norms, mean = self._measure()
        self.squared_norms = norms

        offset = float(mean @ mean)
        if offset > _CENTRE_ABOVE * max(float(norms.mean(dtype=np.float64)) - offset, 0.0):
            self.shift = mean.astype(self.dtype)
            self.squared_norms, _ = self._measure()
            if not _fits_single(self.squared_norms):
                self.use_double_precision()

    def use_double_precision(self) -> None:
        """Work in float64 from now on, for data that float32 cannot tell apart."""
        self._set_precision(np.dtype(np.float64))
        if self.shift is not None:
            self.shift = self.shift.astype(np.float64)
        self.squared_norms, _ = self._measure()

    def _set_precision(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        # Probabilistic bound of Higham and Mary (2019): error <= lambda sqrt(d) u, here lambda = 4
        # (failure probability < 1e-3 per operation in their pessimistic model; BLAS does better).
        self.tolerance = 4 * (float(np.sqrt(self.dimension)) + 4) * float(np.finfo(dtype).eps) / 2
        self.underflow = 4 * self.dimension * float(np.finfo(dtype).tiny)

    def _measure(self) -> tuple[FloatArray, Float64Array]:
        norms = np.empty(self.rows, dtype=self.dtype)
        total = np.zeros(self.dimension)
        with np.errstate(over="ignore", invalid="ignore"):
            for start, block in self.blocks():
                norms[start : start + len(block)] = np.einsum("ij,ij->i", block, block)
                total += np.ones(len(block), dtype=self.dtype) @ block
        return norms, total / self.rows

    def blocks(self, width: int = 0) -> Iterator[tuple[int, FloatArray]]:
        """Give (first row, rows in working precision) one after the other, in order.

        Args:
            width: Numbers that the caller computes for each row; blocks are cut to hold those too.
        """
        step = max(1, BLOCK_BYTES // (self.dtype.itemsize * max(self.dimension, width)))
        for start in range(0, self.rows, step):
            yield start, self._working(self.array[start : start + step])

    def take(self, rows: IndexArray) -> FloatArray:
        """Return some rows in working precision, as a copy."""
        return self._working(self.array[rows])

    def _working(self, rows: NDArray[Any]) -> FloatArray:
        # x - shift is rounded once, relative to the result: the shift itself need not be exact.
        block: FloatArray = np.asarray(rows, dtype=self.dtype)
        return block if self.shift is None else block - self.shift


def _fits_single(norms: FloatArray) -> bool:
    smallest, largest = _SINGLE_RANGE
    peak = float(norms.max())
    return norms.dtype == np.float64 or smallest < peak < largest


def _usable(array: Float64Array) -> NDArray[np.bool_]:
    # NaN compares false, so it counts as too large.
    usable: NDArray[np.bool_] = np.asarray((np.abs(array) <= LARGEST_VALUE).all(axis=1))
    return usable


def _refuse_rows(bad: NDArray[np.bool_], what: str, names: Sequence[str] | None) -> None:
    rows = np.flatnonzero(bad)
    if not rows.size:
        return
    shown = ", ".join(str(row) if names is None else names[row] for row in rows[:_NAMED_ROWS])
    more = f" and {rows.size - _NAMED_ROWS} more" if rows.size > _NAMED_ROWS else ""
    raise InvalidInputError(
        f"{what}: expected finite numbers below {LARGEST_VALUE:g} in every row, "
        f"found NaN, infinity or larger in rows {shown}{more}",
        kind="non-finite",
    )
