"""Zarr stores of users: what the zarr library writes is read, compared and merged the same."""

from __future__ import annotations

import bz2
import gzip
import json
import math
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numcodecs import Blosc, Zstd
from zarr.storage import MemoryStore

from tests.hostile.mutations import mutated_bytes, mutated_json
from veml_vcs.errors import FormatError
from veml_vcs.samples.formats import detect, get_format
from veml_vcs.samples.formats.zarr import node_of_chunk, nodes_of
from veml_vcs.samples.zarrs import (
    ArrayMeta,
    Side,
    diff_store,
    layout_of,
    merge_chunk,
    meta_of,
    read_meta,
    read_whole,
    summarise_store,
)
from veml_vcs.samples.zarrs import codecs as codecs_module

Files = dict[str, bytes]
VALUES = (np.arange(70, dtype=np.float32).reshape(10, 7) % 11) - 3


def stored(store: MemoryStore) -> Files:
    return {key: value.to_bytes() for key, value in store._store_dict.items()}


def made(values: Any = VALUES, name: str = "", **options: Any) -> Files:
    store = MemoryStore()
    given = {"shape": values.shape, "dtype": values.dtype, "chunks": (4, 3)[: values.ndim]}
    array = zarr.create_array(store, name=name or None, **(given | options))
    if values.size:
        array[...] = values
    return stored(store)


def side(files: Files) -> Side:
    return Side(list(files), files.__getitem__)


def meta(files: Files, node: str = "") -> ArrayMeta:
    found = meta_of(side(files), node)
    assert found is not None
    return found


V3 = zarr.codecs
WAYS: dict[str, dict[str, Any]] = {
    "v3": {},
    "v3 plain": {"compressors": None},
    "v3 gzip": {"compressors": V3.GzipCodec()},
    "v3 blosc": {"compressors": V3.BloscCodec(cname="zstd", shuffle="bitshuffle")},
    "v3 zstd crc": {"compressors": (V3.ZstdCodec(level=3), V3.Crc32cCodec())},
    "v3 big": {"serializer": V3.BytesCodec(endian="big")},
    "v3 turned": {"filters": V3.TransposeCodec(order=(1, 0))},
    "v3 dots": {"chunk_key_encoding": {"name": "default", "separator": "."}},
    "v3 old names": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "v3 shards": {"chunks": (2, 3), "shards": (4, 6)},
    "v3 shards, index first": {
        "chunks": (4, 6),
        "serializer": V3.ShardingCodec(
            chunk_shape=(2, 3),
            codecs=(V3.BytesCodec(), V3.ZstdCodec(), V3.Crc32cCodec()),
            index_location="start",
        ),
        "compressors": None,
    },
    "v2": {"zarr_format": 2},
    "v2 plain": {"zarr_format": 2, "compressors": None},
    "v2 blosc": {"zarr_format": 2, "compressors": Blosc("lz4", 5, Blosc.SHUFFLE)},
    "v2 zstd": {"zarr_format": 2, "compressors": Zstd(1)},
    "v2 fortran": {"zarr_format": 2, "order": "F"},
    "v2 folders": {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["i8", "bool", "c16"])
def test_what_zarr_writes_is_read(way: str, dtype: str) -> None:
    values = VALUES.astype(dtype)
    files = made(values, **WAYS[way])
    found = read_whole(side(files), "", meta(files))
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)
    nodes = nodes_of(files)
    chunks = [key for key in files if node_of_chunk(key, nodes) is not None]
    assert len(chunks) == len(files) - len([k for k in files if "zarr.json" in k or ".z" in k])
    (one,) = summarise_store(side(files))
    assert (one.name, one.shape, one.stored) == ("/", (10, 7), len(chunks))
    assert one.unread is None


