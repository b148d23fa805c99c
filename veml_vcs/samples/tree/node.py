"""The bytes of a tree node; this module and docs/format.md say the same.

All integers are little-endian. A leaf holds entries sorted by key bytes:

    4s  b"VTL1"
    u32 count
    count x u8   flags: bits 0-1 kind, bit 2 has annotation, bit 3 executable
    count x u16  key length in bytes
    count x u64  size of the content
    keys, one after the other
    content ids, 32 bytes for each entry that has one
    annotation ids, 32 bytes for each entry that has one

An inner node holds its children in order, each known by the last key below it:

    4s  b"VTN1"
    u32 count
    u8  level (1 = its children are leaves; at most 12), 3 bytes zero
    count x u16  length of the last key
    count x 3 u64  entries, samples, bytes of content below the child
    last keys, one after the other
    child ids, 32 bytes each

Equal content gives equal bytes; a node that is not in this exact form is refused. So is one that
its parent describes wrongly (``check_leaf``, ``check_inner``): only then does descending by last
keys find every key, and no node can stand twice in a tree and make it seem endless.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import accumulate, repeat
from operator import lt
from typing import Any, NamedTuple

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import DIGEST_BYTES, ObjectId, short
from veml_vcs.samples.tree.entry import (
    Entry,
    EntryKind,
    all_plain,
    check_key,
    decode_key,
    encode_key,
)

LEAF_MAGIC = b"VTL1"
INNER_MAGIC = b"VTN1"
MAX_LEVEL = 12
"""More levels than 2^60 entries need."""
_HAS_ANNOTATION = 4
_EXECUTABLE = 8
_WHOLE = frozenset(flag for flag in range(16) if flag & 3 in (1, 2))
"""The flags of what has content: a sample or a file."""
_WITH_CONTENT = bytes(flag for flag in range(256) if flag & 3 != EntryKind.ANNOTATION_ONLY)
_WITH_ANNOTATION = bytes(flag for flag in range(256) if flag & _HAS_ANNOTATION)
_KINDS = (None, EntryKind.SAMPLE, EntryKind.FILE, EntryKind.ANNOTATION_ONLY)


class ChildRef(NamedTuple):
    """An inner node's knowledge of one child.

    Attributes:
        last_key: Bytes of the last key below the child.
        node: The child's id.
        entries: Number of entries below.
        samples: Number of entries below whose kind is ``SAMPLE``.
        content_bytes: Sum of their sizes, files included.
    """

    last_key: bytes
    node: ObjectId
    entries: int
    samples: int
    content_bytes: int


def encode_leaf(items: Sequence[tuple[bytes, Entry]]) -> bytes:
    """Return the bytes of a leaf with these entries, which must be sorted by key.

    Raises:
        InvalidInputError: An entry could not be read back: only an annotation without a sample has
            no content, and it has no size and is not executable.
    """
    count = len(items)
    flags = bytearray()
    contents: list[bytes] = []
    annotations: list[bytes] = []
    for key, entry in items:
        flag: int = entry.kind
        if entry.content is not None:
            contents.append(entry.content)
        if (entry.content is None) != (entry.kind is EntryKind.ANNOTATION_ONLY) or (
            entry.content is None and (entry.size or entry.executable)
        ):
            raise InvalidInputError(f"{decode_key(key)!r}: contradicts itself: {entry}")
        if entry.annotation is not None:
            flag |= _HAS_ANNOTATION
            annotations.append(entry.annotation)
        if entry.executable:
            flag |= _EXECUTABLE
        flags.append(flag)
    return b"".join(
        (
            LEAF_MAGIC,
            count.to_bytes(4, "little"),
            flags,
            struct.pack(f"<{count}H", *(len(key) for key, _ in items)),
            struct.pack(f"<{count}Q", *(entry.size for _, entry in items)),
            *(key for key, _ in items),
            *contents,
            *annotations,
        )
    )


def encode_inner(children: Sequence[ChildRef], level: int) -> bytes:
    """Return the bytes of an inner node with these children, which must be in key order."""
    count = len(children)
    sums: list[int] = []
    for child in children:
        sums += (child.entries, child.samples, child.content_bytes)
    return b"".join(
        (
            INNER_MAGIC,
            count.to_bytes(4, "little"),
            bytes((level, 0, 0, 0)),
            struct.pack(f"<{count}H", *(len(child.last_key) for child in children)),
            struct.pack(f"<{3 * count}Q", *sums),
            *(child.last_key for child in children),
            *(child.node for child in children),
        )
    )


def decode_leaf(data: bytes, node: ObjectId) -> list[tuple[str, Entry]]:
    """Return the entries of a leaf.

    Raises:
        DamagedError: The bytes are not a leaf in canonical form, or a key could leave the folder.
    """
    try:
        return _decode_leaf(data)
    except (ValueError, struct.error, IndexError, InvalidInputError) as error:
        raise DamagedError(f"tree leaf {short(node)} cannot be read: {error}") from error


def _decode_leaf(data: bytes) -> list[tuple[str, Entry]]:
    layout = leaf_layout(data)
    keys = leaf_keys(data, layout)
    if all_alike(layout):
        rows = map(partial(tuple.__new__, Entry), alike_rows(data, layout))
        return list(zip(keys, rows, strict=True))
    contents = _digests(data, layout.contents_at, layout.annotations_at)
    annotations = _digests(data, layout.annotations_at, len(data))
    return _mixed_entries(layout.flags, keys, layout.sizes, iter(contents), iter(annotations))


class LeafLayout(NamedTuple):
    """Where the parts of a leaf lie.

    Attributes:
        entries: Their number.
        flags: One byte an entry.
        sizes: Of the contents.
        sizes_at: Where they begin.
        keys_at: Where the keys begin.
        contents_at: Where the content ids begin.
        annotations_at: Where the annotation ids begin; they end with the leaf.
    """

    entries: int
    flags: bytes
    sizes: tuple[int, ...]
    sizes_at: int
    keys_at: int
    contents_at: int
    annotations_at: int


def leaf_layout(data: bytes) -> LeafLayout:
    """Find the parts of a leaf; ValueError or struct.error if they do not fill it."""
    if data[:4] != LEAF_MAGIC:
        raise ValueError(f"expected a leaf ({LEAF_MAGIC!r}), found {data[:4]!r}")
    count = int.from_bytes(data[4:8], "little")
    if count * 11 + 8 > len(data):
        raise ValueError(f"{count} entries do not fit in {len(data)} bytes")
    flags = data[8 : 8 + count]
    sizes_at = 8 + 3 * count
    sizes = struct.unpack_from(f"<{count}Q", data, sizes_at)
    keys_at = sizes_at + 8 * count
    contents_at = keys_at + sum(_key_lengths(data, count))
    with_content = count - len(flags.translate(None, _WITH_CONTENT))
    annotations_at = contents_at + DIGEST_BYTES * with_content
    with_annotation = count - len(flags.translate(None, _WITH_ANNOTATION))
    if annotations_at + DIGEST_BYTES * with_annotation != len(data):
        raise ValueError("length does not match its entries")
    return LeafLayout(count, flags, sizes, sizes_at, keys_at, contents_at, annotations_at)


def all_alike(layout: LeafLayout) -> bool:
    """Tell whether all entries are samples or all are files, and all alike: the usual case."""
    flags = layout.flags
    return bool(flags) and flags[0] in _WHOLE and flags.count(flags[0]) == len(flags)


def alike_rows(data: bytes, layout: LeafLayout) -> Iterator[tuple[Any, ...]]:
    """Return what an ``Entry`` is made of, for each entry of a leaf whose entries are all alike."""
    flag = layout.flags[0]
    contents = _digests(data, layout.contents_at, layout.annotations_at)
    annotations = _digests(data, layout.annotations_at, len(data))
    notes = annotations if flag & _HAS_ANNOTATION else repeat(None)
    executables = repeat(flag & _EXECUTABLE != 0)
    return zip(repeat(_KINDS[flag & 3]), contents, notes, layout.sizes, executables)


def flag_of(entry: Entry) -> int:
    """Return the byte that says what kind of entry one is."""
    annotated = _HAS_ANNOTATION if entry.annotation is not None else 0
    return entry.kind | annotated | (_EXECUTABLE if entry.executable else 0)


def _key_lengths(data: bytes, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}H", data, 8 + count)


def _mixed_entries(
    flags: bytes,
    keys: Sequence[str],
    sizes: Sequence[int],
    contents: Iterator[Any],
    annotations: Iterator[Any],
) -> list[tuple[str, Entry]]:
    items: list[tuple[str, Entry]] = []
    make = tuple.__new__  # an Entry's own constructor takes twice as long
    for flag, key, size in zip(flags, keys, sizes, strict=True):
        kind = _KINDS[flag & 3]
        if kind is None or flag > 15:
            raise ValueError(f"unknown entry flags {flag}")
        executable = flag & _EXECUTABLE != 0
        content = None
        if kind is not EntryKind.ANNOTATION_ONLY:
            content = next(contents)
        elif size or executable:
            raise ValueError("an annotation without a sample has a size or is executable")
        annotation = next(annotations) if flag & _HAS_ANNOTATION else None
        items.append((key, make(Entry, (kind, content, annotation, size, executable))))
    return items


def leaf_rows(data: bytes, node: ObjectId) -> tuple[list[bytes], list[bytes]]:
    """Return the content ids and the annotation ids in a leaf, without reading its keys.

    For whoever asks what must be kept; that the leaf is sound otherwise is not checked.

    Raises:
        DamagedError: The bytes are no leaf.
    """
    count = int.from_bytes(data[4:8], "little")
    lengths_at = 8 + count
    if data[:4] != LEAF_MAGIC or lengths_at + 10 * count > len(data):
        raise DamagedError(f"tree leaf {short(node)} cannot be read")
    flags = data[8:lengths_at]
    contents_at = lengths_at + 10 * count + sum(struct.unpack_from(f"<{count}H", data, lengths_at))
    contents = sum(1 for flag in flags if flag & 3 != EntryKind.ANNOTATION_ONLY)
    annotations_at = contents_at + DIGEST_BYTES * contents
    annotations = sum(1 for flag in flags if flag & _HAS_ANNOTATION)
    end = annotations_at + DIGEST_BYTES * annotations
    if end != len(data):
        raise DamagedError(f"tree leaf {short(node)}: length does not match its entries")
    return (
        [data[at : at + DIGEST_BYTES] for at in range(contents_at, annotations_at, DIGEST_BYTES)],
        [data[at : at + DIGEST_BYTES] for at in range(annotations_at, end, DIGEST_BYTES)],
    )


def leaf_keys(data: bytes, layout: LeafLayout) -> list[str]:
    """Cut keys apart and check them, at once where they are plain; ValueError if they are not."""
    region = data[layout.keys_at : layout.contents_at]
    lengths = _key_lengths(data, layout.entries)
    ends = list(accumulate(lengths))
    starts = [0, *ends]
    if region.isascii():
        text = region.decode("ascii")
        keys = [text[start:end] for start, end in zip(starts, ends, strict=False)]
        plain = not keys or all_plain(keys)
        ordered = all(map(lt, keys, keys[1:]))
    else:
        raw = [region[start:end] for start, end in zip(starts, ends, strict=False)]
        keys = [decode_key(one) for one in raw]
        plain = False
        ordered = all(map(lt, raw, raw[1:]))
    if not ordered or (lengths and not lengths[0]):
        raise ValueError("keys are not sorted")
    return keys if plain else [check_key(key) for key in keys]


def _digests(data: bytes, start: int, end: int) -> Sequence[Any]:
    return _digest_row((end - start) // DIGEST_BYTES).unpack_from(data, start)


@lru_cache(maxsize=128)
def _digest_row(count: int) -> struct.Struct:
    """Return what cuts so many digests apart: several times as fast as slicing in Python."""
    return struct.Struct(f"{DIGEST_BYTES}s" * count)


def decode_inner(data: bytes, node: ObjectId) -> tuple[int, list[ChildRef]]:
    """Return the level and the children of an inner node.

    Raises:
        DamagedError: The bytes are not an inner node in canonical form.
    """
    try:
        return _decode_inner(data)
    except (ValueError, struct.error) as error:
        raise DamagedError(f"tree node {short(node)} cannot be read: {error}") from error


def _decode_inner(data: bytes) -> tuple[int, list[ChildRef]]:
    if data[:4] != INNER_MAGIC or len(data) < 12:
        raise ValueError(f"expected an inner node ({INNER_MAGIC!r}), found {data[:4]!r}")
    count = int.from_bytes(data[4:8], "little")
    level = data[8]
    if (
        count == 0
        or not 0 < level <= MAX_LEVEL
        or data[9:12] != b"\0\0\0"
        or 12 + 58 * count > len(data)
    ):
        raise ValueError(f"{count} children at level {level} in {len(data)} bytes")
    at = 12
    lengths = struct.unpack_from(f"<{count}H", data, at)
    at += 2 * count
    sums = struct.unpack_from(f"<{3 * count}Q", data, at)
    at += 24 * count
    node_at = at + sum(lengths)
    if node_at + DIGEST_BYTES * count != len(data):
        raise ValueError("length does not match its children")
    children: list[ChildRef] = []
    previous = b""
    for i, length in enumerate(lengths):
        last_key = data[at : at + length]
        at += length
        if last_key <= previous:
            raise ValueError("children are not sorted")
        if not sums[3 * i]:
            raise ValueError("a child without entries")
        previous = last_key
        child = ObjectId(data[node_at : node_at + DIGEST_BYTES])
        node_at += DIGEST_BYTES
        children.append(ChildRef(last_key, child, *sums[3 * i : 3 * i + 3]))
    return level, children


def ref_to_leaf(last_key: bytes, entries: Iterable[Entry], node: ObjectId) -> ChildRef:
    """Return what an inner node knows of a leaf with these entries."""
    listed = list(entries)
    samples = sum([entry[0] is EntryKind.SAMPLE for entry in listed])
    return ChildRef(last_key, node, len(listed), samples, sum([entry[3] for entry in listed]))


def ref_to_inner(children: Sequence[ChildRef], node: ObjectId) -> ChildRef:
    """Return what an inner node knows of an inner node with these children."""
    return ChildRef(
        children[-1].last_key,
        node,
        sum(child.entries for child in children),
        sum(child.samples for child in children),
        sum(child.content_bytes for child in children),
    )


def check_leaf(items: Sequence[tuple[str, Entry]], ref: ChildRef, after: bytes) -> None:
    """Check that a leaf is what its parent says.

    Args:
        items: The leaf's entries.
        ref: What the parent says.
        after: The last key to the left of the leaf, empty if there is none.

    Raises:
        DamagedError: It is not.
    """
    first, last = (encode_key(items[at][0]) for at in (0, -1)) if items else (b"", b"")
    found = ref_to_leaf(last, (entry for _, entry in items), ref.node)
    if found != ref or (items and first <= after):
        raise _misplaced(ref)


def check_inner(children: Sequence[ChildRef], ref: ChildRef, after: bytes) -> None:
    """Check that an inner node is what its parent says; see ``check_leaf``.

    Raises:
        DamagedError: It is not.
    """
    if children[0].last_key <= after or ref_to_inner(children, ref.node) != ref:
        raise _misplaced(ref)


def _misplaced(ref: ChildRef) -> DamagedError:
    return DamagedError(f"tree node {short(ref.node)} is not what the node above it says: {ref}")


def is_leaf(data: bytes) -> bool:
    """Tell a leaf from an inner node."""
    return data[:4] == LEAF_MAGIC
