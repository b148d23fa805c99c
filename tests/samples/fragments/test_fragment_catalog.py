"""The catalog: every row is found, by every way of asking, whatever becomes of the cache."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import FragmentId, ObjectId, SampleId, digest
from veml_vcs.objects import LocalObjectStore, MemoryObjectStore, ObjectKind, ObjectStore
from veml_vcs.objects.files import Files
from veml_vcs.samples.fragments import catalog as catalog_module
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.content import ContentReader, ContentWriter
from veml_vcs.samples.fragments.fragment import Fragment, FragmentBuilder
from veml_vcs.samples.fragments.vectors import read_vectors, write_vectors

KINDS = (("content", ""), ("annotations", ""), ("vectors", "one"), ("vectors", "two"))
# Heads that collide, and the smallest and the greatest ones.
HEADS = [bytes(8), b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\x80" + bytes(7), b"collides"]
IDS = [head + bytes([tail]) * 24 for head in HEADS for tail in range(4)]
IDS += [digest(b"%d" % i) for i in range(10)]


def add(store: ObjectStore, kind: str, space: str, ids: Sequence[bytes], salt: int = 0) -> None:
    with store.write() as writer:
        attributes = {"space": space} if space else {}
        FragmentBuilder(writer, kind, {**attributes, "salt": salt}).finish(list(ids))


def brute_force(store: ObjectStore) -> dict[tuple[str, str], set[bytes]]:
    found: dict[tuple[str, str], set[bytes]] = {}
    for fragment_id in store.ids(ObjectKind.FRAGMENT):
        fragment = Fragment(store, FragmentId(fragment_id))
        group = found.setdefault((fragment.kind, fragment.space), set())
        group.update(row.tobytes() for row in fragment.ids)
    return found


def check(catalog: Catalog, store: ObjectStore) -> None:
    truth = brute_force(store)
    asked = [*IDS, bytes(32), b"\xff" * 32, digest(b"nobody")]
    for kind, space in KINDS:
        known = truth.get((kind, space), set())
        places = catalog.find_many(asked, kind, space)
        assert places.shape == (len(asked), 2)
        for row_id, place in zip(asked, places.tolist(), strict=True):
            found = catalog.find(row_id, kind, space)
            assert (row_id in known) == (found is not None) == (place[0] >= 0)
            if found is not None:
                for number, row in (found, place):
                    fragment = catalog.fragment(number)
                    assert (fragment.kind, fragment.space) == (kind, space)
                    assert fragment.ids[row].tobytes() == row_id


@contextmanager
def limits(fragments: int, rows: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog_module, "_FRESH_FRAGMENTS", fragments)
        patch.setattr(catalog_module, "_FRESH_ROWS", rows)
        yield


BATCHES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.lists(st.sampled_from(IDS), max_size=8)), max_size=8
)


@given(BATCHES, st.sampled_from([(16, 2000), (0, 0), (2, 5), (1, 2000)]), st.booleans())
@settings(max_examples=120, deadline=None)
def test_find_find_many_and_brute_force_agree(
    batches: list[tuple[tuple[str, str], list[bytes]]], sizes: tuple[int, int], one_by_one: bool
) -> None:
    store = MemoryObjectStore()
    with limits(*sizes):
        catalog = Catalog(store, None, Files())
        for salt, ((kind, space), ids) in enumerate(batches):
            add(store, kind, space, ids, salt)
            if one_by_one:
                catalog.refresh()
        catalog.refresh()
        check(catalog, store)
        check(Catalog(store, None, Files()), store)
    assert sorted(catalog.fragments()) == sorted(store.ids(ObjectKind.FRAGMENT))
    for kind in ("content", "vectors"):
        assert len(catalog.fragments(kind)) == sum(1 for (k, _), _ in batches if k == kind)


def test_nothing_asked_and_nothing_there() -> None:
    catalog = Catalog(MemoryObjectStore(), None, Files())
    assert catalog.find_many([], "content").shape == (0, 2)
    assert catalog.find_many([bytes(32)], "content").tolist() == [[-1, -1]]
    assert catalog.find(bytes(32), "content") is None
    with pytest.raises(NotFoundError):
        catalog.locate(bytes(32), "content")


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of three fragments whose catalog is cached."""
    monkeypatch.setattr(catalog_module, "_FRESH_FRAGMENTS", 0)
    store = LocalObjectStore(tmp_path)
    for i, (kind, space) in enumerate(KINDS[:3]):
        add(store, kind, space, IDS[i : i + 20], i)
    Catalog(store, str(tmp_path / "cache"), Files())
    assert (tmp_path / "cache" / "catalog").stat().st_size > 60 * 16
    return tmp_path


