"""What contents two trees have under their keys and do not share, as small numbers: marks.

Said only of trees of which this is certain for ``Holders``, which looks where a key would lie and
believes what it finds: nodes that lie in the same place in both trees are one to it, and all
others are read here and checked. So nothing has to be known of what is shared, sound or not.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from functools import lru_cache
from operator import add
from typing import TypeAlias

from veml_vcs.errors import DamagedError
from veml_vcs.ids import SampleId, TreeId, short
from veml_vcs.objects.protocol import ObjectReader
from veml_vcs.samples.tree.alike import alike_leaf
from veml_vcs.samples.tree.entry import encode_key
from veml_vcs.samples.tree.node import alike_rows, check_leaf, decode_leaf
from veml_vcs.samples.tree.read import Frontier, Place

MOST = 500
"""So many marks are told of a pair of trees, or none. What is kept was told under it: another
number is another format of what keeps them."""
_NODES = 128
"""So many nodes of a level are looked at in both trees: more take longer than they save."""
_HALF = 1 << 31
_SMALL = 64
"""Trees of so many entries are read whole: that is as fast as looking for what they share."""
_LEAVES_KEPT = 512
_TREES_KEPT = 1024
Pairs: TypeAlias = frozenset[bytes]
"""Each is a content id and, after that, a key."""


def mark_of(key: str, content: SampleId) -> int:
    """Return the mark of a content under a key: 32 bits, signed; others may have the same.

    Raises:
        InvalidInputError: No file can have such a name.
    """
    return marks_of([content + encode_key(key)])[0]


def marks_of(pairs: Collection[bytes]) -> list[int]:
    """Return the marks of contents, each with the key after it; one for each."""
    return [checksum - _HALF for checksum in map(zlib.crc32, pairs)]


class Differences:
    """Compares one pair of trees after another; what comes again is not decoded again.

    Args:
        store: Holds the nodes.
    """

    def __init__(self, store: ObjectReader) -> None:
        self._store = store
        self._pairs = lru_cache(_LEAVES_KEPT)(self._read_pairs)
        self._whole = lru_cache(_TREES_KEPT)(self._read_whole)

    def differ(self, old: TreeId | None, new: TreeId, most: int = MOST) -> Pairs | None:
        """Return what one of two trees has and the other has not.

        Args:
            old: One tree; None is the empty one.
            new: The other.
            most: So much may differ.

        Returns:
            None where that is too much to tell: more differs, or it would take too long.

        Raises:
            NotFoundError: The store lacks a node.
            DamagedError: What is read is not as the nodes above say.
        """
        found = self._differ(old, new, most)
        return found if found is None or len(found) <= most else None

    def _differ(self, old: TreeId | None, new: TreeId, most: int) -> Pairs | None:
        was, now = None if old is None else self._whole(old), self._whole(new)
        if now is not None and (was is not None or old is None):
            return now if was is None else was ^ now
        before, after = Frontier(self._store, old), Frontier(self._store, new)
        if old is None and sum(_entries(after)) > most:
            return None
        while before.level or after.level:
            if before.level >= after.level:
                _descend(before)
            if after.level > before.level:
                _descend(after)
            if before.level == after.level:
                for node in before.nodes.keys() & after.nodes.keys():
                    if before.nodes[node] == after.nodes[node]:
                        del before.nodes[node], after.nodes[node]
            if len(before.nodes) + len(after.nodes) > _NODES:
                return None
        return self._all_pairs(before) ^ self._all_pairs(after)

    def _read_whole(self, tree: TreeId) -> Pairs | None:
        """Return all there is in a small tree; None of a large one."""
        walk = Frontier(self._store, tree)
        if sum(_entries(walk)) > _SMALL:
            return None
        while walk.level:
            _descend(walk)
        return self._all_pairs(walk)

    def _all_pairs(self, leaves: Frontier) -> Pairs:
        found: Pairs = frozenset()
        return found.union(*map(self._pairs, leaves.nodes.values()))

    def _read_pairs(self, place: Place) -> Pairs:
        """Return what has a content in a leaf."""
        data = self._store.get(place.ref.node)
        leaf = alike_leaf(data, place.ref, place.after)
        if leaf is not None:
            rows = alike_rows(leaf.data, leaf.layout)
            contents = [row[1] for row in rows]
            return frozenset(map(add, contents, map(encode_key, leaf.keys)))
        items = decode_leaf(data, place.ref.node)
        check_leaf(items, place.ref, place.after)
        return frozenset(
            one.content + encode_key(key) for key, one in items if one.content is not None
        )


def _entries(frontier: Frontier) -> Iterator[int]:
    return (place.ref.entries for place in frontier.nodes.values())


def _descend(frontier: Frontier) -> None:
    """Go to the children; a node that stands in two places, as in no sound tree, is one there."""
    expected, some = sum(_entries(frontier)), next(iter(frontier.nodes), None)
    frontier.descend()
    if sum(_entries(frontier)) != expected and some is not None:
        raise DamagedError(f"below tree node {short(some)} a node stands in two places")
