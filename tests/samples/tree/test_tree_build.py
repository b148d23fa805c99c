"""The shape of a tree depends on its content alone, and reading costs what changed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import AnnotationId, ObjectId, SampleId, TreeId, digest
from veml_vcs.objects import MemoryObjectStore
from veml_vcs.samples.tree import (
    Change,
    Entry,
    EntryKind,
    Tree,
    TreeSums,
    build,
    build_tree,
    diff_trees,
    encode_key,
    update_tree,
)

FILE, SAMPLE, ONLY = EntryKind.FILE, EntryKind.SAMPLE, EntryKind.ANNOTATION_ONLY


def sample(number: int, *, annotated: bool = True) -> Entry:
    said = AnnotationId(digest(b"said %d" % number)) if annotated else None
    return Entry(SAMPLE, SampleId(digest(b"%d" % number)), said, number, number % 2 == 1)


ENTRIES = st.one_of(
    st.builds(sample, st.integers(0, 2**40), annotated=st.booleans()),
    st.integers(0, 3).map(lambda n: Entry(FILE, SampleId(digest(b"f%d" % n)), None, n)),
    st.just(Entry(ONLY, None, AnnotationId(digest(b"said")))),
)
KEYS = st.one_of(
    st.integers(0, 60).map(lambda n: f"{n:02}.png"),
    st.sampled_from(["é", "/labels.json", "a/b/c", "\udce9", "z" * 4096, "a", "a.b", "a/b"]),
)
TABLES = st.dictionaries(KEYS, ENTRIES, max_size=40)
CHANGES = st.dictionaries(KEYS, ENTRIES | st.none(), max_size=20)

# With one bit a level and three items a node, few keys make high trees with cuts of both kinds.
SHAPES = st.sampled_from([(1, 3), (1, 1024), (2, 4), (5, 1024)])

POOL = [f"images/{i:04}.png" for i in range(3000)]
BOUNDARIES = [key for key in POOL if build.ends_node(key.encode(), 0)]


class CountingStore(MemoryObjectStore):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def get(self, object_id: ObjectId) -> bytes:
        self.reads += 1
        return super().get(object_id)


@contextmanager
def shape(bits: int, max_items: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "BITS_PER_LEVEL", bits)
        patch.setattr(build, "_MASK", (1 << bits) - 1)
        patch.setattr(build, "MAX_ITEMS", max_items)
        yield


def write(store: MemoryObjectStore, table: Mapping[str, Entry], seed: int = 0) -> TreeId:
    items = list(table.items())
    random.Random(seed).shuffle(items)
    with store.write() as writer:
        return build_tree(items, writer)


def update(store: MemoryObjectStore, root: TreeId, changes: Mapping[str, Entry | None]) -> TreeId:
    with store.write() as writer:
        return update_tree(store, root, changes, writer)


def applied(table: Mapping[str, Entry], changes: Mapping[str, Entry | None]) -> dict[str, Entry]:
    return {key: entry for key, entry in {**table, **changes}.items() if entry is not None}


def by_key(table: Mapping[str, Entry]) -> list[tuple[str, Entry]]:
    return sorted(table.items(), key=lambda item: encode_key(item[0]))


def plain_diff(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> list[Change]:
    keys = sorted(old.keys() | new.keys(), key=encode_key)
    return [Change(k, old.get(k), new.get(k)) for k in keys if old.get(k) != new.get(k)]


@given(TABLES, SHAPES, st.integers(1, 9))
def test_any_order_gives_one_root_and_the_same_entries(
    table: dict[str, Entry], cuts: tuple[int, int], seed: int
) -> None:
    store = MemoryObjectStore()
    with shape(*cuts):
        root = write(store, table)
        assert write(store, table, seed) == root
    tree = Tree(store, root)
    assert list(tree.items()) == by_key(table)
    samples = sum(entry.kind is SAMPLE for entry in table.values())
    assert tree.sums() == TreeSums(len(table), samples, sum(e.size for e in table.values()))
    nodes = list(tree.nodes())
    assert nodes[0] == root
    assert sorted(nodes) == sorted(store.ids())
    for key, entry in table.items():
        assert tree.get(key) == entry
        assert tree[key] == entry
    for key in ("", "00", "00.png0", "zz" * 4000, "/", "\udcff"):
        assert key not in tree
        with pytest.raises(NotFoundError):
            tree[key]


@given(TABLES, CHANGES, SHAPES)
@settings(max_examples=300)
def test_update_is_build(
    table: dict[str, Entry], changes: dict[str, Entry | None], cuts: tuple[int, int]
) -> None:
    store = MemoryObjectStore()
    with shape(*cuts):
        new = update(store, write(store, table), changes)
        assert new == write(store, applied(table, changes))


@given(TABLES, TABLES, SHAPES)
@settings(max_examples=200)
def test_diff_is_the_plain_diff(
    old: dict[str, Entry], new: dict[str, Entry], cuts: tuple[int, int]
) -> None:
    store = MemoryObjectStore()
    with shape(*cuts):
        before, after = write(store, old), write(store, new)
    assert diff_trees(store, before, after) == plain_diff(old, new)
    assert diff_trees(store, None, after) == plain_diff({}, new)
    assert diff_trees(store, before, None) == plain_diff(old, {})


@given(
    st.integers(0, len(POOL)),
    st.integers(0, 2**32),
    st.lists(st.sampled_from(POOL), max_size=30),
    st.lists(st.sampled_from(BOUNDARIES), max_size=30),
)
@settings(max_examples=25, deadline=None)
def test_many_keys_and_their_boundaries(
    count: int, seed: int, some: list[str], boundaries: list[str]
) -> None:
    chosen = random.Random(seed).sample(POOL, count)
    table = {key: sample(i) for i, key in enumerate(chosen)}
    changes: dict[str, Entry | None] = {key: sample(7) for key in some}
    changes.update((key, None if key in table else sample(8)) for key in boundaries)
    store = MemoryObjectStore()
    base = write(store, table)
    new = update(store, base, changes)
    assert new == write(store, applied(table, changes))
    assert diff_trees(store, base, new) == plain_diff(table, applied(table, changes))


@pytest.mark.parametrize("count", [1023, 1024, 1025, 2048, 2100])
def test_forced_cuts_with_real_numbers(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ends_node", lambda key, level: False)
    table = {key: sample(i) for i, key in enumerate(POOL[:count])}
    store = MemoryObjectStore()
    root = write(store, table)
    assert len(list(Tree(store, root).nodes())) == -(-count // 1024) + (count > 1024)
    changes = {POOL[0]: None, POOL[1500]: sample(3), POOL[2999]: sample(4), POOL[1023]: None}
    assert update(store, root, changes) == write(store, applied(table, changes))


def test_levels_above_the_hash_are_cut_by_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MAX_ITEMS", 2)
    table = {key: sample(1) for key in POOL[:64]}
    store = MemoryObjectStore()
    root = write(store, table)
    assert dict(Tree(store, root).items()) == table
    assert not build.ends_node(b"", 12)
    assert not build.ends_node(b"", 40)


def test_an_edit_costs_what_it_changes() -> None:
    store = CountingStore()
    table = {key: sample(i) for i, key in enumerate(POOL)}
    base = write(store, table)
    leaves = sum(build.ends_node(key.encode(), 0) for key in POOL)
    known = len(list(store.ids()))
    inner = known - leaves - (not build.ends_node(POOL[-1].encode(), 0))
    assert leaves > 60

    store.reads = 0
    new = update(store, base, {POOL[1234]: sample(65535)})
    assert store.reads <= inner + 1 + 1  # the root tells its level, then is read as a node
    assert len(list(store.ids())) - known <= 3
    store.reads = 0
    assert [change.key for change in diff_trees(store, base, new)] == [POOL[1234]]
    assert store.reads <= 2 * 4
    store.reads = 0
    Tree(store, new).get(POOL[77])
    assert store.reads <= 4
    store.reads = 0
    Tree(store, new).sums()
    assert store.reads == 1


def test_removing_everything_gives_the_empty_tree() -> None:
    store = MemoryObjectStore()
    empty = write(store, {})
    full = write(store, {key: sample(1) for key in POOL[:200]})
    assert update(store, full, dict.fromkeys(POOL)) == empty
    assert update(store, empty, {key: sample(1) for key in POOL[:200]}) == full
    assert list(Tree(store, empty).items()) == []
    assert Tree(store, empty).sums() == TreeSums(0, 0, 0)
    assert diff_trees(store, empty, None) == []


def test_a_key_cannot_stand_twice() -> None:
    store = MemoryObjectStore()
    twice = [("b", sample(1)), ("a", sample(2)), ("b", Entry(ONLY, None, AnnotationId(bytes(32))))]
    with pytest.raises(InvalidInputError, match="'b' stands twice"), store.write() as writer:
        build_tree(twice, writer)


@pytest.mark.parametrize("key", ["../x", "//etc/x", "\ud800"], ids=ascii)
def test_unusable_keys_are_not_written(key: str) -> None:
    store = MemoryObjectStore()
    root = write(store, {"a": sample(1)})
    with pytest.raises(InvalidInputError), store.write() as writer:
        build_tree([(key, sample(1))], writer)
    with pytest.raises(InvalidInputError), store.write() as writer:
        update_tree(store, root, {key: sample(1)}, writer)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(SAMPLE, None),
        Entry(FILE, None),
        Entry(ONLY, SampleId(bytes(32))),
        Entry(ONLY, None, None, 3),
        Entry(ONLY, None, None, 0, True),
    ],
)
def test_entries_that_contradict_themselves_are_not_written(entry: Entry) -> None:
    store = MemoryObjectStore()
    with pytest.raises(InvalidInputError, match="'k'"), store.write() as writer:
        build_tree([("k", entry)], writer)
