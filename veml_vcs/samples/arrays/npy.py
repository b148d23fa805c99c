"""One NPY file: the array in it, how two differ, and their three-way merge.

The first axis is taken for the one that grows: time steps, samples. Elements are compared by their
bytes, so NaN equals NaN and -0.0 is not 0.0.
"""

from __future__ import annotations

import io
import math
import tokenize
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError
from veml_vcs.samples.annotations.conflicts import Choice

_RANGES = 8
_MAX_HEADER = 10_000
_MALFORMED = (ValueError, EOFError, OSError, TypeError, SyntaxError, MemoryError, RecursionError,
              OverflowError, KeyError, AttributeError, tokenize.TokenError)  # fmt: skip
"""What numpy raises for headers that are none: it parses them as Python literals."""


@dataclass(frozen=True)
class ArrayDiff:
    """How two arrays differ.

    Attributes:
        old_shape: Shape before.
        new_shape: Shape after.
        old_dtype: Data type before, as numpy writes it.
        new_dtype: Data type after.
        elements: Number of elements that both have, by their place.
        changed: How many of them differ; all of them where the data types or the shapes beyond
            the first axis do.
        rows: Runs of rows (along the first axis) in which something differs, the first few: first
            row, and the one after the last.
        rows_added: Rows after the old array's end.
        rows_removed: Rows of the old array after the new one's end.
        kind: ``changed``; of an array in an archive or store also ``added`` or ``removed``, with
            the shape and type of the side that has it.
    """

    old_shape: tuple[int, ...]
    new_shape: tuple[int, ...]
    old_dtype: str
    new_dtype: str
    elements: int = 0
    changed: int = 0
    rows: tuple[tuple[int, int], ...] = ()
    rows_added: int = 0
    rows_removed: int = 0
    kind: str = "changed"


@dataclass(frozen=True)
class ArrayMerge:
    """The merge of an array.

    Attributes:
        array: The result; ours (or what is chosen) where both changed an element differently.
        clashes: Number of these elements.
        rows: Their first row, and the one after their last; None if there are none.
        both_grew: Both sides added rows, not the same ones; ours (or the chosen ones) stand.
    """

    array: NDArray[Any]
    clashes: int
    rows: tuple[int, int] | None
    both_grew: bool


def read_array(data: bytes, key: str) -> NDArray[Any]:
    """Read an NPY file; never a pickle.

    Raises:
        FormatError: It is none, holds Python objects, or is cut off.
    """
    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old headers are read all the same
            _refuse_false_header(data, key)
            array: NDArray[Any] = np.lib.format.read_array(
                stream, allow_pickle=False, max_header_size=_MAX_HEADER
            )
    except _MALFORMED as error:
        raise FormatError(f"{key}: no NPY file of plain numbers: {error!s:.200}") from error
    if not array.itemsize and array.size > len(data):
        raise FormatError(f"{key}: {array.size} elements of no bytes")
    if stream.tell() != len(data):
        raise FormatError(f"{key}: {len(data) - stream.tell()} bytes after the array's end")
    return array


def _refuse_false_header(data: bytes, key: str) -> None:
    """Refuse a header that states another size than the file has, before memory is taken for it.

    Raises:
        ValueError: The header is malformed.
        FormatError: It states something else than what follows.
    """
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise FormatError(f"{key}: NPY version {version[0]}.{version[1]}; 1.0 and 2.0 are read")
    shape, _, dtype = readers[version](stream, max_header_size=_MAX_HEADER)
    if dtype.hasobject:
        raise FormatError(f"{key}: holds pickled Python objects, which are never read")
    stated, there = math.prod(shape) * dtype.itemsize, len(data) - stream.tell()
    if stated != there:
        raise FormatError(f"{key}: its header states {stated} bytes of numbers, found {there}")


