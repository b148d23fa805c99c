"""Read a tree: one key, a range, everything, or the differences between two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId, TreeId, short
from veml_vcs.objects.protocol import ObjectStore
from veml_vcs.samples.tree.entry import Entry, EntryKind, encode_key
from veml_vcs.samples.tree.node import ChildRef, decode_inner, decode_leaf, is_leaf


class Change(NamedTuple):
    """How one key differs between two trees; None where the key is not there."""

    key: str
    old: Entry | None
    new: Entry | None


class TreeSums(NamedTuple):
    """What a whole tree holds.

    Attributes:
        entries: All entries.
        samples: Those of kind ``SAMPLE``.
        content_bytes: Sum of the sizes of samples and files.
    """

    entries: int
    samples: int
    content_bytes: int


class Tree:
    """One data version's entries, read from the store as needed.

    Args:
        store: Holds the nodes.
        root: The root node.
    """

    def __init__(self, store: ObjectStore, root: TreeId) -> None:
        self.store = store
        self.root = root

    def get(self, key: str) -> Entry | None:
        """Return the entry under ``key``, or None."""
        raw = encode_key(key)
        node = ObjectId(self.root)
        while True:
            data = self.store.get(node)
            if is_leaf(data):
                return dict(decode_leaf(data, node)).get(key)
            _, children = decode_inner(data, node)
            below = next((child for child in children if child.last_key >= raw), None)
            if below is None:
                return None
            node = below.node

    def __getitem__(self, key: str) -> Entry:
        entry = self.get(key)
        if entry is None:
            raise NotFoundError(f"no {key!r} in the data version with tree {short(self.root)}")
        return entry

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def items(self) -> Iterator[tuple[str, Entry]]:
        """List all entries in key order."""
        for ref in leaf_refs(self.store, self.root):
            yield from decode_leaf(self.store.get(ref.node), ref.node)

    def sums(self) -> TreeSums:
        """Count entries, samples and bytes from the root alone."""
        data = self.store.get(ObjectId(self.root))
        if not is_leaf(data):
            _, children = decode_inner(data, ObjectId(self.root))
            return TreeSums(
                sum(child.entries for child in children),
                sum(child.samples for child in children),
                sum(child.content_bytes for child in children),
            )
        entries = [entry for _, entry in decode_leaf(data, ObjectId(self.root))]
        samples = sum(1 for entry in entries if entry.kind is EntryKind.SAMPLE)
        return TreeSums(len(entries), samples, sum(entry.size for entry in entries))

    def nodes(self) -> Iterator[ObjectId]:
        """List the ids of all nodes, parents first."""
        queue = [ObjectId(self.root)]
        while queue:
            node = queue.pop()
            yield node
            data = self.store.get(node)
            if not is_leaf(data):
                queue += [child.node for child in decode_inner(data, node)[1]]


def read_leaf(store: ObjectStore, node: ObjectId) -> list[tuple[bytes, Entry]]:
    """Return a leaf's entries with their keys as bytes."""
    return [(encode_key(key), entry) for key, entry in decode_leaf(store.get(node), node)]


def leaf_refs(store: ObjectStore, root: TreeId) -> Iterator[ChildRef]:
    """List references to all leaves in key order, without reading the leaves below inner nodes."""
    data = store.get(ObjectId(root))
    if is_leaf(data):
        items = read_leaf(store, ObjectId(root))
        if items:
            samples = sum(1 for _, entry in items if entry.kind is EntryKind.SAMPLE)
            size = sum(entry.size for _, entry in items)
            yield ChildRef(items[-1][0], ObjectId(root), len(items), samples, size)
        return
    yield from _leaves_below(store, data, ObjectId(root), None)


def _leaves_below(
    store: ObjectStore, data: bytes, node: ObjectId, expected_level: int | None
) -> Iterator[ChildRef]:
    level, children = decode_inner(data, node)
    if expected_level is not None and level != expected_level:
        # A hostile tree could otherwise be made deep enough to exhaust the stack.
        raise DamagedError(f"tree node {short(node)}: level {level}, expected {expected_level}")
    for child in children:
        if level == 1:
            yield child
        else:
            yield from _leaves_below(store, store.get(child.node), child.node, level - 1)


def diff_trees(store: ObjectStore, old: TreeId | None, new: TreeId | None) -> list[Change]:
    """Compare two trees and return what differs, in key order.

    Descends level by level and drops the nodes both sides share, so the cost is that of the
    difference. None stands for the empty tree.
    """
    if old == new:
        return []
    before, after = _Frontier(store, old), _Frontier(store, new)
    while before.level > 0 or after.level > 0:
        if before.level >= after.level:
            before.descend()
        if after.level > before.level:
            after.descend()
        if before.level == after.level:
            shared = before.nodes.keys() & after.nodes.keys()
            before.drop(shared)
            after.drop(shared)
    olds, news = before.entries(), after.entries()
    changes = [
        Change(key, olds.get(key), news.get(key))
        for key in olds.keys() | news.keys()
        if olds.get(key) != news.get(key)
    ]
    changes.sort(key=lambda change: encode_key(change.key))
    return changes


class _Frontier:
    """The nodes of one tree at one level that may differ from the other tree's."""

    def __init__(self, store: ObjectStore, root: TreeId | None) -> None:
        self._store = store
        self.nodes: dict[ObjectId, None] = {} if root is None else {ObjectId(root): None}
        self.level = 0
        if root is not None:
            data = store.get(ObjectId(root))
            if not is_leaf(data):
                self.level = decode_inner(data, ObjectId(root))[0]

    def descend(self) -> None:
        below: dict[ObjectId, None] = {}
        for node in self.nodes:
            level, children = decode_inner(self._store.get(node), node)
            if level != self.level:
                raise DamagedError(f"tree node {short(node)}: level {level}, not {self.level}")
            below.update((child.node, None) for child in children)
        self.nodes = below
        self.level -= 1

    def drop(self, shared: set[ObjectId]) -> None:
        for node in shared:
            del self.nodes[node]

    def entries(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for node in self.nodes:
            found.update(decode_leaf(self._store.get(node), node))
        return found