def reopen(folder: Path, cache: str = "cache") -> tuple[Catalog, LocalObjectStore]:
    store = LocalObjectStore(folder)
    return Catalog(store, str(folder / cache), Files()), store


def test_the_cache_is_used(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Catalog, fragment_id: FragmentId) -> None:
        raise AssertionError("a cached fragment was opened")

    monkeypatch.setattr(Catalog, "_add", never)
    catalog, store = reopen(cached)
    check(catalog, store)


def test_a_damaged_cache_is_not_used(cached: Path) -> None:
    path = cached / "cache" / "catalog"
    sound = path.read_bytes()
    for at in [*range(60), *range(60, len(sound), 97), len(sound) - 1]:
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x10]) + sound[at + 1 :])
        check(*reopen(cached))
        assert path.read_bytes() == sound, "the cache was not mended"
    for end in (0, 1, 15, 40, 47, 48, 60, len(sound) - 1):
        path.write_bytes(sound[:end])
        check(*reopen(cached))
    path.write_bytes(sound + b"\0")
    check(*reopen(cached))


def test_a_stale_cache_is_completed(cached: Path) -> None:
    add(LocalObjectStore(cached), "content", "", IDS[-5:], 9)
    check(*reopen(cached))


def test_a_cache_of_fragments_that_are_gone_is_not_used(cached: Path) -> None:
    kept = sorted((cached / "packs").iterdir())
    kept[0].unlink()
    catalog, store = reopen(cached)
    check(catalog, store)
    assert len(catalog.fragments()) == 2


def test_fragments_that_go_while_the_catalog_is_open(cached: Path) -> None:
    catalog, store = reopen(cached)
    for pack in (cached / "packs").iterdir():
        pack.unlink()
    add(store, "content", "", IDS[:2], 9)
    store.refresh()
    catalog.refresh()
    check(catalog, store)


def test_a_cache_that_cannot_be_written_or_read(cached: Path) -> None:
    (cached / "file").write_bytes(b"")
    check(*reopen(cached, "file"))
    (cached / "cache" / "catalog").unlink()
    (cached / "cache" / "catalog").mkdir()
    check(*reopen(cached))
    check(*reopen(cached, "deep/new/folder"))
    assert (cached / "deep" / "new" / "folder" / "catalog").is_file()


def test_two_catalogs_on_one_store(tmp_path: Path) -> None:
    reading, _ = reopen(tmp_path)
    writing, store = reopen(tmp_path)
    sample = SampleId(digest(b"new"))
    with store.write() as batch:
        writer = ContentWriter(writing, batch)
        writer.add(sample, b"new", "a.jpg")
        writer.finish()
    # The other one has its own store, and looks for what it does not know.
    assert ContentReader(reading).read(sample) == b"new"


