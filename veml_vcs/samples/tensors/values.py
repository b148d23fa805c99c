"""The numbers of a tensor, and the mean of two checkpoints."""

from __future__ import annotations

from typing import Any

import numpy as np

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.tensors.safetensors import Checkpoint, Tensor

NUMPY = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "I16": "<i2", "U16": "<u2", "F16": "<f2", "I32": "<i4",
    "U32": "<u4", "F32": "<f4", "F64": "<f8", "I64": "<i8", "U64": "<u8",
}  # fmt: skip
"""Data type of a tensor -> numpy's; without bfloat16 and 8-bit floats, which numpy has not."""

_AVERAGED = ("F16", "BF16", "F32", "F64")
_NAMED = 3

Array = np.ndarray[Any, np.dtype[np.float64]]


def values_of(tensor: Tensor) -> Array | None:
    """Return the numbers of a tensor: float64, flat; None of 8-bit floats."""
    if tensor.dtype == "BF16":  # the upper half of a float32
        upper = np.frombuffer(tensor.data, "<u2").astype(np.uint32) << 16
        return upper.view(np.float32).astype(np.float64)
    if tensor.dtype in NUMPY:
        return np.frombuffer(tensor.data, NUMPY[tensor.dtype]).astype(np.float64)
    return None


def average(first: Checkpoint, second: Checkpoint, weight: float = 0.5) -> Checkpoint:
    """Return the weighted mean of two checkpoints of one network, tensor by tensor.

    Averaging fine-tunes of one parent: Wortsman et al., "Model soups", ICML 2022. Tensors of
    floating point are averaged in double precision and rounded once; whole numbers and truth values
    (counters) have no mean, and are the first's. Metadata is the first's.

    Args:
        first: A checkpoint.
        second: One with tensors of the same names, data types and shapes.
        weight: Of the second, 0 to 1.

    Raises:
        InvalidInputError: The weight is none, or they are not of one network.
    """
    if not 0 <= weight <= 1:
        raise InvalidInputError(f"a weight is from 0 to 1, found {weight:g}")
    alone = sorted(first.tensors.keys() ^ second.tensors.keys())
    other = [
        name
        for name in sorted(first.tensors.keys() & second.tensors.keys())
        if _form(first.tensors[name]) != _form(second.tensors[name])
    ]
    if alone or other:
        found = alone or other
        why = "only one of them has" if alone else "they have in two shapes or data types"
        more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        raise InvalidInputError(
            f"the checkpoints are not of one network: {why} {', '.join(found[:_NAMED])}{more}",
            kind="other-network",
        )
    tensors = {
        name: _mean(one, second.tensors[name], weight) for name, one in first.tensors.items()
    }
    return Checkpoint(tensors, first.metadata)


def _form(tensor: Tensor) -> tuple[str, tuple[int, ...]]:
    return tensor.dtype, tensor.shape


def _mean(first: Tensor, second: Tensor, weight: float) -> Tensor:
    if first.dtype not in _AVERAGED or first.data == second.data:
        return first
    left, right = values_of(first), values_of(second)
    assert left is not None
    assert right is not None
    mean = left + (right - left) * weight
    if first.dtype == "BF16":
        return Tensor("BF16", first.shape, _bfloat16(mean))
    with np.errstate(over="ignore"):
        return Tensor(first.dtype, first.shape, mean.astype(NUMPY[first.dtype]).tobytes())


def _bfloat16(values: Array) -> bytes:
    """Round to the nearest bfloat16, halves to even; what is no number stays none."""
    bits = values.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    upper = np.where(np.isnan(values), (bits >> 16) | 0x40, rounded)
    return upper.astype("<u2").tobytes()
