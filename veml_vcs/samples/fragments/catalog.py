"""Where every row lies: row id -> (fragment, row), for each kind of fragment.

The truth is in the fragments' own ``id`` arrays. What is here is derived from them; the cache on
disk may be deleted at any time and is rebuilt when it does not match the store.

A fragment that cannot be read, or that a newer veml wrote, does not stand in the way of the others:
its rows are not known, and asking for one that is nowhere else names it.

Fragments may go while they are read (garbage collection, compaction: their rows are in another one
then). A fragment's number is therefore never given to another one, and ``retrying`` looks again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar, TypeVarTuple, Unpack

import numpy as np

from veml_vcs.errors import DamagedError, NotFoundError, StorageError, VemlError
from veml_vcs.ids import DIGEST_BYTES, FragmentId, ObjectId
from veml_vcs.objects.files import Files
from veml_vcs.objects.protocol import ObjectKind, ObjectStore
from veml_vcs.samples.fragments.fragment import Fragment

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGIC = b"veml catalog 1\n"
_FRESH_FRAGMENTS = 16
_FRESH_ROWS = 2000
_TRIES = 8  # collections that may overtake one read
_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")
_ROW = np.dtype([("head", "<u8"), ("fragment", "<u4"), ("row", "<u4")])


class Place(NamedTuple):
    """Where a row lies: index into ``Catalog.fragments``, and row."""

    fragment: int
    row: int


class _Listed(NamedTuple):
    id: FragmentId
    kind: str
    space: str
    rows: int


class Catalog:
    """All fragments of a store, and where each of their rows lies.

    Args:
        store: The object store.
        cache_folder: Where the derived table is kept; None keeps it in memory only.
        files: All file operations go through it.

    Attributes:
        unreadable: The fragments that cannot be read, and why.
    """

    def __init__(self, store: ObjectStore, cache_folder: str | None, files: Files) -> None:
        self.store = store
        self._files = files
        self._cache = None if cache_folder is None else os.path.join(cache_folder, "catalog")
        self._opened: dict[int, Fragment] = {}
        self._listed: list[_Listed] = []
        self._tables: dict[tuple[str, str], NDArray[np.void]] = {}
        self._sorted: dict[tuple[str, str], tuple[NDArray[np.void], array[int]]] = {}
        self._fresh: dict[tuple[str, str], dict[bytes, Place]] = {}
        self._gone: set[int] = set()
        self._generation = 0
        self._consolidated = 0
        self.unreadable: dict[FragmentId, VemlError] = {}
        self._load()
        self.refresh()

    def refresh(self) -> None:
        """Notice fragments that were published since, and forget those that are gone."""
        present = {FragmentId(i) for i in self.store.ids(ObjectKind.FRAGMENT)}
        known = self._present()
        vanished = {number for one, number in known.items() if one not in present}
        if vanished:
            self._forget(vanished)
        self.unreadable = {}
        for fragment_id in sorted(present - known.keys()):
            try:
                self._add(fragment_id)
            except (DamagedError, NotFoundError) as error:
                self.unreadable[fragment_id] = error.with_traceback(None)
        fresh = self._listed[self._consolidated :]
        many = len(fresh) > _FRESH_FRAGMENTS or sum(one.rows for one in fresh) > _FRESH_ROWS
        if many or (vanished and self._consolidated):
            self._consolidate()

    def retrying(self, read: Callable[[Unpack[_Arguments]], _T], *arguments: *_Arguments) -> _T:
        """Return what ``read`` returns, called again where fragments went away under it.

        Args:
            read: Reads something.
            arguments: What it is called with.

        Raises:
            NotFoundError: ``read`` misses something, and not because it was moved.
        """
        for _ in range(_TRIES):
            try:
                return read(*arguments)
            except NotFoundError:
                before = self._generation
                self.store.refresh()
                self.refresh()
                if self._generation == before:
                    raise
        return read(*arguments)

    def find(self, row_id: bytes, kind: str, space: str = "") -> Place | None:
        """Return where a row lies, or None."""
        group = (kind, space)
        fresh = self._fresh.get(group)
        if fresh is not None and (place := fresh.get(row_id)) is not None:
            return place
        if group not in self._tables:
            return None
        return self.retrying(self._search, row_id, group)

    def _search(self, row_id: bytes, group: tuple[str, str]) -> Place | None:
        """Look a row up in the sorted table."""
        table = self._tables.get(group)
        if table is None:
            return None
        head = int.from_bytes(row_id[:8], "big")
        heads = self._heads_of(group, table)
        at = bisect_left(heads, head)
        while at < len(heads) and heads[at] == head:
            _, fragment, row = table.item(at)
            if self.fragment(fragment).id_at(row) == row_id:
                return Place(fragment, row)
            at += 1
        return None

    def _heads_of(self, group: tuple[str, str], table: NDArray[np.void]) -> array[int]:
        """Return a table's heads one after the other in memory.

        As they lie in the table, numpy would copy all of them each time that some are looked up.
        One is looked up in a third of the time that numpy takes to begin with it.
        """
        known = self._sorted.get(group)
        if known is None or known[0] is not table:
            known = self._sorted[group] = (
                table,
                array("Q", table["head"].astype(np.uint64).tobytes()),
            )
        return known[1]

    def find_many(self, row_ids: Sequence[bytes], kind: str, space: str = "") -> NDArray[np.int64]:
        """Return where rows lie.

        Args:
            row_ids: n ids of 32 bytes.
            kind: Kind of fragment.
            space: For vectors, the embedder's id.

        Returns:
            int64 [n, 2]: fragment index and row, -1 where the row is not known.
        """
        if not len(row_ids):
            return np.full((0, 2), -1, np.int64)
        return self.retrying(self._find_many, row_ids, kind, space)

    def _find_many(self, row_ids: Sequence[bytes], kind: str, space: str) -> NDArray[np.int64]:
        places = np.full((len(row_ids), 2), -1, np.int64)
        group = (kind, space)
        table = self._tables.get(group)
        if table is not None and len(table):
            ids = np.frombuffer(b"".join(row_ids), np.uint8).reshape(-1, DIGEST_BYTES)
            heads = _heads(ids)
            known = np.frombuffer(self._heads_of(group, table), np.uint64)
            at = np.minimum(np.searchsorted(known, heads), len(table) - 1)
            hits = np.flatnonzero(table["head"][at] == heads)
            rows = table[at[hits]]
            places[hits, 0] = rows["fragment"]
            places[hits, 1] = rows["row"]
            self._drop_false_hits(places, ids)
        fresh = self._fresh.get(group, {})
        for i in np.flatnonzero(places[:, 0] < 0).tolist():
            place = fresh.get(row_ids[i]) or self.find(row_ids[i], kind, space)
            if place is not None:
                places[i] = place
        return places

    def fragment(self, number: int) -> Fragment:
        """Return an opened fragment by its index."""
        opened = self._opened.get(number)
        if opened is None:
            opened = self._opened[number] = Fragment(self.store, self._listed[number].id)
        return opened

    def fragments(self, kind: str | None = None) -> list[FragmentId]:
        """List the fragments of one kind, or all."""
        return [
            listed.id
            for number, listed in enumerate(self._listed)
            if kind in (None, listed.kind) and number not in self._gone
        ]

    def numbers(self) -> list[int]:
        """List the numbers of the fragments there are."""
        return sorted(self._present().values())

    def id_of(self, number: int) -> FragmentId:
        """Return the id of a fragment."""
        return self._listed[number].id

    def opened(self, kind: str | None = None) -> Iterator[Fragment]:
        """List the fragments of one kind, or all, opened."""
        for number, listed in enumerate(self._listed):
            if kind in (None, listed.kind) and number not in self._gone:
                yield self.fragment(number)

    def locate(self, row_id: bytes, kind: str, space: str = "") -> tuple[Fragment, int]:
        """Return the fragment and row of an id.

        Raises:
            NotFoundError: No fragment of this kind has the row.
            DamagedError: No readable one has it, and some cannot be read.
        """
        place = self.find(row_id, kind, space)
        if place is None:
            self.store.refresh()
            self.refresh()
            place = self.find(row_id, kind, space)
        if place is None and self.unreadable:
            first = next(iter(self.unreadable.values()))
            raise DamagedError(
                f"{kind} {row_id.hex()[:10]} is in no readable fragment; unreadable: "
                f"{len(self.unreadable)}, the first one: {first}",
                hint=first.hint or "veml fsck lists all that is damaged",
                kind=first.kind,
            )
        if place is None:
            raise NotFoundError(
                f"the store does not have {kind} {row_id.hex()[:10]}",
                hint="veml fsck lists what is missing",
                kind="data-missing",
            )
        return self.fragment(place.fragment), place.row

    def _drop_false_hits(self, places: NDArray[np.int64], ids: NDArray[np.uint8]) -> None:
        """Unset places whose row has another id with the same first 8 bytes."""
        for number in np.unique(places[places[:, 0] >= 0, 0]).tolist():
            chosen = np.flatnonzero(places[:, 0] == number)
            stored = self.fragment(number).ids[places[chosen, 1]]
            places[chosen[(stored != ids[chosen]).any(axis=1)]] = -1

    def _add(self, fragment_id: FragmentId) -> None:
        fragment = Fragment(self.store, fragment_id)
        _ = fragment.ids
        number = len(self._listed)
        self._generation += 1
        self._listed.append(_Listed(fragment_id, fragment.kind, fragment.space, fragment.rows))
        self._opened[number] = fragment
        self._know(number)

    def _know(self, number: int) -> None:
        """Put the rows of a fragment among those that are not in the sorted table yet."""
        fragment = self._opened[number]
        data = fragment.ids.tobytes()
        fresh = self._fresh.setdefault((fragment.kind, fragment.space), {})
        for row in range(fragment.rows):
            row_id = data[row * DIGEST_BYTES : (row + 1) * DIGEST_BYTES]
            fresh.setdefault(row_id, Place(number, row))

    def _present(self) -> dict[FragmentId, int]:
        """Return the numbers of the fragments that are not gone."""
        return {
            listed.id: number
            for number, listed in enumerate(self._listed)
            if number not in self._gone
        }

    def _forget(self, vanished: set[int]) -> None:
        """Drop the rows of fragments that are not there any more; their numbers stay taken."""
        self._gone |= vanished
        self._generation += 1
        # Anew: a row that is in two fragments is known by one of them, which may be the one gone.
        self._fresh = {}
        for number in range(self._consolidated, len(self._listed)):
            if number not in self._gone:
                self._know(number)
        numbers = np.fromiter(vanished, np.uint32, len(vanished))
        for group, table in self._tables.items():
            self._tables[group] = table[~np.isin(table["fragment"], numbers)]

    def _consolidate(self) -> None:
        """Sort all rows into one table a kind, and keep it on disk."""
        groups: dict[tuple[str, str], list[int]] = {}
        for number in self._present().values():
            listed = self._listed[number]
            groups.setdefault((listed.kind, listed.space), []).append(number)
        try:
            self._tables = {group: self._table(numbers) for group, numbers in groups.items()}
        except NotFoundError:
            return  # one went away just now: the rows are known, and the next refresh forgets it
        self._fresh = {}
        self._consolidated = len(self._listed)
        if self._cache is not None:
            # A reader without permission to write, or on a full disk, can do without the cache.
            with contextlib.suppress(StorageError):
                self._files.make_folder(os.path.dirname(self._cache))
                self._files.write_atomic(self._cache, self._encode(), durable=False)

    def _table(self, numbers: Iterable[int]) -> NDArray[np.void]:
        parts = []
        for number in numbers:
            ids = self.fragment(number).ids
            part = np.empty(len(ids), _ROW)
            part["head"] = _heads(ids)
            part["fragment"] = number
            part["row"] = np.arange(len(ids))
            parts.append(part)
        table = np.concatenate(parts)
        return table[np.argsort(table["head"], kind="stable")]

    def _encode(self) -> bytes:
        numbers = np.zeros(len(self._listed), np.uint32)
        listed: list[_Listed] = []
        for number in self._present().values():
            numbers[number] = len(listed)
            listed.append(self._listed[number])
        head = json.dumps(
            {
                "fragments": [[f.id.hex(), f.kind, f.space, f.rows] for f in listed],
                "tables": [[*group, len(table)] for group, table in self._tables.items()],
            }
        ).encode()
        body = len(head).to_bytes(8, "little") + head
        for table in self._tables.values():
            renumbered = table.copy()
            renumbered["fragment"] = numbers[table["fragment"]]
            body += renumbered.tobytes()
        return _MAGIC + hashlib.sha256(body).digest() + body

    def _load(self) -> None:
        """Take the table from disk; a damaged or foreign one is simply not used."""
        if self._cache is None:
            return
        try:
            data = self._files.read(self._cache)
        except (NotFoundError, StorageError):
            return
        start = len(_MAGIC) + DIGEST_BYTES
        body = data[start:]
        if (
            data[: len(_MAGIC)] != _MAGIC
            or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]
        ):
            return
        length = int.from_bytes(body[:8], "little")
        head = json.loads(body[8 : 8 + length])
        present = set(self.store.ids(ObjectKind.FRAGMENT))
        listed = [
            _Listed(FragmentId(bytes.fromhex(i)), k, s, n) for i, k, s, n in head["fragments"]
        ]
        if any(ObjectId(one.id) not in present for one in listed):
            return
        at = 8 + length
        for kind, space, rows in head["tables"]:
            self._tables[kind, space] = np.frombuffer(body, _ROW, rows, at)
            at += rows * _ROW.itemsize
        self._listed = listed
        self._consolidated = len(listed)


def _heads(ids: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the first 8 bytes of each id as a native number that sorts as the bytes do."""
    return ids[:, :8].copy().view(">u8").ravel().astype(np.uint64)
