"""Leaves whose entries all are samples or all are files, and all alike: nearly all there are.

In such a leaf the parts of an entry lie where its number says. So entries are looked up, compared
and replaced there, and no ``Entry`` is made of all the others. What is not such a leaf, or not
sound, or not what its parent says, is left to ``decode_leaf`` and ``check_leaf``, which name it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import DIGEST_BYTES
from veml_vcs.samples.tree.entry import Entry, EntryKind, decode_key, encode_key
from veml_vcs.samples.tree.node import (
    ChildRef,
    LeafLayout,
    alike_rows,
    all_alike,
    check_leaf,
    decode_leaf,
    flag_of,
    leaf_keys,
    leaf_layout,
)


class AlikeLeaf(NamedTuple):
    """One such leaf.

    Attributes:
        data: Its bytes.
        layout: Where its parts lie.
        keys: Its keys.
    """

    data: bytes
    layout: LeafLayout
    keys: list[str]

    def find(self, wanted: Iterable[str]) -> dict[str, Entry]:
        """Return the entries under some keys; those that are not there are left out."""
        rows = dict(zip(self.keys, alike_rows(self.data, self.layout), strict=True))
        return {key: Entry(*rows[key]) for key in wanted if key in rows}

    def edited(
        self, ref: ChildRef, edits: Sequence[tuple[bytes, Entry | None]]
    ) -> tuple[bytes, ChildRef] | None:
        """Return the leaf with other entries under some of its keys; None if more would change.

        Args:
            ref: What the parent says of this leaf.
            edits: Keys, and what shall stand under them.

        Returns:
            What ``encode_leaf`` would return, and what the parent has to say of it, but for its id.
        """
        layout = self.layout
        data, content_bytes = bytearray(self.data), ref.content_bytes
        for raw, new in edits:
            key = decode_key(raw)
            if new is None or flag_of(new) != layout.flags[0] or key not in self.keys:
                return None
            if new.content is None:
                return None  # contradicts itself, which ``encode_leaf`` says
            at = self.keys.index(key)
            content_bytes += new.size - layout.sizes[at]
            struct.pack_into("<Q", data, layout.sizes_at + 8 * at, new.size)
            for start, one in (
                (layout.contents_at, new.content),
                (layout.annotations_at, new.annotation),
            ):
                if one is not None:
                    data[start + DIGEST_BYTES * at : start + DIGEST_BYTES * (at + 1)] = one
        return bytes(data), ref._replace(content_bytes=content_bytes)


def alike_leaf(
    data: bytes, ref: ChildRef, after: bytes, like: AlikeLeaf | None = None
) -> AlikeLeaf | None:
    """Read such a leaf; None if it is another, or not sound.

    Args:
        data: Its bytes.
        ref: What its parent says of it.
        after: The last key to the left of it.
        like: A leaf whose keys and kind it must have; those are not read again then.
    """
    try:
        layout = leaf_layout(data)
        if like is None:
            keys = leaf_keys(data, layout) if all_alike(layout) else []
        else:
            keys = like.keys if _same_keys(data, layout, like) else []
    except (ValueError, struct.error, InvalidInputError):
        return None
    if not keys or encode_key(keys[0]) <= after:
        return None
    count = layout.entries
    samples = count if layout.flags[0] & 3 == EntryKind.SAMPLE else 0
    sound = ref == (encode_key(keys[-1]), ref.node, count, samples, sum(layout.sizes))
    return AlikeLeaf(data, layout, keys) if sound else None


def _same_keys(data: bytes, layout: LeafLayout, like: AlikeLeaf) -> bool:
    # Magic, count, flags and lengths of keys stand before the sizes.
    return (
        data[: layout.sizes_at] == like.data[: like.layout.sizes_at]
        and data[layout.keys_at : layout.contents_at]
        == like.data[like.layout.keys_at : like.layout.contents_at]
    )


def leaf_changes(
    old: tuple[bytes, ChildRef], new: tuple[bytes, ChildRef], after: bytes
) -> list[tuple[str, Entry | None, Entry | None]]:
    """Compare two leaves that stand for the same range of keys.

    Args:
        old: Bytes of one leaf, and what its parent says of it.
        new: The same of the other.
        after: The last key to the left of both.

    Returns:
        Key and both entries of each that differs.

    Raises:
        DamagedError: One is not a leaf, or not what its parent says.
    """
    was = alike_leaf(*old, after)
    now = None if was is None else alike_leaf(*new, after, like=was)
    if was is not None and now is not None:
        rows = zip(was.keys, alike_rows(*was[:2]), alike_rows(*now[:2]), strict=True)
        return [(key, Entry(*one), Entry(*two)) for key, one, two in rows if one != two]
    sides = []
    for data, ref in (old, new):
        items = decode_leaf(data, ref.node)
        check_leaf(items, ref, after)
        sides.append(dict(items))
    olds, news = sides
    listed = ((key, olds.get(key), news.get(key)) for key in olds.keys() | news.keys())
    return [one for one in listed if one[1] != one[2]]
