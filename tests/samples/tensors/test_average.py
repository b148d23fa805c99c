"""The mean of two checkpoints, and layers by which two of them differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.tensors import Checkpoint, Tensor, TensorChange, average, layer_changes
from veml_vcs.samples.tensors.values import values_of


def floats(values: Any, dtype: str = "F32") -> Tensor:
    kind = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype]
    array = np.asarray(values, kind)
    return Tensor(dtype, array.shape, array.tobytes())


def halves(values: list[int]) -> Tensor:
    return Tensor("BF16", (len(values),), np.asarray(values, "<u2").tobytes())


def mean(one: Tensor, other: Tensor, weight: float = 0.5) -> Tensor:
    found = average(Checkpoint({"a": one}), Checkpoint({"a": other}), weight)
    return found.tensors["a"]


@pytest.mark.parametrize("dtype", ["F16", "F32", "F64"])
def test_floats(dtype: str) -> None:
    one, other = floats([[0.0, 1.0], [-2.0, 8.0]], dtype), floats([[4.0, 1.0], [2.0, 0.0]], dtype)
    assert mean(one, other) == floats([[2.0, 1.0], [0.0, 4.0]], dtype)
    assert mean(one, other, 0.25) == floats([[1.0, 1.0], [-1.0, 6.0]], dtype)
    assert mean(one, other, 0.0) == one
    assert mean(one, other, 1.0) == other


def test_bfloat16_rounds_to_the_nearest_and_halves_to_even() -> None:
    one, two = 0x3F80, 0x3F81  # 1 and what follows
    assert mean(halves([one]), halves([two])) == halves([one])
    assert mean(halves([two]), halves([0x3F82])) == halves([0x3F82])
    assert mean(halves([one]), halves([two]), 0.75) == halves([two])
    nan = mean(halves([0x7FC0]), halves([one]))
    assert np.isnan(values_of(nan) if values_of(nan) is not None else 0).all()


def test_whole_numbers_are_the_first_ones() -> None:
    one = Tensor("I64", (), np.int64(7).tobytes())
    assert mean(one, Tensor("I64", (), np.int64(9).tobytes())) == one


def test_not_of_one_network() -> None:
    with pytest.raises(InvalidInputError, match="only one of them has b"):
        average(Checkpoint({"a": floats(1)}), Checkpoint({"a": floats(1), "b": floats(1)}))
    with pytest.raises(InvalidInputError, match="two shapes or data types a"):
        mean(floats([1.0]), floats([[1.0]]))
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        mean(floats(1), floats(1), 1.5)


def test_layers() -> None:
    found = layer_changes(
        [
            TensorChange("body.conv.bias", "changed", 3.0, 0.0),
            TensorChange("body.conv.weight", "changed", 4.0, 1.0),
            TensorChange("body.conv.steps", "changed", 40.0, 10.0, True),
            TensorChange("body.gone.weight", "removed"),
            TensorChange("head.bias", "added"),
            TensorChange("head.weight", "reshaped"),
            TensorChange("scale", "changed", 0.0, 1.0),
        ]
    )
    assert [(one.layer, one.kind, one.tensors, one.change) for one in found] == [
        ("body.conv", "changed", 3, 0.2),
        ("body.gone", "removed", 1, None),
        ("head", "changed", 2, None),
        ("scale", "changed", 1, None),
    ]
