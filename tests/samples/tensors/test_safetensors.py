"""safetensors files: as the package writes and reads them; hostile ones are refused."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.hostile.mutations import deep, mutated_bytes
from veml_vcs.errors import FormatError
from veml_vcs.samples.tensors import Checkpoint, Tensor, read_safetensors, write_safetensors
from veml_vcs.samples.tensors.safetensors import DTYPE_BYTES

NUMPY = {"BOOL": "?", "U8": "u1", "I16": "<i2", "F16": "<f2", "F32": "<f4", "F64": "<f8",
         "I64": "<i8"}  # fmt: skip


def tensor(dtype: str, shape: tuple[int, ...], seed: int = 0) -> Tensor:
    count = int(np.prod(shape)) * DTYPE_BYTES[dtype]
    values = np.random.default_rng(seed).integers(0, 2, count, np.uint8)
    return Tensor(dtype, shape, values.tobytes())


SOUND = Checkpoint(
    {
        "b.weight": tensor("F32", (3, 2), 1), "a": tensor("BF16", (), 2),
        "é/odd": tensor("BOOL", (3,), 3), "none": tensor("F64", (0, 4)),
    },
    {"format": "pt"},
)  # fmt: skip
FILE = write_safetensors(SOUND)


def same(one: Checkpoint, other: Checkpoint) -> bool:
    def plain(found: Checkpoint) -> dict[str, Any]:
        return {n: (t.dtype, t.shape, bytes(t.data)) for n, t in found.tensors.items()}

    return plain(one) == plain(other) and dict(one.metadata) == dict(other.metadata)


def test_round_trip() -> None:
    assert same(read_safetensors(FILE, "x"), SOUND)
    again = Checkpoint(dict(reversed(SOUND.tensors.items())), SOUND.metadata)
    assert write_safetensors(again) == FILE
    assert read_safetensors(write_safetensors(Checkpoint({})), "x").tensors == {}


@given(
    found=st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=5),
        st.tuples(st.sampled_from(sorted(DTYPE_BYTES)), st.lists(st.integers(0, 3), max_size=3)),
        max_size=4,
    )
)
def test_any_tensors(found: dict[str, tuple[str, list[int]]]) -> None:
    made = Checkpoint({name: tensor(one, tuple(shape)) for name, (one, shape) in found.items()})
    assert same(read_safetensors(write_safetensors(made), "x"), made)


@pytest.mark.skipif(find_spec("safetensors") is None, reason="safetensors not installed")
def test_the_package_agrees(tmp_path: Path) -> None:
    from safetensors.numpy import load, save

    arrays = {
        f"{dtype}.{i}": np.frombuffer(one.data, kind).reshape(one.shape)
        for i, (dtype, kind) in enumerate(NUMPY.items())
        for one in [tensor(dtype, (2, 3), i)]
    }
    theirs = save(arrays, {"made": "here"})
    ours = read_safetensors(theirs, "x")
    assert write_safetensors(ours) == theirs  # byte for byte
    back = load(write_safetensors(ours))
    assert all(np.array_equal(back[name], one) for name, one in arrays.items())


def file(header: Any, payload: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + payload


def one(dtype: Any = "U8", shape: Any = (2,), place: Any = (0, 2)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": place}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "too few"),
        ((1 << 60).to_bytes(8, "little"), "a header of"),
        (file(b"{"), "not JSON"),
        (file(b'{"a": 1, "a": 1}'), "twice"),
        (file(deep("[", "]")), "not JSON"),
        (file([]), "no JSON object"),
        (file({"a": 5}), "no place"),
        (file({"a": one(place=[0, 3])}, b"ab"), "no place"),
        (file({"a": one(place=[2, 0])}, b"ab"), "no place"),
        (file({"a": one(place=[-1, 1])}, b"ab"), "no place"),
        (file({"a": one(place=[0, True])}, b"ab"), "no place"),
        (file({"a": one("X9")}, b"ab"), "unknown data type"),
        (file({"a": one(shape=[3])}, b"ab"), "takes 3 bytes, found 2"),
        (file({"a": one(shape=[-2])}, b"ab"), "no shape"),
        (file({"a": one(shape=[1 << 62, 1 << 62])}, b"ab"), "no shape"),
        (file({"a": one(shape="ab")}, b"ab"), "no shape"),
        (file({"a": one(), "b": one()}, b"ab"), "overlap"),
        (file({"a": one(place=[1, 3])}, b"abc"), "leave a gap"),
        (file({"a": one()}, b"abc"), "belong to no tensor"),
        (file({"__metadata__": {"a": 1}}), "metadata"),
        (file(b'{"\\ud800": {}}'), "not JSON"),
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said) as caught:
        read_safetensors(data, "x.safetensors")
    assert len(caught.value.message) < 400


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=mutated_bytes((FILE,)))
@example(data=FILE)
def test_hostile_bytes(data: bytes) -> None:
    try:
        found = read_safetensors(data, "x")
    except FormatError as error:
        text = error.message
    else:
        text = ""
        assert same(read_safetensors(write_safetensors(found), "x"), found)
    assert len(text) < 500
