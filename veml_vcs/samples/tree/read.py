"""Read a tree: one key, or everything. How two differ is for ``diff``.

Trees may come from strangers. That a node's bytes are not damaged follows from its id; that it is
what the node above it says, and lies where it says, is checked here.
"""

from __future__ import annotations

import weakref
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Container, Iterator
from operator import itemgetter
from typing import NamedTuple, TypeAlias, TypeVar

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId, TreeId, short
from veml_vcs.objects.protocol import ObjectReader, ObjectStore
from veml_vcs.samples.tree.alike import alike_leaf
from veml_vcs.samples.tree.entry import Entry, encode_key
from veml_vcs.samples.tree.node import (
    ChildRef,
    check_inner,
    check_leaf,
    decode_inner,
    decode_leaf,
    is_leaf,
    ref_to_inner,
    ref_to_leaf,
)

_MAX_RECENT = 2048
"""Leaves of some 32 entries each: about 25 MB."""
_Leaves: TypeAlias = dict[ObjectId, tuple[list[tuple[str, Entry]], ChildRef, bytes]]
"""Entries, and what the leaf was compared with: what is said of it, and the key before it."""

_Part = TypeVar("_Part")
_recent: dict[int, tuple[weakref.ref[ObjectReader], _Leaves]] = {}


class Gap(NamedTuple):
    """Keys of a tree that are not known, because a node cannot be read.

    Attributes:
        node: The node.
        after: The last key before them, as bytes; empty if there is none.
        last_key: The last of them; None: all that follow.
        entries: Their number; None if that is not known.
        error: Why.
    """

    node: ObjectId
    after: bytes
    last_key: bytes | None
    entries: int | None
    error: str

    def covers(self, key: str) -> bool:
        """Tell whether a key is among them."""
        raw = encode_key(key)
        return self.after < raw and (self.last_key is None or raw <= self.last_key)


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
        """Return the entry under ``key``, or None.

        Raises:
            InvalidInputError: No file can have such a name.
            DamagedError: The nodes on the way are not a tree.
        """
        raw = encode_key(key)
        place = _root(self.store, self.root)
        while place.level:
            children = _children(self.store, place)
            below = next((child for child in children if child.ref.last_key >= raw), None)
            if below is None:
                return None
            place = below
        return dict(_entries(self.store, place)).get(key)

    def find(self, keys: Collection[str], gaps: list[Gap] | None = None) -> dict[str, Entry | None]:
        """Return the entries under several keys, None for those not there; each node read once.

        Args:
            keys: The keys.
            gaps: Takes what cannot be read; what is there counts as not there then.

        Raises:
            InvalidInputError: No file can have such a name.
            DamagedError: The nodes on the way are not a tree, and ``gaps`` is None.
        """
        if gaps is not None:
            wanted_here = set(keys)
            known = {key: one for key, one in self.items(gaps) if key in wanted_here}
            return {key: known.get(key) for key in keys}
        found: dict[str, Entry | None] = dict.fromkeys(keys)
        wanted = sorted((encode_key(key), key) for key in found)
        at = 0
        pending = [_root(self.store, self.root)]
        while pending and at < len(wanted):
            place = pending.pop()
            if wanted[at][0] > place.ref.last_key:
                continue
            if place.level:
                pending += reversed(_children(self.store, place))
                continue
            end = bisect_right(wanted, place.ref.last_key, at, key=itemgetter(0))
            found.update(_find_in_leaf(self.store, place, [key for _, key in wanted[at:end]]))
            at = end
        return found

    def first_from(self, at: bytes) -> str | None:
        """Return the first key that is not before some bytes (see ``encode_key``), or None.

        Raises:
            DamagedError: The nodes on the way are not a tree.
        """
        place = _root(self.store, self.root)
        while place.level:
            children = _children(self.store, place)
            below = next((child for child in children if child.ref.last_key >= at), None)
            if below is None:
                return None
            place = below
        entries = _entries(self.store, place)
        index = bisect_left(entries, at, key=lambda item: encode_key(item[0]))
        return entries[index][0] if index < len(entries) else None

    def __getitem__(self, key: str) -> Entry:
        entry = self.get(key)
        if entry is None:
            raise NotFoundError(f"no {key!r} in the data version with tree {short(self.root)}")
        return entry

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def items(self, gaps: list[Gap] | None = None) -> Iterator[tuple[str, Entry]]:
        """List all entries in key order.

        Args:
            gaps: Takes what cannot be read, which is left out then.

        Raises:
            DamagedError: The nodes are not a tree, and ``gaps`` is None.
        """
        if gaps is None:
            for place in leaves(self.store, self.root):
                yield from _entries(self.store, place)
            return
        walk = Frontier(self.store, self.root, gaps)
        while walk.level:
            walk.descend()
        yield from walk.entries().items()

    def sums(self) -> TreeSums:
        """Count entries, samples and bytes from the root alone."""
        ref = _root(self.store, self.root).ref
        return TreeSums(ref.entries, ref.samples, ref.content_bytes)

    def nodes(self) -> Iterator[ObjectId]:
        """List the ids of all nodes, parents first. A node is listed before it is read.

        Raises:
            DamagedError: The nodes are not a tree.
        """
        yield ObjectId(self.root)
        pending = [_root(self.store, self.root)]
        while pending:
            place = pending.pop()
            if place.level:
                children = _children(self.store, place)
                yield from (child.ref.node for child in children)
                pending += children


