"""Three-way merge of a Zarr store: chunks by element, arrays as a whole where chunks do not fit.

A chunk file is meaningless without its array's metadata. So where one side gave an array another
layout (type, chunks, codecs, fill value) and the other touched its chunks, or both gave it other
shapes, all its files come from one side, and that is one conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from veml_vcs.errors import FormatError
from veml_vcs.ids import SampleId
from veml_vcs.repository.contents.known_files import MergedFile
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.rules import Settlement
from veml_vcs.samples.annotations import Choice
from veml_vcs.samples.formats.keys import base_of, folder_of
from veml_vcs.samples.formats.zarr import (
    METADATA_FILES,
    NODE_FILES,
    metadata_keys,
    node_of_chunk,
    nodes_of,
)
from veml_vcs.samples.tree import Change, Entry
from veml_vcs.samples.zarrs import ArrayMeta, layout_of, merge_chunk, merge_meta, read_meta

Entries = Mapping[str, Entry]


class StoreMerge:
    """The merge of one Zarr store.

    Args:
        dataset: The data set's folder.
        entries: Key -> entry of everything, in the base, in ours and in theirs.
        read: Returns the bytes of a content.
        settlement: What settles conflicts.
    """

    def __init__(
        self,
        dataset: str,
        entries: tuple[Entries, Entries, Entries],
        read: Callable[[SampleId], bytes],
        settlement: Settlement,
    ) -> None:
        self._dataset = dataset
        self._entries = entries
        self._read = read
        self._settlement = settlement
        self._nodes = nodes_of(key for one in entries for key in one)
        self._metas: dict[tuple[int, str], ArrayMeta | None] = {}

    def settle_layouts(
        self, left: Mapping[str, Change], right: Mapping[str, Change]
    ) -> tuple[dict[str, Entry | None], list[DataConflict]]:
        """Find arrays of which all files must come from one side.

        Args:
            left: What ours changed: key -> change.
            right: What theirs changed.

        Returns:
            What is to stand, for every key of such arrays that either side changed; and a conflict
            for each array.
        """
        settled: dict[str, Entry | None] = {}
        conflicts: list[DataConflict] = []
        ours, theirs = self._by_node(left), self._by_node(right)
        for node in sorted(ours.keys() & theirs.keys()):
            clash = self._clash(node, ours[node] | theirs[node])
            if clash is None:
                continue
            key, said = clash
            choice = self._settlement.side(self._dataset, (key, "array-layout-both", ""))
            conflict = DataConflict(self._dataset, key, "array-layout-both", choice=choice)
            base, mine, yours = said
            conflicts.append(replace(conflict, base=base, ours=mine, theirs=yours))
            side = {"base": 0, "ours": 1, "theirs": 2}[choice or "ours"]
            for one in ours[node] | theirs[node]:
                settled[one] = self._entries[side].get(one)
        return settled, conflicts

    def merger_of(self, key: str) -> Callable[..., MergedFile | None] | None:
        """Return what merges a chunk by elements, or metadata by key; None where nothing does."""
        if base_of(key) in METADATA_FILES:
            return _merge_metadata
        node = node_of_chunk(key, self._nodes)
        if node is None:
            return None
        metas = [self._meta(side, node) for side in range(3)]
        first = metas[1]
        if first is None or any(one is None or one.layout != first.layout for one in metas):
            return None
        name = key[len(node) + 1 :] if node else key
        place = first.place_of(name)
        if place is None:
            return None

        def merge(
            dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes,
            choice: Choice | None,
        ) -> MergedFile | None:  # fmt: skip
            try:
                data, found = merge_chunk(first, base, ours, theirs, choice)
            except FormatError:
                return None
            if found.rows is None:
                return MergedFile(data, ())
            start = place[0] * first.chunks[0]
            path = f"{node or '/'}.rows[{start + found.rows[0]}:{start + found.rows[1]}]"
            said = f"{found.clashes} elements"
            conflict = DataConflict(dataset, key, "elements-both", path, None, said, said, choice)
            return MergedFile(data, (conflict,))

        return merge

    def _by_node(self, changes: Mapping[str, Change]) -> dict[str, set[str]]:
        """Return the changed files of each array: its chunks, and what makes it one."""
        found: dict[str, set[str]] = {}
        for key in changes:
            node = folder_of(key) if base_of(key) in NODE_FILES else node_of_chunk(key, self._nodes)
            if node is not None:
                found.setdefault(node, set()).add(key)
        return found

    def _clash(
        self, node: str, changed: set[str]
    ) -> tuple[str, tuple[str | None, str | None, str | None]] | None:
        """Return the key and the three layouts of an array whose files must be of one side.

        Args:
            node: The array.
            changed: Its files that either side changed; both sides changed some.
        """
        key = next((one for one in metadata_keys(node) if one in changed), None)
        if key is None:
            return None  # nobody touched the metadata: chunks are merged one by one
        base, ours, theirs = (self._layout(side, key) for side in range(3))
        if ours == theirs:
            return None  # both made the same of it
        kinds = {one[0] if one is not None else None for one in (base, ours, theirs)}
        shapes = [None if one is None else one[1] for one in (base, ours, theirs)]
        if len(kinds) == 1 and shapes[0] in shapes[1:]:
            return None  # one layout, and at most one side changed the shape
        return key, (_say(base), _say(ours), _say(theirs))

    def _layout(self, side: int, key: str) -> tuple[str, str] | None:
        """Return an array's layout and shape on one side; None where it is not."""
        content = self._content(side, key)
        return None if content is None else layout_of(self._read(content))

    def _content(self, side: int, key: str) -> SampleId | None:
        entry = self._entries[side].get(key)
        return None if entry is None else entry.content

    def _meta(self, side: int, node: str) -> ArrayMeta | None:
        """Return an array's metadata on one side; None where there are none that are read."""
        if (side, node) not in self._metas:
            found = None
            for key in metadata_keys(node):
                content = self._content(side, key)
                if content is not None:
                    try:
                        found = read_meta(self._read(content), key)
                    except FormatError:
                        found = None
                    break
            self._metas[side, node] = found
        return self._metas[side, node]


def _merge_metadata(
    dataset: str, key: str, base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> MergedFile | None:
    try:
        data, found = merge_meta(base, ours, theirs, choice)
    except FormatError:
        return None
    conflicts = tuple(
        DataConflict(dataset, key, str(one.kind), one.path, one.base, one.ours, one.theirs, choice)
        for one in found
    )
    return MergedFile(data, conflicts)


def _say(layout: tuple[str, str] | None) -> str | None:
    return None if layout is None else f"shape {layout[1]}, {layout[0]}"