def test_an_unreadable_fragment_hides_only_its_own_rows() -> None:
    store = MemoryObjectStore()
    catalog = Catalog(store, None, Files())
    with store.write() as writer:
        good = ContentWriter(catalog, writer)
        good.add(SampleId(digest(b"good")), b"good", "a")
        good.finish()
        newer = FragmentBuilder(writer, "content", {"version": 2, "kind": "content"})
        newer.finish([digest(b"newer")])
        writer.put(b"{}", kind=ObjectKind.FRAGMENT)
        writer.put(b"nonsense", kind=ObjectKind.FRAGMENT)
    catalog.refresh()
    assert ContentReader(catalog).read(SampleId(digest(b"good"))) == b"good"
    assert len(catalog.unreadable) == 3
    with pytest.raises(DamagedError, match="no readable fragment; unreadable: 3"):
        catalog.locate(digest(b"newer"), "content")
    with pytest.raises(DamagedError):
        ContentReader(catalog).read(SampleId(digest(b"newer")))


def test_a_newer_fragment_says_so() -> None:
    store = MemoryObjectStore()
    with store.write() as writer:
        FragmentBuilder(writer, "content", {"version": 2}).finish([digest(b"x")])
    with pytest.raises(DamagedError, match="has version 2, this veml reads 1") as caught:
        Catalog(store, None, Files()).locate(digest(b"x"), "content")
    assert caught.value.kind == "newer-format"


def test_a_fragment_whose_chunk_is_gone_is_unreadable() -> None:
    store = MemoryObjectStore()
    with store.write() as writer:
        builder = FragmentBuilder(writer, "content", {})
        builder.finish([digest(b"x")])
    [chunk] = store.ids(ObjectKind.CHUNK)
    del store._objects[ObjectId(chunk)]
    catalog = Catalog(store, None, Files())
    assert len(catalog.unreadable) == 1
    assert catalog.find(digest(b"x"), "content") is None


# -- vectors ------------------------------------------------------------------------------------


def test_vectors_come_back_by_space(tmp_path: Path) -> None:
    store = LocalObjectStore(tmp_path)
    rng = np.random.default_rng(0)
    ids = [SampleId(digest(b"%d" % i)) for i in range(30)]
    first = rng.normal(size=(20, 7)).astype(np.float32)
    first[3] = [np.nan, np.inf, -np.inf, -0.0, 1e-45, 3e38, 1]
    write_vectors(store, "net@1", ids[:20], first)
    write_vectors(store, "net@1", ids[20:], first[:10] + 1)
    write_vectors(store, "net@2", ids[:5], first[:5, :3].copy())
    write_vectors(store, "net@1", [], np.zeros((0, 7), np.float32))
    catalog, _ = reopen(tmp_path)
    order = random.Random(1).sample(range(30), 30)
    asked = [ids[i] for i in order] + [SampleId(digest(b"unknown")), ids[3]]
    vectors, known = read_vectors(catalog, "net@1", asked, 7)
    expected = np.concatenate([first, first[:10] + 1])
    np.testing.assert_array_equal(vectors[:30], expected[order])
    assert known.tolist() == [True] * 30 + [False, True]
    assert vectors[30].tolist() == [0] * 7
    assert vectors.dtype == np.float32
    assert not read_vectors(catalog, "net@3", ids, 7)[1].any()
    assert read_vectors(catalog, "net@1", [], 7)[0].shape == (0, 7)
    with pytest.raises(DamagedError, match=r"expected \[5, 7\]"):
        read_vectors(catalog, "net@2", ids[:1], 7)


def test_vectors_that_do_not_fit_their_ids() -> None:
    store = MemoryObjectStore()
    with pytest.raises(ValueError, match="2 samples but vectors of shape"):
        write_vectors(store, "s", [SampleId(bytes(32))] * 2, np.zeros((3, 2), np.float32))
    with store.write() as writer:
        builder = FragmentBuilder(writer, "vectors", {"space": "s", "dimension": 2})
        builder.add_array("vector", np.zeros((1, 2), np.float32))
        builder.finish([digest(b"a"), digest(b"b")])
    catalog = Catalog(store, None, Files())
    with pytest.raises(DamagedError, match=r"expected \[2, 2\]"):
        read_vectors(catalog, "s", [SampleId(digest(b"b"))], 2)
