"""What every object store promises, on each of them."""

from __future__ import annotations

import hashlib
import pickle
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects import LocalObjectStore, MemoryObjectStore, ObjectKind, ObjectStore


class StoreContract:
    """A subclass gives the fixture ``store``, an empty store."""

    @pytest.mark.parametrize("compress", [False, True])
    @pytest.mark.parametrize("data", [b"", b"x", b"a" * 5000, bytes(range(256)) * 9])
    def test_what_is_put_is_got(self, store: ObjectStore, data: bytes, compress: bool) -> None:
        with store.write() as batch:
            object_id = batch.put(data, compress=compress)
            assert batch.get(object_id) == data
        assert object_id == hashlib.sha256(data).digest()
        assert store.get(object_id) == data
        assert store.view(object_id) == data
        assert store.size(object_id) == len(data)
        assert object_id in store

    def test_a_batch_that_raises_leaves_nothing(self, store: ObjectStore) -> None:
        def fail() -> None:
            with store.write() as batch:
                batch.put(b"never")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert hashlib.sha256(b"never").digest() not in store
        assert list(store.ids()) == []

    def test_a_batch_is_invisible_before_its_end(self, store: ObjectStore) -> None:
        with store.write() as batch:
            object_id = batch.put(b"later")
            assert object_id not in store
        assert object_id in store

    def test_a_batch_that_has_ended_takes_nothing(self, store: ObjectStore) -> None:
        with store.write() as batch:
            object_id = batch.put(b"in time")
        with pytest.raises(InvalidInputError, match="has ended"):
            batch.put(b"too late")
        assert batch.get(object_id) == b"in time"

    def test_a_batch_reads_what_the_store_has(self, store: ObjectStore) -> None:
        with store.write() as batch:
            object_id = batch.put(b"old")
        with store.write() as batch:
            assert batch.get(object_id) == b"old"
            with pytest.raises(NotFoundError):
                batch.get(ObjectId(bytes(32)))

    def test_two_batches_at_the_same_time(self, store: ObjectStore) -> None:
        with store.write() as one, store.write() as other:
            ids = {one.put(b"both"), other.put(b"both"), one.put(b"one"), other.put(b"other")}
        assert sorted(store.ids()) == sorted(ids)
        assert [store.get(i) in (b"both", b"one", b"other") for i in ids] == [True] * 3

    @pytest.mark.parametrize("unknown", [bytes(32), b"", b"short", b"x" * 33])
    def test_what_is_not_there(self, store: ObjectStore, unknown: bytes) -> None:
        with store.write() as batch:
            batch.put(b"something")
        for read in (store.get, store.view, store.size):
            with pytest.raises(NotFoundError, match=f"object {unknown.hex()} is"):
                read(ObjectId(unknown))
        assert unknown not in store
        assert "text" not in store
        assert None not in store

    def test_views_cannot_be_written(self, store: ObjectStore) -> None:
        with store.write() as batch:
            ids = [batch.put(b"raw"), batch.put(b"deflated" * 99, compress=True)]
        for object_id in ids:
            with pytest.raises(TypeError):
                store.view(object_id)[0] = 0

    @pytest.mark.parametrize(
        "data",
        [
            memoryview(np.arange(12, dtype=">i8").reshape(3, 4)),
            memoryview(np.arange(24)[::2]),
            memoryview(np.empty((0, 3))),
            memoryview(np.asfortranarray(np.arange(6).reshape(2, 3))),
            bytearray(b"bytes"),
        ],
        ids=["matrix", "strided", "empty", "fortran", "bytearray"],
    )
    def test_buffers_of_any_shape(self, store: ObjectStore, data: memoryview) -> None:
        with store.write() as batch:
            object_id = batch.put(data)
        assert store.get(object_id) == bytes(data)

    def test_many_threads_put_into_one_batch(self, store: ObjectStore) -> None:
        contents = [b"%d" % i * (i % 700) for i in range(600)]
        with store.write() as batch:
            threads = [
                threading.Thread(target=lambda part=part: [batch.put(c) for c in part])
                for part in (contents[::3], contents[1::3], contents[2::3], contents)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        found = sorted(store.get(object_id) for object_id in store.ids())
        assert found == sorted(set(contents))

    def test_threads_put_the_same_object_at_the_same_time(self, store: ObjectStore) -> None:
        content = bytes(4 << 20)
        start = threading.Barrier(4)
        with store.write() as batch:

            def put() -> None:
                start.wait()
                assert batch.get(batch.put(content)) == content

            threads = [threading.Thread(target=put) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert list(store.ids()) == [hashlib.sha256(content).digest()]
        if isinstance(store, LocalObjectStore):
            [pack] = Path(store.folder, "packs").iterdir()
            assert pack.stat().st_size < 2 * len(content)

    def test_threads_read_the_batch_they_write(self, store: ObjectStore) -> None:
        failures: list[str] = []
        with store.write() as batch:

            def work(name: int) -> None:
                for i in range(200):
                    data = b"%d %d" % (name, i) * i
                    if batch.get(batch.put(data)) != data:
                        failures.append(f"{name} {i}")

            threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert failures == []
        for object_id in store.ids():
            store.get(object_id)

    def test_it_can_be_pickled(self, store: ObjectStore) -> None:
        with store.write() as batch:
            object_id = batch.put(b"travels")
        other = pickle.loads(pickle.dumps(store))
        assert other == store
        assert other.get(object_id) == b"travels"

    def test_views_outlive_the_store(self, store: ObjectStore) -> None:
        with store.write() as batch:
            object_id = batch.put(b"still here")
        view = store.view(object_id)
        store.close()
        assert view == b"still here"


class TestLocal(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return LocalObjectStore(tmp_path)


class TestLocalInSmallPacks(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return LocalObjectStore(tmp_path, pack_bytes=256)


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return MemoryObjectStore()


@pytest.mark.parametrize("pack_bytes", [None, 100, 1 << 30])
@settings(max_examples=20, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.binary(max_size=300), st.sampled_from(ObjectKind), st.booleans()))
    )
)
def test_any_batches(
    pack_bytes: int | None, batches: list[list[tuple[bytes, ObjectKind, bool]]]
) -> None:
    with TemporaryDirectory() as folder:
        store: ObjectStore = MemoryObjectStore()
        if pack_bytes is not None:
            store = LocalObjectStore(folder, pack_bytes=pack_bytes)
        kinds: dict[ObjectId, ObjectKind] = {}
        contents: dict[ObjectId, bytes] = {}
        for objects in batches:
            with store.write() as batch:
                for data, kind, compress in objects:
                    object_id = batch.put(data, kind=kind, compress=compress)
                    kinds.setdefault(object_id, kind)
                    contents[object_id] = data
        assert {i: store.get(i) for i in contents} == contents
        assert sorted(store.ids()) == sorted(contents)
        for kind in ObjectKind:
            assert sorted(store.ids(kind)) == sorted(i for i in kinds if kinds[i] == kind)
