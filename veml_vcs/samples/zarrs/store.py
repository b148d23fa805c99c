"""A Zarr store at one version: its arrays, what differs from another version, merging one chunk.

Only chunks that differ are read. Of an array whose chunks were cut anew, both versions are read
whole if they are small enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError
from veml_vcs.samples.annotations.conflicts import Choice
from veml_vcs.samples.arrays.npy import (
    ArrayDiff,
    ArrayMerge,
    diff_arrays,
    elements_differ,
    merge_arrays,
    runs,
)
from veml_vcs.samples.formats.keys import base_of, folder_of, join
from veml_vcs.samples.formats.zarr import NODE_FILES, metadata_keys, node_of_chunk, nodes_of
from veml_vcs.samples.zarrs.meta import ArrayMeta, read_meta

MAX_WHOLE_BYTES = 1 << 28
MAX_COMPARED_BYTES = 1 << 32
_MOST_ABSENT = 100_000
_RANGES = 8


@dataclass(frozen=True)
class Side:
    """One version of a store: all its keys, and a function that returns the bytes of one."""

    keys: Collection[str]
    read: Callable[[str], bytes]


@dataclass(frozen=True)
class ArraySummary:
    """One array of a store.

    Attributes:
        name: Its folder, from the data set; ``/`` for the data set itself.
        shape: Its shape.
        dtype: Data type, as numpy writes it.
        chunks: Shape of what one file holds.
        codecs: Names of the codecs from bytes to bytes, and ``sharding``.
        stored: Chunk files that are there; the others hold the fill value.
        total: Chunk files there can be.
        version: Of Zarr, 2 or 3.
        unread: Why its chunks are not read; None if they are. Then nothing else is known.
    """

    name: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    chunks: tuple[int, ...] = ()
    codecs: tuple[str, ...] = ()
    stored: int = 0
    total: int = 0
    version: int = 0
    unread: str | None = None


def meta_of(side: Side, node: str) -> ArrayMeta | None:
    """Return the metadata of an array; None if there is none, or it is a group.

    Raises:
        FormatError: They are malformed, or of an array that is not read.
    """
    for key in metadata_keys(node):
        if key in side.keys:
            return read_meta(side.read(key), key)
    return None


def summarise_store(side: Side) -> list[ArraySummary]:
    """Return every array of a store, in the order of their names."""
    nodes = nodes_of(side.keys)
    counts: dict[str, int] = {}
    for key in side.keys:
        node = node_of_chunk(key, nodes)
        if node is not None:
            counts[node] = counts.get(node, 0) + 1
    found = []
    for node in sorted(nodes):
        try:
            meta = meta_of(side, node)
        except FormatError as error:
            found.append(
                ArraySummary(node or "/", stored=counts.get(node, 0), unread=error.message)
            )
            continue
        if meta is not None:
            packers = [name for name, _ in meta.pipeline.packers]
            shards = meta.pipeline.shards
            if shards is not None:
                packers += ["sharding", *(name for name, _ in shards.pipeline.packers)]
            found.append(
                ArraySummary(node or "/", meta.shape, meta.dtype.str, meta.chunks, tuple(packers),
                             counts.get(node, 0), math.prod(meta.grid), meta.version)
            )  # fmt: skip
    return found


def diff_store(
    changed: Iterable[str], old: Side, new: Side
) -> tuple[dict[str, ArrayDiff], list[str]]:
    """Compare two versions of a store by array and element.

    Args:
        changed: Keys that differ.
        old: The version before.
        new: The version after.

    Returns:
        Array -> difference, of arrays whose metadata or chunks differ; and sentences about those
        that could not be compared.
    """
    nodes = nodes_of([*old.keys, *new.keys])
    touched: dict[str, set[str]] = {}
    for key in changed:
        node = folder_of(key) if base_of(key) in NODE_FILES else node_of_chunk(key, nodes)
        if node is not None:
            touched.setdefault(node, set()).add(key)
    found: dict[str, ArrayDiff] = {}
    notes: list[str] = []
    for node, keys in sorted(touched.items()):
        try:
            before, after = meta_of(old, node), meta_of(new, node)
            if before is None and after is not None:
                one = ArrayDiff((), after.shape, "", after.dtype.str, kind="added")
            elif after is None and before is not None:
                one = ArrayDiff(before.shape, (), before.dtype.str, "", kind="removed")
            elif before is not None and after is not None:
                names = {key[len(node) + 1 :] if node else key for key in keys}
                one = _Comparison(node, before, after, old, new, notes).run(names)
            else:
                continue  # a group
        except FormatError as error:
            notes.append(f"array {node or '/'} was not compared: {error.message}")
            continue
        found[node or "/"] = one
    return found, notes


def read_whole(side: Side, node: str, meta: ArrayMeta) -> NDArray[Any]:
    """Return a whole array, in the machine's byte order.

    Raises:
        FormatError: A chunk is malformed.
    """
    whole = np.full(meta.shape, meta.fill, meta.dtype.newbyteorder("="))
    for place in product(*map(range, meta.grid)):
        key = join(node, meta.chunk_name(place))
        if key in side.keys:
            start = [p * c for p, c in zip(place, meta.chunks, strict=True)]
            stop = [min(s, b + c) for s, b, c in zip(meta.shape, start, meta.chunks, strict=True)]
            inside = tuple(slice(0, e - b) for b, e in zip(start, stop, strict=True))
            where = tuple(slice(b, e) for b, e in zip(start, stop, strict=True))
            whole[where] = meta.pipeline.decode(side.read(key), meta.chunks, meta.fill)[inside]
    return whole


def merge_chunk(
    meta: ArrayMeta, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> tuple[bytes, ArrayMerge]:
    """Merge a chunk file that both sides changed, by element.

    Args:
        meta: Of the array, the same on all sides but for shape and attributes.
        base: The common ancestor's chunk; None where there was none: then it held the fill value.
        ours: Our side's.
        theirs: Their side's.
        choice: The side whose elements stand where both changed them.

    Returns:
        The bytes of the merged file, a side's own where that side has all of it; and the merge.

    Raises:
        FormatError: It cannot be read, or not be written with the array's codecs.
    """
    if not meta.pipeline.can_encode:
        raise FormatError("chunks of this array cannot be written")
    before = np.full(meta.chunks, meta.fill, meta.dtype)
    if base is not None:
        before = meta.pipeline.decode(base, meta.chunks, meta.fill)
    left = meta.pipeline.decode(ours, meta.chunks, meta.fill)
    right = meta.pipeline.decode(theirs, meta.chunks, meta.fill)
    merged = merge_arrays(before, left, right, choice)
    for data, side in ((ours, left), (theirs, right)):
        if not elements_differ(side, merged.array).any():
            return data, merged
    return meta.pipeline.encode(merged.array, meta.fill, (ours, theirs)), merged


class _Comparison:
    """Two versions of one array."""

    def __init__(
        self, node: str, before: ArrayMeta, after: ArrayMeta, old: Side, new: Side, notes: list[str]
    ) -> None:
        self._node = node
        self._metas = (before, after)
        self._sides = (old, new)
        self._notes = notes

    def run(self, names: Collection[str]) -> ArrayDiff:
        """Compare; ``names`` are the files that differ, from the array's folder."""
        before, after = self._metas
        told = (before.shape, after.shape, before.dtype.str, after.dtype.str)
        kinds = [one.dtype.newbyteorder("=") for one in self._metas]
        if kinds[0] != kinds[1] or len(before.shape) != len(after.shape):
            size = min(math.prod(before.shape), math.prod(after.shape))
            return ArrayDiff(*told, elements=size, changed=size)
        if before.chunks != after.chunks:
            return self._whole(told)
        common = tuple(map(min, before.shape, after.shape))
        changed, rows = self._chunks(self._places(names), common)
        return ArrayDiff(
            *told,
            elements=math.prod(common),
            changed=changed,
            rows=runs(np.unique(np.concatenate(rows)))[:_RANGES] if rows else (),
            rows_added=after.shape[0] - common[0] if common else 0,
            rows_removed=before.shape[0] - common[0] if common else 0,
        )

    def _places(self, names: Collection[str]) -> list[tuple[int, ...]]:
        """Return the chunks that both versions have a place for, and that may differ."""
        before, after = self._metas
        found: set[tuple[int, ...]] = set()
        if before.layout == after.layout:
            for name in names:
                place = before.place_of(name)
                if place is not None and after.place_of(name) is not None:
                    found.add(place)
            return sorted(found)
        # Other codecs, names or fill value: any chunk may differ.
        grid = tuple(map(min, before.grid, after.grid))
        if math.prod(grid) > _MOST_ABSENT:
            raise FormatError(f"its layout changed, and {math.prod(grid)} chunks are too many")
        return list(product(*map(range, grid)))

    def _chunks(
        self, places: Iterable[tuple[int, ...]], common: tuple[int, ...]
    ) -> tuple[int, list[NDArray[np.int64]]]:
        """Return how many elements differ in chunks, and the rows they are in."""
        chunks = self._metas[0].chunks
        size = math.prod(chunks) * self._metas[0].dtype.itemsize
        changed, compared = 0, 0
        rows: list[NDArray[np.int64]] = []
        for place in places:
            start = [p * c for p, c in zip(place, chunks, strict=True)]
            inside = tuple(slice(0, min(c, s - b)) for c, s, b in zip(chunks, common, start,
                                                                     strict=True))  # fmt: skip
            if any(one.stop <= 0 for one in inside):
                continue
            if compared > MAX_COMPARED_BYTES:
                self._notes.append(
                    f"array {self._node or '/'}: more chunks differ than were compared; its "
                    "numbers are those of the first ones"
                )
                break
            compared += 2 * size
            old, new = (self._chunk(i, place)[inside] for i in (0, 1))
            differ = elements_differ(old, new)
            changed += int(differ.sum())
            if differ.ndim:
                at = np.flatnonzero(differ.reshape(len(differ), -1).any(1))
                if len(at):
                    rows.append(at + start[0])
        return changed, rows

    def _chunk(self, which: int, place: tuple[int, ...]) -> NDArray[Any]:
        meta, side = self._metas[which], self._sides[which]
        kind = meta.dtype.newbyteorder("=")
        key = join(self._node, meta.chunk_name(place))
        if key not in side.keys:
            return np.full(meta.chunks, meta.fill, kind)
        return meta.pipeline.decode(side.read(key), meta.chunks, meta.fill).astype(kind, copy=False)

    def _whole(self, told: tuple[tuple[int, ...], tuple[int, ...], str, str]) -> ArrayDiff:
        if any(one.size_bytes > MAX_WHOLE_BYTES for one in self._metas):
            raise FormatError("its chunks were cut anew, and it is too large to be read whole")
        old, new = (
            read_whole(side, self._node, meta)
            for side, meta in zip(self._sides, self._metas, strict=True)
        )
        found = diff_arrays(old, new)
        return ArrayDiff(*told, *(getattr(found, name) for name in (
            "elements", "changed", "rows", "rows_added", "rows_removed")))  # fmt: skip
