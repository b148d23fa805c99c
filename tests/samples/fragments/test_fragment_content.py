"""Contents: every byte comes back, each content is stored once, however it is cut up."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import SampleId, digest
from veml_vcs.objects import LocalObjectStore, MemoryObjectStore, ObjectStore
from veml_vcs.objects.files import Files
from veml_vcs.samples.fragments import content
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.content import KIND, ContentReader, ContentWriter, shrinks


def write(store: ObjectStore, contents: list[tuple[str, bytes]]) -> tuple[Catalog, list[bool], int]:
    catalog = Catalog(store, None, Files())
    with store.write() as batch:
        writer = ContentWriter(catalog, batch)
        new = [writer.add(SampleId(digest(data)), data, name) for name, data in contents]
        writer.finish()
    catalog.refresh()
    return catalog, new, writer.new_bytes


NAMES = st.sampled_from(["a.jpg", "a.txt", "README", "b.PNG", ".jpg", "x.tar.gz"])
DATA = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda unit, times: unit * times, st.binary(max_size=3), st.integers(0, 80)),
)


@given(
    st.lists(st.tuples(NAMES, DATA), max_size=14),
    st.sampled_from([(100, 16, 8), (1, 7, 7), (1000, 1000, 3), (64 << 20, 8 << 20, 1 << 20)]),
)
@settings(max_examples=150, deadline=None)
def test_contents_come_back(contents: list[tuple[str, bytes]], cuts: tuple[int, int, int]) -> None:
    store = MemoryObjectStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "FRAGMENT_BYTES", cuts[0])
        patch.setattr(content, "RAW_CHUNK_BYTES", cuts[1])
        patch.setattr(content, "TEXT_CHUNK_BYTES", cuts[2])
        catalog, new, new_bytes = write(store, contents)
        distinct = {data for _, data in contents}
        assert sum(new) == len(distinct)
        assert new_bytes == sum(map(len, distinct))
        assert sum(fragment.rows for fragment in catalog.opened(KIND)) == len(distinct)
        reader = ContentReader(catalog)
        for _, data in contents:
            assert reader.read(SampleId(digest(data))) == data
        before = len(list(store.ids()))
        _, again, more = write(store, contents)
    assert again == [False] * len(contents)
    assert more == 0
    assert len(list(store.ids())) == before


def test_a_large_batch_becomes_several_fragments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "FRAGMENT_BYTES", 1000)
    store = MemoryObjectStore()
    contents = [(f"{i}.jpg", bytes([i]) * 300) for i in range(10)] + [("big.jpg", b"x" * 5000)]
    catalog, _, _ = write(store, contents)
    assert [fragment.rows for fragment in catalog.opened(KIND)].count(3) == 3
    assert sorted(fragment.rows for fragment in catalog.opened(KIND)) == [1, 1, 3, 3, 3]


def test_the_last_chunk_wastes_less_than_a_byte_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "RAW_CHUNK_BYTES", 100)
    for size in (1, 99, 100, 101, 199, 250, 1001):
        catalog, _, _ = write(MemoryObjectStore(), [("a.jpg", os.urandom(size))])
        [fragment] = catalog.opened(KIND)
        info = fragment.info("payload")
        assert info.chunk_count == -(-size // 100)
        assert 0 <= info.chunk_count * info.chunk_bytes - size < info.chunk_count


def test_rows_keep_their_order_and_layouts_are_apart(tmp_path: Path) -> None:
    rng = random.Random(0)
    contents = [(f"{i}.jpg", rng.randbytes(50)) for i in range(5)]
    contents[2:2] = [(f"{i}.xml", b"<object/>" * 30 + b"%d" % i) for i in range(3)]
    catalog, _, _ = write(LocalObjectStore(tmp_path), contents)
    layouts = {one.attributes["layout"]: one for one in catalog.opened(KIND)}
    assert layouts.keys() == {"raw", "text"}
    for layout, fragment in layouts.items():
        wanted = [d for n, d in contents if n.endswith("xml") == (layout == "text")]
        assert [row.tobytes() for row in fragment.ids] == list(map(digest, wanted))
        assert fragment.info("payload").zstd == (layout == "text")


def test_an_unknown_content_is_not_found() -> None:
    catalog, _, _ = write(MemoryObjectStore(), [("a", b"a")])
    with pytest.raises(NotFoundError, match="does not have content"):
        ContentReader(catalog).read(SampleId(digest(b"b")))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.jpg", b"a" * 1000, False),
        ("a.JPEG", b"a" * 1000, False),
        ("jpg", b"a" * 1000, False),
        ("a.xml", b"a" * 1000, True),
        ("README", b"a" * 1000, True),
        ("a.bin", random.Random(1).randbytes(1000), False),
        ("a.xml", b"", False),
        ("a.xml", b"a", False),
    ],
)
def test_what_shrinks(name: str, data: bytes, expected: bool) -> None:
    assert shrinks(name, data) is expected
    assert shrinks(name, memoryview(data)) is expected
