"""Zarr metadata: what veml writes Zarr reads, what Zarr writes veml reads, nonsense is damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.codecs import ZstdCodec
from zarr.core.metadata.v3 import ArrayV3Metadata
from zarr.storage import MemoryStore

from veml_vcs.errors import DamagedError
from veml_vcs.samples.fragments.zarr_meta import (
    DTYPES,
    MAX_ARRAY_BYTES,
    ArrayInfo,
    array_metadata,
    group_metadata,
    parse_array,
    parse_group,
)


@st.composite
def infos(draw: st.DrawFn) -> ArrayInfo:
    shape = tuple(draw(st.lists(st.integers(0, 2**20), min_size=1, max_size=3)))
    first = draw(st.integers(1, 2**22))
    chunks = (first, *(max(1, n) for n in shape[1:]))
    return ArrayInfo(shape, draw(st.sampled_from(sorted(DTYPES))), chunks, draw(st.booleans()))


def is_readable(info: ArrayInfo) -> bool:
    """Tell whether an array is of a size that can be real; others are refused as damage."""
    array_bytes = prod(max(1, n) for n in info.shape) * DTYPES[info.dtype]
    return max(array_bytes, info.chunk_bytes) <= MAX_ARRAY_BYTES


@given(infos().filter(is_readable))
def test_zarr_understands_what_is_written(info: ArrayInfo) -> None:
    text = array_metadata(info)
    assert parse_array(text) == info
    meta = ArrayV3Metadata.from_dict(json.loads(text))
    assert meta.shape == info.shape
    assert meta.chunk_grid.chunk_shape == info.chunk_shape
    assert meta.dtype.to_native_dtype() == np.dtype(info.dtype).newbyteorder("<")
    assert len(meta.codecs) == 1 + info.zstd
    key = "c/" + "/".join("0" * len(info.shape))
    assert meta.encode_chunk_key((0,) * len(info.shape)) == key


@settings(  # most are readable
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(infos().filter(lambda info: not is_readable(info)))
def test_an_array_larger_than_any_real_one_is_damage(info: ArrayInfo) -> None:
    with pytest.raises(DamagedError, match="larger than any real one"):
        parse_array(array_metadata(info))


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("zstd", [False, True])
def test_what_zarr_writes_is_understood(dtype: str, zstd: bool) -> None:
    store = MemoryStore()
    zarr.create_array(
        store, name="a", shape=(10, 3), chunks=(4, 3), dtype=dtype, zarr_format=3,
        compressors=ZstdCodec(level=3) if zstd else None,
    )  # fmt: skip
    text = store._store_dict["a/zarr.json"].to_bytes().decode()
    assert parse_array(text) == ArrayInfo((10, 3), dtype, (4, 3), zstd)


def test_group_attributes_come_back() -> None:
    attributes = {"veml": {"kind": "é", "rows": 3, "list": [1, None, {"a": True}]}}
    text = group_metadata(attributes)
    assert parse_group(text) == attributes
    store = MemoryStore({"zarr.json": zarr.core.buffer.cpu.Buffer.from_bytes(text.encode())})
    assert zarr.open_group(store, mode="r").attrs.asdict() == attributes


GOOD = json.loads(array_metadata(ArrayInfo((10, 2), "int64", (4, 2), True)))


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    meta: Any = json.loads(json.dumps(GOOD))
    at = meta
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return meta


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("zarr_format",), 2),
        (("node_type",), "group"),
        (("shape",), [10]),
        (("shape",), []),
        (("shape",), [10, -2]),
        (("shape",), [10, 2.0]),
        (("shape",), [True, 2]),
        (("shape",), [10, 3]),
        (("shape",), [10, 1]),
        (("shape",), [1 << 60, 2]),
        (("shape",), [1] * 9),
        (("shape",), "10"),
        (("data_type",), "complex64"),
        (("data_type",), ["int64"]),
        (("data_type",), {}),
        (("chunk_grid",), None),
        (("chunk_grid", "name"), "rectangular"),
        (("chunk_grid", "configuration", "chunk_shape"), [4]),
        (("chunk_grid", "configuration", "chunk_shape"), [0, 2]),
        (("chunk_grid", "configuration", "chunk_shape"), [1 << 50, 2]),
        (("chunk_key_encoding", "name"), "v2"),
        (("chunk_key_encoding", "configuration", "separator"), "."),
        (("codecs",), []),
        (("codecs",), [{"name": "zstd"}]),
        (("codecs",), {"name": "bytes"}),
        (("codecs", 0), 7),
        (("codecs", 0, "configuration"), 7),
        (("codecs", 0, "configuration", "endian"), "big"),
        (("codecs", 1, "name"), "gzip"),
        (("storage_transformers",), [{"name": "x"}]),
    ],
)
def test_arrays_that_no_fragment_has(path: tuple[str | int, ...], value: Any) -> None:
    with pytest.raises(DamagedError):
        parse_array(json.dumps(changed(path, value)))


def test_shapes_whose_zero_hides_their_size() -> None:
    huge = 1 << 45
    meta = changed(("shape",), [huge, huge, 0])
    meta["chunk_grid"]["configuration"]["chunk_shape"] = [1, huge, 1]
    with pytest.raises(DamagedError, match="larger than any real one"):
        parse_array(json.dumps(meta))


@pytest.mark.parametrize("parse", [parse_array, parse_group])
@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "7", '{"zarr_format":3}', "[" * 9999, '{"a":1', "\0"]
)
def test_texts_that_are_no_metadata(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(DamagedError):
        parse(text)