@pytest.mark.parametrize("way", WAYS)
def test_what_is_written_zarr_reads(way: str) -> None:
    files = made(**WAYS[way])
    one = meta(files)
    for place in np.ndindex(*one.grid):
        name = one.chunk_name(place)
        chunk = one.pipeline.decode(files[name], one.chunks, one.fill)
        files[name] = one.pipeline.encode(chunk, one.fill)
    store = MemoryStore({key: zarr.core.buffer.cpu.Buffer.from_bytes(value)
                         for key, value in files.items()})  # fmt: skip
    assert np.array_equal(zarr.open_array(store, mode="r")[...], VALUES)


@pytest.mark.parametrize(
    ("fill", "dtype"), [(7, "i4"), (math.nan, "f8"), (-math.inf, "f4"), (1 + 2j, "c16"),
                       (True, "bool")]
)  # fmt: skip
@pytest.mark.parametrize("version", [2, 3])
def test_absent_chunks_hold_the_fill_value(fill: Any, dtype: str, version: int) -> None:
    store = MemoryStore()
    zarr.create_array(store, shape=(5, 2), chunks=(2, 2), dtype=dtype, fill_value=fill,
                      zarr_format=version)  # fmt: skip
    files = stored(store)
    found = read_whole(side(files), "", meta(files))
    assert np.array_equal(found, np.full((5, 2), fill, dtype), equal_nan=dtype != "bool")


def test_scalars_and_empty_arrays() -> None:
    for version in (2, 3):
        files = made(np.float64(2.5).reshape(()), chunks=(), zarr_format=version)
        assert read_whole(side(files), "", meta(files)) == 2.5
        files = made(np.zeros((0, 3)), chunks=(2, 3), zarr_format=version)
        assert read_whole(side(files), "", meta(files)).shape == (0, 3)


def edited(values: Any, *places: tuple[int, int]) -> Any:
    values = values.copy()
    for place in places:
        values[place] += 50
    return values


@pytest.mark.parametrize("way", WAYS)
def test_diff_reads_the_changed_chunks_alone(way: str) -> None:
    old = made(**WAYS[way])
    new = made(edited(VALUES, (1, 1), (2, 1), (9, 6)), **WAYS[way])
    changed = [key for key in old if old[key] != new[key]]
    assert len(changed) == 2
    looked: list[str] = []
    sides = [Side(list(files), lambda key, f=files: looked.append(key) or f[key])  # type: ignore[func-returns-value]
             for files in (old, new)]  # fmt: skip
    found, notes = diff_store(changed, *sides)
    assert notes == []
    assert {key for key in looked if node_of_chunk(key, {""}) is not None} == set(changed)
    assert (found["/"].changed, found["/"].elements) == (3, 70)
    assert found["/"].rows == ((1, 3), (9, 10))


def differences(old: Files, new: Files) -> tuple[dict[str, Any], list[str]]:
    changed = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    return diff_store(changed, side(old), side(new))


def test_diff_of_arrays_that_come_go_grow_and_are_cut_anew() -> None:
    old = made(name="a") | made(name="gone", zarr_format=2)
    grown = np.concatenate([edited(VALUES, (9, 0)), VALUES[:3]])
    new = made(grown, name="a") | made(name="b/new")
    found, _ = differences(old, new)
    assert {name: one.kind for name, one in found.items()} == {
        "a": "changed", "b/new": "added", "gone": "removed"
    }  # fmt: skip
    assert (found["a"].changed, found["a"].rows, found["a"].rows_added) == (1, ((9, 10),), 3)
    back, _ = differences(new, old)
    assert (back["a"].changed, back["a"].rows_removed) == (1, 3)
    recut, _ = differences(made(), made(edited(VALUES, (3, 3)), chunks=(5, 7)))
    assert (recut["/"].changed, recut["/"].rows) == (1, ((3, 4),))
    repacked, _ = differences(made(), made(edited(VALUES, (3, 3)), compressors=None))
    assert (repacked["/"].changed, repacked["/"].elements) == (1, 70)
    other, _ = differences(made(), made(VALUES.astype("f8")))
    assert (other["/"].changed, other["/"].new_dtype) == (70, "<f8")
    same, _ = differences(made(), made(attributes={"unit": "m"}))
    assert (same["/"].changed, same["/"].elements) == (0, 70)