class Place(NamedTuple):
    """Where a node lies in a tree.

    Attributes:
        ref: What the node above says of it; for the root, what it says of itself.
        level: 0 for a leaf.
        after: The last key to the left of it, empty if there is none.
    """

    ref: ChildRef
    level: int
    after: bytes


def leaves(store: ObjectStore, root: TreeId, inner: list[Place] | None = None) -> Iterator[Place]:
    """List the places of all leaves in key order, without reading the leaves below inner nodes.

    Args:
        store: Holds the nodes.
        root: The tree.
        inner: Takes the places of the inner nodes on the way, those of one level in key order.

    Raises:
        DamagedError: The inner nodes are not a tree.
    """
    pending = [_root(store, root)]
    while pending:
        place = pending.pop()
        if place.level:
            pending += reversed(_children(store, place))
            if inner is not None:
                inner.append(place)
        elif place.ref.entries:
            yield place


def walk_new(
    store: ObjectReader, root: TreeId, seen: Container[ObjectId]
) -> Iterator[tuple[ObjectId, list[tuple[str, Entry]]]]:
    """List the nodes of a tree with the entries of each (none for an inner node), parents first.

    Args:
        store: Holds the nodes.
        root: The tree.
        seen: Nodes to leave out, with all that is below them.

    Raises:
        NotFoundError: The store lacks a node.
        DamagedError: The nodes are not a tree.
    """
    if ObjectId(root) in seen:
        return
    pending = [_root(store, root)]
    while pending:
        place = pending.pop()
        if place.ref.node in seen:
            continue
        if place.level:
            yield place.ref.node, []
            pending += reversed(_children(store, place))
        else:
            yield place.ref.node, _entries(store, place)


def read_leaf(
    store: ObjectStore, place: Place, data: bytes | None = None
) -> list[tuple[bytes, Entry]]:
    """Return a leaf's entries with their keys as bytes.

    Args:
        store: Holds the leaf.
        place: Where it lies in the tree.
        data: Its bytes, where they were read already.

    Raises:
        DamagedError: It is not a leaf, or not what the node above says.
    """
    return [(encode_key(key), entry) for key, entry in _entries(store, place, data)]


def _root(store: ObjectReader, root: TreeId) -> Place:
    node = ObjectId(root)
    data = store.get(node)
    if is_leaf(data):
        items = decode_leaf(data, node)
        last_key = encode_key(items[-1][0]) if items else b""
        return Place(ref_to_leaf(last_key, (entry for _, entry in items), node), 0, b"")
    level, children = decode_inner(data, node)
    return Place(ref_to_inner(children, node), level, b"")


