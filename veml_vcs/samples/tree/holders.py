"""Which of many trees have a content under a key: versions of one data set share most nodes.

Only what lies on the way to the key is read, and each node once, however many trees share it. That
a node is what the node above it says is not asked here: what is found is never put anywhere.
"""

from __future__ import annotations

from veml_vcs.errors import DamagedError
from veml_vcs.ids import ObjectId, SampleId, TreeId, short
from veml_vcs.objects.protocol import ObjectReader
from veml_vcs.samples.tree.entry import encode_key
from veml_vcs.samples.tree.node import MAX_LEVEL, decode_inner, decode_leaf, is_leaf


class Holders:
    """Tells of one tree after another whether it has a content under a key.

    Args:
        store: Holds the nodes.
        key: The key.
        content: The content id that is looked for there.

    Raises:
        InvalidInputError: No file can have such a name.
    """

    def __init__(self, store: ObjectReader, key: str, content: SampleId) -> None:
        self._store = store
        self._key = key
        self._raw = encode_key(key)
        self._content = content
        self._known: dict[ObjectId, bool] = {}

    def has(self, root: TreeId) -> bool:
        """Tell it of a tree.

        Raises:
            NotFoundError: The store lacks a node on the way.
            DamagedError: The nodes on the way are not a tree.
        """
        way: list[ObjectId] = []
        node: ObjectId | None = ObjectId(root)
        while node is not None and node not in self._known:
            if len(way) > MAX_LEVEL:
                raise DamagedError(f"tree {short(root)} is deeper than {MAX_LEVEL} levels")
            way.append(node)
            node = self._below(node)
        found = node is not None and self._known[node]
        self._known.update(dict.fromkeys(way, found))
        return found

    def _below(self, node: ObjectId) -> ObjectId | None:
        """Return the child where the key lies; of a leaf, what is known of it then, or None."""
        data = self._store.get(node)
        if not is_leaf(data):
            children = decode_inner(data, node)[1]
            return next((one.node for one in children if one.last_key >= self._raw), None)
        # Most leaves that do not have it need not be cut into entries for that to be known.
        if data.find(self._content) < 0:
            return None
        entry = dict(decode_leaf(data, node)).get(self._key)
        self._known[node] = entry is not None and entry.content == self._content
        return node
