"""The packs of one store as readers see them: which there are, where each object lies, its bytes.

Packs are only ever added (removal belongs to garbage collection), so what is known of them is an
immutable state that is replaced as a whole. Readers need no lock, in threads and after a fork: two
that refresh at the same time do the same work twice, and a state that misses the newest pack is
put right by the next miss.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakSet

from veml_vcs.errors import DamagedError, NotFoundError, StorageError, VemlError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.files import Files
from veml_vcs.objects.index import Index
from veml_vcs.objects.pack import (
    PACK_NAME,
    ROW,
    Encoding,
    PackRow,
    check_place,
    derivation,
    read_table,
)

# The cache is written again when so much is missing from it. Less is cheap to read at each start.
_MAX_FRESH_PACKS = 16
_MAX_FRESH_ROWS = 4096
# A folder that changed less than one tick of the clock ago may change again without showing it.
_CLOCK_TICK_NS = 20_000_000
# Before Python 3.13 each map keeps a descriptor, of which a process often has no more than 1024.
_MAX_MAPS = 16_384 if sys.version_info >= (3, 13) else 256


class _State(NamedTuple):
    """What is known of the folder.

    Attributes:
        names: The packs seen, readable or not.
        cached: Index of the packs in the cache file.
        fresh: Index of the others.
        tables: Name and table of the packs in ``fresh``.
        unreadable: Why a pack is in neither.
        modified_ns: When the folder was last changed, None if it was not there.
        listed_ns: When we began to list it.
    """

    names: frozenset[str]
    cached: Index
    fresh: Index
    tables: tuple[tuple[str, bytes], ...]
    unreadable: dict[str, DamagedError]
    modified_ns: int | None
    listed_ns: int


_EMPTY = _State(frozenset(), Index(), Index(), (), {}, -1, 0)


class PackFolder:
    """Finds and maps objects in a folder of packs.

    Args:
        path: The folder; it may be missing as long as nothing was written.
        cache: The file for the derived index; it may be missing or damaged at any time.
        files: All file operations go through it.
    """

    def __init__(self, path: str, cache: str, files: Files) -> None:
        self.path = path
        self._cache = cache
        self._files = files
        self._state = _EMPTY
        self._maps: dict[str, memoryview] = {}
        self._mapped: WeakSet[mmap.mmap] = WeakSet()

    def locate(self, object_id: bytes) -> list[tuple[str, PackRow]]:
        """Return all places of an object (name of the pack, row), looking for new packs on a miss.

        Raises:
            StorageError: The folder or a new pack cannot be read.
        """
        found = self._find(object_id)
        if not found and self.refresh():
            found = self._find(object_id)
        return found

    def knows(self, object_id: bytes) -> bool:
        """Tell whether an object is in a pack seen so far. Cheap, and may miss the newest packs."""
        if self._state is _EMPTY:
            self.refresh()
        state = self._state
        return state.fresh.find(object_id) >= 0 or state.cached.find(object_id) >= 0

    def places(self, object_id: bytes) -> list[tuple[str, PackRow]]:
        """Return the places of an object in the packs seen so far, without looking for new ones."""
        if self._state is _EMPTY:
            self.refresh()
        return self._find(object_id)

    def stored(self, pack: str, row: PackRow) -> memoryview:
        """Return an object's bytes as they lie in the pack, mapped where possible.

        Raises:
            NotFoundError: The pack is gone.
            DamagedError: The pack is too short.
            StorageError: The system says no.
        """
        view = self._maps.get(pack) or self._map(pack)
        path = self.path_of(pack)
        if view is not None:
            check_place(row, len(view), path)
            return view[row.offset : row.offset + row.stored_bytes]
        with self._files.open(path) as file:
            check_place(row, file.size_bytes(), path)
            return memoryview(file.read_at(row.offset, row.stored_bytes))

    def depth(self, object_id: bytes) -> int:
        """Return how many objects an object is derived over; 0 if it lies there as a whole."""
        for pack, row in self._find(object_id):
            if row.encoding == Encoding.DERIVED:
                return derivation(row, self.stored(pack, row), self.path_of(pack))[0]
            return 0
        return 0

    def path_of(self, pack: str) -> str:
        """Return the path of a pack."""
        return f"{self.path}/{pack}"

    def ids(self, kind: int | None) -> Iterator[ObjectId]:
        """List the objects of one kind or all, each once, as of now."""
        self.refresh()
        state = self._state
        yield from state.cached.ids(kind)
        for object_id in state.fresh.ids(kind):
            if state.cached.find(object_id) < 0:
                yield object_id

    def names(self) -> list[str]:
        """Return the file names of the packs, sorted, readable or not."""
        return sorted(filter(PACK_NAME.fullmatch, self._files.listdir(self.path)))

    def unreadable(self) -> dict[str, DamagedError]:
        """Return the packs that cannot be read at all, and why."""
        return dict(self._state.unreadable)

    def absent(self, object_id: bytes) -> VemlError:
        """Return the error for an object that ``locate`` did not find."""
        unreadable = self._state.unreadable
        error: VemlError
        if not unreadable:
            error = NotFoundError(f"object {object_id.hex()} is not in the store at {self.path}")
        else:
            first = next(iter(unreadable.values()))
            error = DamagedError(
                f"object {object_id.hex()} is in no readable pack; unreadable: {len(unreadable)}, "
                f"the first one: {first}",
                hint=first.hint,
                kind=first.kind,
            )
        error.object_id = object_id
        return error

    def refresh(self) -> bool:
        """Notice packs that came or went; return whether there were any.

        Raises:
            StorageError: The folder, or a new pack, cannot be read.
        """
        old = self._state
        listed_ns = time.time_ns()
        modified_ns = self._files.modified_ns(self.path)
        if modified_ns == old.modified_ns and (
            modified_ns is None or modified_ns + _CLOCK_TICK_NS < old.listed_ns
        ):
            return False
        # A damaged pack may have been replaced by a sound one of the same name.
        self._maps = {}
        present = frozenset(self._files.listdir(self.path))
        names = (old.names & present).union(filter(PACK_NAME.fullmatch, present - old.names))
        if names == old.names and not old.unreadable and old is not _EMPTY:
            self._state = old._replace(modified_ns=modified_ns, listed_ns=listed_ns)
            return False
        self._state = self._scan(old, names)._replace(modified_ns=modified_ns, listed_ns=listed_ns)
        return True

    def close(self) -> None:
        """Forget everything. Maps go when the last view of them does."""
        self._state = _EMPTY
        self._maps = {}

    def _find(self, object_id: bytes) -> list[tuple[str, PackRow]]:
        state = self._state
        return state.fresh.find_all(object_id) + state.cached.find_all(object_id)

    def _map(self, pack: str) -> memoryview | None:
        """Map a pack, or return None if there are too many maps or the system has no more."""
        if len(self._mapped) >= _MAX_MAPS:
            self._maps = {}  # what is not in use goes away with this
            if len(self._mapped) >= _MAX_MAPS:
                return None
        try:
            view = self._files.map(self.path_of(pack))
        except StorageError:
            return None  # too many open files, or a file system without maps: reading may do
        if isinstance(view.obj, mmap.mmap):
            self._mapped.add(view.obj)
        self._maps[pack] = view
        return view

    def _scan(self, old: _State, names: frozenset[str]) -> _State:
        """Return the state for the packs called ``names``."""
        cached, tables = old.cached, old.tables
        if not old.names <= names:
            cached, tables = Index(), ()
        new = names.difference(cached.packs, (name for name, _ in tables))
        if len(new) > _MAX_FRESH_PACKS or old is _EMPTY:
            cached = self._load_cache(names) or cached
            tables = tuple(table for table in tables if table[0] not in set(cached.packs))
            new = names.difference(cached.packs, (name for name, _ in tables))
        unreadable: dict[str, DamagedError] = {}
        read: list[tuple[str, bytes]] = []
        for name in sorted(new):
            try:
                with self._files.open(self.path_of(name)) as file:
                    read.append((name, read_table(file).rows))
            except DamagedError as error:
                unreadable[name] = error.with_traceback(None)
            except NotFoundError:
                continue  # collected since the folder was listed
        tables = (*tables, *read)
        rows = sum(len(table) for _, table in tables) // ROW.size
        if len(tables) > _MAX_FRESH_PACKS or rows > _MAX_FRESH_ROWS:
            cached = cached.extended(tables)
            tables = ()
            self._store_cache(cached)
        return _State(names, cached, Index().extended(tables), tables, unreadable, None, 0)

    def _load_cache(self, names: frozenset[str]) -> Index | None:
        """Return the index in the cache file if it is sound and speaks of present packs only."""
        try:
            index = Index.decode(self._files.map(self._cache))
        except (NotFoundError, StorageError):
            return None
        return index if index is not None and names.issuperset(index.packs) else None

    def _store_cache(self, index: Index) -> None:
        # A reader without permission to write, or on a full disk, can do without the cache.
        with contextlib.suppress(StorageError):
            self._files.make_folder(os.path.dirname(self._cache))
            self._files.write_atomic(self._cache, index.encode(), durable=False)
