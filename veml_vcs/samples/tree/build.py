"""Build a tree from entries, or from another tree and what changed.

The shape depends on the keys alone. Let ``h`` be the first 8 bytes of the SHA-256 of a key, as a
little-endian number. A leaf ends after a key whose ``h`` has its lowest 5 bits zero, or after 1024
entries. A node at level n ends after a child whose last key's ``h`` has the 5 bits from 5 n on
zero, or after 1024 children; from level 12 on, where the 8 bytes are used up, only after 1024
children (no real tree is that high). So an edit touches one leaf (about 32 entries) and one node a
level, and the same content has the same root whatever the history.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import TypeVar

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import ObjectId, TreeId
from veml_vcs.objects.protocol import ObjectKind, ObjectStore, ObjectWriter
from veml_vcs.samples.tree.alike import alike_leaf
from veml_vcs.samples.tree.entry import Entry, check_key, decode_key, encode_key
from veml_vcs.samples.tree.node import (
    MAX_LEVEL,
    ChildRef,
    encode_inner,
    encode_leaf,
    ref_to_inner,
    ref_to_leaf,
)
from veml_vcs.samples.tree.read import Place, leaves, read_leaf

BITS_PER_LEVEL = 5
MAX_ITEMS = 1024
_MASK = (1 << BITS_PER_LEVEL) - 1

_T = TypeVar("_T")


def ends_node(key: bytes, level: int) -> bool:
    """Tell whether a node at ``level`` (0 = leaf) ends after this key."""
    head = int.from_bytes(hashlib.sha256(key).digest()[:8], "little")
    return level < MAX_LEVEL and (head >> (BITS_PER_LEVEL * level)) & _MASK == 0


class _LeafCutter:
    """Takes entries in key order and writes a leaf wherever one ends."""

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer
        self._items: list[tuple[bytes, Entry]] = []
        self._last_key = b""
        self.refs: list[ChildRef] = []
        self.replaces: ObjectId | None = None

    @property
    def at_boundary(self) -> bool:
        return not self._items

    def add(self, key: bytes, entry: Entry) -> None:
        if key <= self._last_key:
            raise InvalidInputError(f"the key {decode_key(key)!r} stands twice in one data set")
        self._last_key = key
        self._items.append((key, entry))
        if ends_node(key, 0) or len(self._items) == MAX_ITEMS:
            self.flush()

    def edit(self, key: bytes, entry: Entry | None) -> None:
        if entry is not None:
            self.add(key, entry)

    def put(self, items: list[tuple[bytes, Entry]]) -> None:
        """Write a leaf whose end is known, between leaves."""
        self._last_key = items[-1][0]
        self._items = items
        self.flush()

    def put_edited(
        self, data: bytes, place: Place, edits: Sequence[tuple[bytes, Entry | None]]
    ) -> bool:
        """Write a leaf with other entries under its keys, between leaves; False if more changes."""
        leaf = alike_leaf(data, place.ref, place.after)
        done = None if leaf is None else leaf.edited(place.ref, edits)
        if done is None:
            return False
        self._last_key = place.ref.last_key
        self.refs.append(done[1]._replace(node=self._put(done[0])))
        return True

    def keep(self, ref: ChildRef) -> None:
        self._last_key = ref.last_key
        self.refs.append(ref)

    def drop_last(self) -> None:
        self.refs.pop()
        self._last_key = self.refs[-1].last_key if self.refs else b""

    def flush(self) -> None:
        items = self._items
        if not items:
            return
        node = self._put(encode_leaf(items))
        self.refs.append(ref_to_leaf(items[-1][0], (entry for _, entry in items), node))
        self._items = []

    def _put(self, data: bytes) -> ObjectId:
        return self._writer.put(data, kind=ObjectKind.NODE, compress=True, base=self.replaces)


def build_tree(entries: Iterable[tuple[str, Entry]], writer: ObjectWriter) -> TreeId:
    """Write the tree of these entries and return its root.

    Args:
        entries: Key and entry, in any order, each key once.
        writer: Takes the nodes.

    Raises:
        InvalidInputError: A key is not usable, or stands twice.
    """
    cutter = _LeafCutter(writer)
    for raw, entry in _by_key((encode_key(check_key(key)), entry) for key, entry in entries):
        cutter.add(raw, entry)
    cutter.flush()
    return _stack(cutter.refs, writer, [])


def update_tree(
    store: ObjectStore, root: TreeId, changes: Mapping[str, Entry | None], writer: ObjectWriter
) -> TreeId:
    """Write the tree that differs from another one by ``changes`` and return its root.

    Leaves without a change are taken over unread, so the cost is that of the change (and of one
    pass over the references to leaves).

    Args:
        store: Holds the tree ``root``.
        root: The tree to start from.
        changes: Key -> new entry, or None to remove the key (which need not be there).
        writer: Takes the new nodes.

    Raises:
        InvalidInputError: A key is not usable.
        DamagedError: The tree ``root`` is not sound.
    """
    edits = _by_key((encode_key(check_key(key)), entry) for key, entry in changes.items())
    cutter = _LeafCutter(writer)
    at = 0
    place: Place | None = None
    inner: list[Place] = []
    for place in leaves(store, root, inner):
        end = bisect_right(edits, place.ref.last_key, at, key=itemgetter(0))
        items: list[tuple[bytes, Entry]] | None = None
        if cutter.at_boundary:
            if at == end:
                cutter.keep(place.ref)
                continue
            cutter.replaces = place.ref.node
            data = store.get(place.ref.node)
            if _is_closed(place) and cutter.put_edited(data, place, edits[at:end]):
                at = end
                continue
            items = read_leaf(store, place, data)
            if (same_keys := _replaced(items, edits[at:end])) is not None and _is_closed(place):
                cutter.put(same_keys)
                at = end
                continue
        for raw, entry in read_leaf(store, place) if items is None else items:
            while at < end and edits[at][0] < raw:
                cutter.edit(*edits[at])
                at += 1
            if at < end and edits[at][0] == raw:
                cutter.edit(*edits[at])
                at += 1
            else:
                cutter.add(raw, entry)
    if at < len(edits) and place is not None:
        _absorb_open_end(store, cutter, place)
    for raw, new in edits[at:]:
        cutter.edit(raw, new)
    cutter.flush()
    return _stack(cutter.refs, writer, inner)


def _replaced(
    items: list[tuple[bytes, Entry]], edits: Sequence[tuple[bytes, Entry | None]]
) -> list[tuple[bytes, Entry]] | None:
    """Return a leaf's entries after edits that keep its keys; None if one comes or goes."""
    new = dict(edits)
    found: list[tuple[bytes, Entry]] = []
    for raw, entry in items:
        one = new.pop(raw, entry)
        if one is None:
            return None
        found.append((raw, one))
    return None if new else found