@pytest.mark.parametrize("way", WAYS)
def test_a_chunk_of_two_branches_is_merged_by_element(way: str) -> None:
    files = [made(v, **WAYS[way]) for v in (VALUES, edited(VALUES, (0, 0)), edited(VALUES, (1, 2)))]
    one = meta(files[0])
    name = one.chunk_name((0, 0))
    data, merge = merge_chunk(one, *(each[name] for each in files), None)
    assert (merge.clashes, merge.rows) == (0, None)
    whole = read_whole(side({**files[0], name: data}), "", one)
    assert np.array_equal(whole, edited(VALUES, (0, 0), (1, 2)))
    assert (
        merge_chunk(one, files[0][name], files[0][name], files[2][name], None)[0] == files[2][name]
    )
    clash = edited(VALUES, (0, 0)) * 2
    _, merge = merge_chunk(
        one, files[0][name], files[1][name], made(clash, **WAYS[way])[name], None
    )
    assert merge.clashes == 1
    assert merge.rows == (0, 1)


def test_the_layout_is_everything_chunks_depend_on() -> None:
    plain = layout_of(made()["zarr.json"])
    assert layout_of(made(attributes={"unit": "m"})["zarr.json"]) == plain
    grown = layout_of(made(np.zeros((12, 7), "f4"))["zarr.json"])
    assert (grown[0], grown[1]) == (plain[0], "[12, 7]")
    for other in ({"compressors": None}, {"chunks": (5, 7)}, {"fill_value": 1}):
        assert layout_of(made(**other)["zarr.json"])[0] != plain[0]
    assert layout_of(b"{") != layout_of(b"[")


V3_META = json.loads(made(**WAYS["v3 shards"])["zarr.json"])
V2_META = json.loads(made(**WAYS["v2 blosc"])[".zarray"])


def refused(change: dict[str, Any], said: str, base: dict[str, Any] = V2_META) -> None:
    with pytest.raises(FormatError, match=said):
        read_meta(json.dumps({**base, **change}).encode(), "a/.zarray")


def test_hostile_metadata_is_refused() -> None:
    """Seen to fail: with the list of codecs replaced by numcodecs' registry; without each bound."""
    refused({"filters": [{"id": "pickle", "protocol": 5}]}, "filters")
    refused({"compressor": {"id": "pickle"}}, "codec: expected one of")
    refused({"dtype": "|O"}, "only plain numbers")
    refused({"dtype": [["a", "<i8"]]}, "only plain numbers")
    refused({"chunks": [1 << 40, 1 << 40]}, "are not read")
    refused({"chunks": [0, 3]}, "are not read")
    refused({"chunks": [3]}, "a shape of 2 axes")
    refused({"shape": [-1, 3]}, "expected sizes")
    refused({"shape": [1] * 33, "chunks": [1] * 33}, "expected sizes")
    refused({"dimension_separator": "/../"}, "separator")
    refused({"fill_value": {"a": 1}}, "fill_value")
    refused({"fill_value": "0xzz"}, "fill_value")
    refused({"zarr_format": 9}, "zarr_format")
    shards = {
        "name": "sharding_indexed",
        "configuration": {"chunk_shape": [1, 1], "codecs": ["bytes"]},
    }
    refused({"codecs": ["numcodecs.pickle"]}, "codecs", V3_META)
    refused({"codecs": ["bytes", "numcodecs.pickle"]}, "codec: expected one of", V3_META)
    refused({"data_type": "string"}, "only plain numbers", V3_META)
    nested = {
        "name": "sharding_indexed",
        "configuration": {"chunk_shape": [2, 3], "codecs": [shards]},
    }
    refused({"codecs": [nested]}, "is not read there", V3_META)
    big = {"name": "regular", "configuration": {"chunk_shape": [8192, 8192]}}
    refused({"codecs": [shards], "chunk_grid": big}, "chunks in a shard", V3_META)
    with pytest.raises(FormatError, match="no JSON"):
        read_meta(b"[" * 100_000, "zarr.json")
    with pytest.raises(FormatError, match="bytes of metadata"):
        read_meta(b" " * ((1 << 20) + 1), "zarr.json")


