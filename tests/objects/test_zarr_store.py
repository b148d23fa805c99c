"""The Zarr view: Zarr's own suite over both object stores, and real arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.abc.store import SuffixByteRequest
from zarr.core.buffer import Buffer, cpu, default_buffer_prototype
from zarr.testing.store import StoreTests

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import ObjectId
from veml_vcs.objects import (
    LocalObjectStore,
    MemoryObjectStore,
    ObjectStore,
    decode_manifest,
    encode_manifest,
)
from veml_vcs.objects.zarr_store import ZarrStore


class ZarrContract(StoreTests[ZarrStore, cpu.Buffer]):
    store_cls = ZarrStore
    buffer_cls = cpu.Buffer

    async def set(self, store: ZarrStore, key: str, value: Buffer) -> None:
        with store._objects.write() as batch:
            store._entries[key] = (batch.put(value.to_bytes()), len(value))

    async def get(self, store: ZarrStore, key: str) -> Buffer:
        value = store._entries[key]
        return self.buffer_cls.from_bytes(
            value if isinstance(value, bytes) else store._objects.get(value[0])
        )

    def test_store_repr(self, store: ZarrStore) -> None:
        assert repr(store) == f"ZarrStore({store._objects!r}, 0 keys)"

    def test_store_supports_writes(self, store: ZarrStore) -> None:
        assert store.supports_writes

    def test_store_supports_listing(self, store: ZarrStore) -> None:
        assert store.supports_listing


class TestZarrOverLocal(ZarrContract):
    @pytest.fixture
    def store_kwargs(self, tmp_path: Path) -> dict[str, Any]:
        return {"objects": LocalObjectStore(tmp_path)}


class TestZarrOverMemory(ZarrContract):
    @pytest.fixture
    def store_kwargs(self) -> dict[str, Any]:
        return {"objects": MemoryObjectStore()}


@pytest.fixture(params=["local", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return LocalObjectStore(tmp_path) if request.param == "local" else MemoryObjectStore()


def make_group(store: ZarrStore) -> dict[str, np.ndarray]:
    arrays = {
        "plain": np.arange(100, dtype="<i8").reshape(10, 10),
        "sharded": np.linspace(0, 1, 64, dtype="<f4"),
        "empty": np.zeros((0, 3), dtype="|u1"),
        "scalar": np.array(np.nan),
    }
    group = zarr.open_group(store, mode="w", zarr_format=3)
    group.attrs["name"] = "ünïcode"
    group.create_array("plain", data=arrays["plain"], chunks=(4, 4))
    group.create_array("sharded", data=arrays["sharded"], chunks=(4,), shards=(32,))
    group.create_array("empty", data=arrays["empty"])
    group.create_array("scalar", data=arrays["scalar"])
    return arrays


def test_a_group_through_one_batch_and_its_manifest(objects: ObjectStore) -> None:
    with objects.write() as batch:
        writing = ZarrStore(objects, writer=batch)
        arrays = make_group(writing)
        np.testing.assert_array_equal(zarr.open_group(writing)["plain"][3:5], arrays["plain"][3:5])
        manifest_id = batch.put(encode_manifest(writing.manifest()))
    manifest = decode_manifest(objects.get(manifest_id))
    inline = {key for key, value in manifest.items() if isinstance(value, bytes)}
    assert inline == {"zarr.json", *(f"{name}/zarr.json" for name in arrays)}

    group = zarr.open_group(ZarrStore(objects, manifest, read_only=True), mode="r")
    assert group.attrs["name"] == "ünïcode"
    for name, expected in arrays.items():
        np.testing.assert_array_equal(group[name][...], expected)
    assert set(group.array_keys()) == set(arrays)
    # One shard's last inner chunk alone: a suffix read for the index, then a range.
    assert group["sharded"][60] == arrays["sharded"][60]


def test_one_batch_is_one_pack(tmp_path: Path) -> None:
    objects = LocalObjectStore(tmp_path)
    with objects.write() as batch:
        make_group(ZarrStore(objects, writer=batch))
    assert len(list((tmp_path / "packs").iterdir())) == 1


def test_the_same_arrays_have_the_same_manifest(tmp_path: Path) -> None:
    stores = [ZarrStore(MemoryObjectStore()), ZarrStore(LocalObjectStore(tmp_path))]
    for store in stores:
        make_group(store)
    one, other = (encode_manifest(store.manifest()) for store in stores)
    assert one == other


def test_a_missing_chunk_is_damage_not_fill_values(objects: ObjectStore) -> None:
    store = ZarrStore(objects)
    make_group(store)
    manifest = store.manifest()
    manifest["plain/c/0/0"] = (ObjectId(bytes(32)), 128)
    array = zarr.open_group(ZarrStore(objects, manifest, read_only=True), mode="r")["plain"]
    with pytest.raises(DamagedError, match=r"plain/c/0/0.*missing"):
        array[0, 0]


def test_a_length_that_is_not_the_manifests(objects: ObjectStore) -> None:
    with objects.write() as batch:
        object_id = batch.put(b"four")
    store = ZarrStore(objects, {"c/0": (object_id, 5)})
    with pytest.raises(DamagedError, match="4 bytes, the manifest says 5"):
        store.get_sync("c/0")


def test_a_damaged_chunk_is_noticed_even_in_part(tmp_path: Path) -> None:
    objects = LocalObjectStore(tmp_path)
    with objects.write() as batch:
        object_id = batch.put(b"chunk content")
    [pack] = (tmp_path / "packs").iterdir()
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes().replace(b"chunk c", b"chunk d"))
    store = ZarrStore(LocalObjectStore(tmp_path), {"c/0": (object_id, 13)})
    with pytest.raises(DamagedError):
        store.get_sync("c/0", byte_range=SuffixByteRequest(2))


async def test_a_suffix_longer_than_the_value(objects: ObjectStore) -> None:
    store = ZarrStore(objects, {"zarr.json": b"text"})
    value = await store.get("zarr.json", default_buffer_prototype(), SuffixByteRequest(6))
    assert value.to_bytes() == b"text"


def test_metadata_that_is_no_text_becomes_an_object(objects: ObjectStore) -> None:
    store = ZarrStore(objects)
    store.set_sync("a/zarr.json", cpu.Buffer.from_bytes(b"\xff\xfe"))
    assert isinstance(store.manifest()["a/zarr.json"], tuple)
    assert store.get_sync("a/zarr.json").to_bytes() == b"\xff\xfe"


def test_keys_that_lead_elsewhere_are_refused(objects: ObjectStore) -> None:
    with pytest.raises(InvalidInputError, match=r"\.\."):
        ZarrStore(objects).set_sync("../zarr.json", cpu.Buffer.from_bytes(b"{}"))


def test_a_read_only_copy_sees_what_is_written(objects: ObjectStore) -> None:
    store = ZarrStore(objects)
    copy = store.with_read_only(read_only=True)
    store.set_sync("c/0", cpu.Buffer.from_bytes(b"chunk"))
    assert copy.get_sync("c/0").to_bytes() == b"chunk"


def test_the_manifest_given_is_not_changed(objects: ObjectStore) -> None:
    manifest = {"zarr.json": b"{}"}
    store = ZarrStore(objects, manifest)
    store.delete_sync("zarr.json")
    assert manifest == {"zarr.json": b"{}"}
    assert store.manifest() == {}
