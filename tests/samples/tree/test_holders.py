"""Which trees have a content under a key: as each tree says, and each node is read once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples.tree.test_tree_build import (
    CHANGES,
    SHAPES,
    TABLES,
    CountingStore,
    applied,
    sample,
    shape,
    update,
    write,
)
from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId, SampleId, TreeId, digest
from veml_vcs.objects import MemoryObjectStore
from veml_vcs.samples.tree import Entry, Tree
from veml_vcs.samples.tree.holders import Holders
from veml_vcs.samples.tree.node import ChildRef, encode_inner, encode_leaf


@given(TABLES, st.lists(CHANGES, max_size=3), SHAPES)
def test_what_each_tree_says(
    table: dict[str, Entry], changes: list[dict[str, Entry | None]], cuts: tuple[int, int]
) -> None:
    """Seen to fail with the content looked for in a leaf, whatever its key."""
    store = MemoryObjectStore()
    tables = [table]
    for one in changes:
        tables.append(applied(tables[-1], one))
    with shape(*cuts):
        roots = [write(store, one) for one in tables]
    wanted = {(key, one.content) for known in tables for key, one in known.items() if one.content}
    contents = [content for _, content in wanted][:3]
    wanted |= {(key, content) for key in ("00.png", "zz", "a/b") for content in contents}
    for key, content in wanted:
        holders = Holders(store, key, content)
        for root in [*roots, *roots]:
            entry = Tree(store, root).get(key)
            assert holders.has(root) == (entry is not None and entry.content == content)


def test_a_node_is_read_once() -> None:
    """Seen to fail without what is known of nodes, and with it filled for leaves alone."""
    store = CountingStore()
    root = write(store, {f"{number:04}.png": sample(number) for number in range(2000)})
    roots = [root] + [update(store, root, {"1999.png": sample(one)}) for one in range(3000, 3040)]
    content = sample(7).content
    assert content is not None
    holders = Holders(store, "0007.png", content)
    store.reads = 0
    assert all(holders.has(one) for one in roots)
    assert store.reads < len(roots) + 5  # their roots differ
    before = store.reads
    assert all(holders.has(one) for one in roots)
    assert store.reads == before


def test_what_is_no_tree() -> None:
    """Seen to fail without the bound: a tree of inner nodes as deep as one likes is walked."""
    store = MemoryObjectStore()
    content = SampleId(digest(b"x"))
    with pytest.raises(NotFoundError):
        Holders(store, "a", content).has(TreeId(digest(b"nowhere")))
    with store.write() as writer:
        node = writer.put(encode_leaf([(b"a", sample(1))]))
        deep = node
        for _ in range(40):
            deep = writer.put(encode_inner([ChildRef(b"a", deep, 1, 1, 1)], 1))
        other = writer.put(b"no node")
    first = sample(1).content
    assert first is not None
    assert Holders(store, "a", first).has(TreeId(node))
    holders = Holders(store, "a", first)
    with pytest.raises(DamagedError, match="deeper"):
        holders.has(TreeId(deep))
    with pytest.raises(DamagedError):
        holders.has(TreeId(ObjectId(other)))