def _entries(
    store: ObjectReader, place: Place, data: bytes | None = None
) -> list[tuple[str, Entry]]:
    """Return a leaf's entries; the list may be shared and must not be changed.

    Args:
        store: Holds the leaf.
        place: Where it lies in the tree.
        data: Its bytes, where they were read already.
    """
    ref, after = place.ref, place.after
    recent = _recent_leaves(store)
    known = recent.get(ref.node)
    if known is None:
        items = decode_leaf(store.get(ref.node) if data is None else data, ref.node)
        if len(recent) >= _MAX_RECENT:
            del recent[next(iter(recent))]
    elif known[1] == ref and known[2] == after:
        return known[0]
    else:
        items = known[0]
    check_leaf(items, ref, after)
    recent[ref.node] = items, ref, after
    return items


def _find_in_leaf(store: ObjectReader, place: Place, keys: list[str]) -> dict[str, Entry]:
    data = store.get(place.ref.node)
    leaf = alike_leaf(data, place.ref, place.after)
    if leaf is not None:
        return leaf.find(keys)
    entries = dict(_entries(store, place, data))
    return {key: entries[key] for key in keys if key in entries}


def _recent_leaves(store: ObjectReader) -> _Leaves:
    """Return the leaves decoded lately from this store object: one command reads most twice."""
    number = id(store)
    known = _recent.get(number)
    if known is None or known[0]() is not store:

        def forget(reference: weakref.ref[ObjectReader]) -> None:
            if number in _recent and _recent[number][0] is reference:
                del _recent[number]

        known = _recent[number] = (weakref.ref(store, forget), {})
    return known[1]


def _children(store: ObjectReader, place: Place) -> list[Place]:
    node = place.ref.node
    level, refs = decode_inner(store.get(node), node)
    if level != place.level:
        raise DamagedError(f"tree node {short(node)}: level {level}, expected {place.level}")
    check_inner(refs, place.ref, place.after)
    places = []
    after = place.after
    for ref in refs:
        places.append(Place(ref, level - 1, after))
        after = ref.last_key
    return places


class Frontier:
    """Nodes of a tree at one level, from which ``descend`` goes to those below.

    Args:
        store: Holds the nodes.
        root: The tree; None is the empty one.
        gaps: Takes what cannot be read.

    Attributes:
        nodes: The nodes; whoever is not interested in what is below one takes it out.
        level: Their level.
    """

    def __init__(
        self, store: ObjectReader, root: TreeId | None, gaps: list[Gap] | None = None
    ) -> None:
        self._store = store
        self._gaps = gaps
        self.nodes: dict[ObjectId, Place] = {}
        self.level = 0
        if root is not None:
            try:
                place = _root(store, root)
            except (DamagedError, NotFoundError) as error:
                if gaps is None:
                    raise
                gaps.append(Gap(ObjectId(root), b"", None, None, error.message))
                return
            self.nodes[place.ref.node] = place
            self.level = place.level

    def descend(self) -> None:
        """Go from nodes to their children."""
        places = (child for place in self.nodes.values() for child in self._read(_children, place))
        self.nodes = {place.ref.node: place for place in places}
        self.level -= 1

    def entries(self) -> dict[str, Entry]:
        """Return the entries of all leaves, once these are reached."""
        return {
            key: entry
            for place in self.nodes.values()
            for key, entry in self._read(_entries, place)
        }

    def _read(
        self, read: Callable[[ObjectReader, Place], list[_Part]], place: Place
    ) -> list[_Part]:
        try:
            return read(self._store, place)
        except (DamagedError, NotFoundError) as error:
            if self._gaps is None:
                raise
            ref = place.ref
            self._gaps.append(Gap(ref.node, place.after, ref.last_key, ref.entries, error.message))
            return []