def _is_closed(place: Place) -> bool:
    """Tell whether a leaf ends where it does because of its keys, not of the tree's end."""
    return place.ref.entries >= MAX_ITEMS or ends_node(place.ref.last_key, 0)


def _absorb_open_end(store: ObjectStore, cutter: _LeafCutter, last: Place) -> None:
    """Reopen the old tree's last leaf if it was kept and ended only because the tree did."""
    kept = cutter.at_boundary and cutter.refs and cutter.refs[-1] == last.ref
    if kept and last.ref.entries < MAX_ITEMS and not ends_node(last.ref.last_key, 0):
        cutter.drop_last()
        for raw, entry in read_leaf(store, last):
            cutter.add(raw, entry)


def _stack(refs: list[ChildRef], writer: ObjectWriter, old: list[Place]) -> TreeId:
    """Write inner nodes over leaves until one node is left.

    Args:
        refs: The leaves.
        writer: Takes the nodes.
        old: The inner nodes of the tree that this one replaces, those of one level in key order.
    """
    if not refs:
        return TreeId(writer.put(encode_leaf([]), kind=ObjectKind.NODE))
    level = 0
    while len(refs) > 1:
        level += 1
        below = [place.ref for place in old if place.level == level]
        refs = list(_inner_nodes(refs, level, writer, below))
    return TreeId(refs[0].node)


def _inner_nodes(
    refs: list[ChildRef], level: int, writer: ObjectWriter, old: list[ChildRef]
) -> Iterator[ChildRef]:
    group: list[ChildRef] = []
    for ref in refs:
        group.append(ref)
        if len(group) == MAX_ITEMS or ends_node(ref.last_key, level):
            yield _inner_node(group, level, writer, old)
            group = []
    if group:
        yield _inner_node(group, level, writer, old)


def _inner_node(
    group: list[ChildRef], level: int, writer: ObjectWriter, old: list[ChildRef]
) -> ChildRef:
    """Write one inner node; the old one that reached as far is most likely what it replaces."""
    at = bisect_left(old, group[-1].last_key, key=attrgetter("last_key"))
    replaces = old[min(at, len(old) - 1)].node if old else None
    node = writer.put(
        encode_inner(group, level), kind=ObjectKind.NODE, compress=True, base=replaces
    )
    return ref_to_inner(group, node)


def _by_key(items: Iterable[tuple[bytes, _T]]) -> list[tuple[bytes, _T]]:
    """Sort by key alone: entries of one key twice cannot be compared, and are found later."""
    return sorted(items, key=itemgetter(0))