def write_array(array: NDArray[Any]) -> bytes:
    """Return an array as an NPY file, as ``numpy.save`` does."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def diff_arrays(old: NDArray[Any], new: NDArray[Any]) -> ArrayDiff:
    """Compare two arrays."""
    told = (old.shape, new.shape, old.dtype.str, new.dtype.str)
    if not _alike(old, new):
        size = min(old.size, new.size)
        return ArrayDiff(*told, elements=size, changed=size)
    if not old.ndim:
        return ArrayDiff(*told, elements=1, changed=int(elements_differ(old, new).any()))
    common = min(len(old), len(new))
    differ = elements_differ(old[:common], new[:common])
    rows = np.flatnonzero(differ.reshape(common, -1).any(1)) if differ.size else np.zeros(0, int)
    return ArrayDiff(
        *told,
        elements=differ.size,
        changed=int(differ.sum()),
        rows=runs(rows)[:_RANGES],
        rows_added=len(new) - common,
        rows_removed=len(old) - common,
    )


def merge_arrays(
    base: NDArray[Any], ours: NDArray[Any], theirs: NDArray[Any], choice: Choice | None = None
) -> ArrayMerge:
    """Merge two arrays that began as ``base``, element by element; rows may be added at the end.

    Args:
        base: The common ancestor.
        ours: Our side's.
        theirs: Their side's.
        choice: The side whose elements and rows stand where both changed them; None: ours
            stand meanwhile.

    Raises:
        FormatError: The data types or shapes differ otherwise than by rows at the end.
    """
    sides = (base, ours, theirs)
    if not base.ndim or not _alike(base, ours) or not _alike(base, theirs):
        raise FormatError("arrays of different data types or shapes cannot be merged by element")
    count = len(base)
    if len(ours) < count or len(theirs) < count:
        raise FormatError("an array that lost rows cannot be merged by element")
    a, b, c = (one[:count] for one in sides)
    left, right = elements_differ(a, b), elements_differ(a, c)
    clash = left & right & elements_differ(b, c)
    head = np.where(right & ~left, c, b)
    if choice in ("theirs", "base"):
        head = np.where(clash, c if choice == "theirs" else a, head)
    tails = {"ours": ours[count:], "theirs": theirs[count:], "base": ours[:0]}
    both = bool(len(tails["ours"]) and len(tails["theirs"]))
    both = both and not _same(tails["ours"], tails["theirs"])
    if both:
        tail = tails[choice or "ours"]
    else:
        tail = tails["ours"] if len(tails["ours"]) else tails["theirs"]
    merged = np.concatenate([head, tail])
    if not ours.flags.c_contiguous:
        merged = np.asfortranarray(merged)
    at = np.flatnonzero(clash.reshape(count, -1).any(1)) if clash.size else np.zeros(0, int)
    rows = (int(at[0]), int(at[-1]) + 1) if len(at) else None
    return ArrayMerge(merged, int(clash.sum()), rows, both)


def _alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Tell whether two arrays have one data type, and one shape but for the first axis."""
    return one.dtype == other.dtype and one.ndim == other.ndim and one.shape[1:] == other.shape[1:]


def elements_differ(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Compare elements by their bytes; both have one shape and data type."""
    width = one.dtype.itemsize
    if not width or not one.size:
        return np.zeros(one.shape, np.bool_)
    left = np.ascontiguousarray(one).reshape(-1).view(np.uint8).reshape(-1, width)
    right = np.ascontiguousarray(other).reshape(-1).view(np.uint8).reshape(-1, width)
    found: NDArray[np.bool_] = (left != right).any(1).reshape(one.shape)
    return found


def same_array(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Tell whether two arrays have one data type, one shape and the same bytes in each element."""
    return one.dtype == other.dtype and _same(one, other)


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and not elements_differ(one, other).any()


def runs(rows: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """Return runs of consecutive numbers: the first, and the one after the last."""
    if not len(rows):
        return ()
    cuts = np.flatnonzero(np.diff(rows) > 1) + 1
    return tuple((int(one[0]), int(one[-1]) + 1) for one in np.split(rows, cuts))