LARGE = bytes(1_000_000)
BLOSC = bytearray(Blosc().encode(np.zeros(1000)))
BLOSC[4:8] = struct.pack("<L", 1 << 31)
BOMBS = {
    "zlib": zlib.compress(LARGE),
    "gzip": zlib.compress(LARGE, 1, 31),
    "bz2": bz2.compress(LARGE),
    "zstd": Zstd(1).encode(LARGE),
    "lz4": struct.pack("<L", 1 << 31) + bytes(20),
    "blosc": bytes(BLOSC),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_stopped(name: str) -> None:
    """Seen to fail: without ``_bounded`` and without the look at ``_stated_size``."""
    with pytest.raises(FormatError, match=r"holds more than|more than 1000$"):
        codecs_module._unpack(name, BOMBS[name], 1000)


def test_chunks_of_a_shard_that_nobody_touched_keep_their_bytes() -> None:
    """Seen to fail with every chunk packed anew: another level gives other bytes."""
    way = {**WAYS["v3 shards"], "compressors": V3.GzipCodec(level=9)}
    values = np.zeros((4, 6), "f4")
    values[2:, :3] = 5  # the chunk at (0, 0), and those at the right, hold the fill value
    sides = [values, edited(values, (3, 0)), edited(values, (3, 5))]
    files = [made(one, **way) for one in sides]
    one = meta(files[0])
    name = one.chunk_name((0, 0))
    data, merge = merge_chunk(one, *(each[name] for each in files), None)
    assert merge.rows is None
    assert one.pipeline.shards is not None

    def pieces(shard: bytes) -> dict[tuple[int, ...], Any]:
        return dict(one.pipeline._by_start(shard, (4, 6), one.pipeline.shards))  # type: ignore[arg-type]

    merged, ours, theirs = map(pieces, (data, files[1][name], files[2][name]))
    assert merged == {(0, 0): None, (0, 3): None, (2, 0): ours[2, 0], (2, 3): theirs[2, 3]}


def test_a_shard_that_names_its_bytes_again_and_again_is_not_written() -> None:
    """Seen to fail without the bound: a merge wrote a hundred times what it had read."""
    inner = {"name": "bytes", "configuration": {"endian": "little"}}
    codec = {"name": "sharding_indexed", "configuration": {
        "chunk_shape": [1], "codecs": [inner, {"name": "gzip", "configuration": {"level": 1}}],
        "index_codecs": [inner]}}  # fmt: skip
    grid = {"name": "regular", "configuration": {"chunk_shape": [2000]}}
    facts = {**V3_META, "shape": [2000], "chunk_grid": grid, "codecs": [codec],
             "data_type": "uint8", "fill_value": 0}  # fmt: skip
    one = read_meta(json.dumps(facts).encode(), "zarr.json")
    assert one is not None
    member = gzip.compress(b"\1", mtime=0)
    padded = member[:3] + b"\x08" + member[4:10] + b"n" * 400 + b"\0" + member[10:]  # a long name
    shard = padded + struct.pack("<QQ", 0, len(padded)) * 2000
    assert (one.pipeline.decode(shard, one.chunks, one.fill) == 1).all()
    with pytest.raises(FormatError, match="take more bytes"):
        one.pipeline.encode(np.ones(2000, "u1"), one.fill, [shard])


def test_a_shard_whose_index_leads_out_of_it() -> None:
    files = made(**WAYS["v3 shards"])
    one = meta(files)
    name = one.chunk_name((0, 0))
    for wrong in (
        files[name][:20],
        files[name][:-68] + struct.pack("<QQ", 10**15, 9) + files[name][-52:],
    ):
        with pytest.raises(FormatError):
            one.pipeline.decode(wrong, one.chunks, one.fill)


@settings(deadline=None, max_examples=60)
@given(mutated_json((V3_META, V2_META, json.loads(made(**WAYS["v3 turned"])["zarr.json"]))))
@example({**V2_META, "fill_value": 10**400})
def test_fuzz_metadata(value: Any) -> None:
    data = json.dumps(value).encode()
    layout_of(data)
    refusal = ""
    try:
        found = read_meta(data, "a")
    except FormatError as error:
        refusal = error.message
    if refusal:
        assert len(refusal) < 1000
    elif found is not None:
        assert math.prod(found.chunks) * found.dtype.itemsize <= 1 << 28
        for name in ("c", "0", "0.0", "c/0/0", "1/2", "c/٣/0", "c/00/0", "c/9999999999999999999/0"):
            place = found.place_of(name)
            assert place is None or found.chunk_name(place) == name


CHUNKS = {way: files[meta(files).chunk_name((0, 0))]
          for way, files in ((way, made(**WAYS[way])) for way in WAYS)}  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(WAYS)).flatmap(
    lambda way: st.tuples(st.just(way), mutated_bytes((CHUNKS[way],)))))  # fmt: skip
def test_fuzz_chunks(case: tuple[str, bytes]) -> None:
    way, data = case
    one = METAS[way]
    try:
        found = one.pipeline.decode(data, one.chunks, one.fill)
    except FormatError:
        return
    assert found.shape == one.chunks


METAS = {way: meta(made(**WAYS[way])) for way in WAYS}


def test_what_is_a_store() -> None:
    files = made(name="a") | {"README.md": b"x"}
    layout = detect(sorted(files), files.__getitem__)
    assert layout.format == "zarr"
    assert set(layout.samples) == {key for key in files if "/c/" in key}
    facts = get_format("zarr").read(layout, files.__getitem__).facts
    assert (facts.task, facts.layout) == ("arrays", {})
    assert detect(sorted({**files, "run.py": b""}), files.__getitem__).format == "files"
    assert detect(sorted({**files, "a.png": b""}), files.__getitem__).format != "zarr"
    assert detect(["zarr.json"], lambda _: b"{}").format == "files"
    assert node_of_chunk("a/c/0/1", {"a"}) == node_of_chunk("a/0.1", {"a"}) == "a"
    for other in ("a/c/\u0663/0", "a/c/x", "a/README", "b/c/0", "a/0.1.tmp"):
        assert node_of_chunk(other, {"a"}) is None


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from(["v3", "v3 shards", "v2 fortran", "v3 turned"]),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 6)), max_size=6),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_a_diff_counts_as_numpy_does(
    way: str, places: list[tuple[int, int]], before: int, after: int
) -> None:
    """Edits, and rows that come or go at the end, in arrays whose edges cut through chunks."""
    values = np.arange(14 * 7, dtype=np.float32).reshape(14, 7)
    old, new = values[: 11 + before], values[: 11 + after].copy()
    for row, column in places:
        if row < len(new):
            new[row, column] = -1
    found, notes = differences(made(old, **WAYS[way]), made(new, **WAYS[way]))
    common = min(len(old), len(new))
    expected = old[:common] != new[:common]
    one = found.get("/")
    assert notes == []
    assert (one.changed if one else 0) == expected.sum()
    if one is not None:
        assert (one.elements, one.rows_added, one.rows_removed) == (
            common * 7, len(new) - common, len(old) - common
        )  # fmt: skip
        rows = [row for start, stop in one.rows for row in range(start, stop)]
        assert rows == np.flatnonzero(expected.any(1)).tolist()
