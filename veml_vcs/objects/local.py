"""The object store in a folder: packs, and an index derived from them.

    packs/<sha256>.pack   see ``pack.py``; only garbage collection removes one
    cache/objects         see ``index.py``; may be deleted at any time
    gate                  see ``gate.py``
    quarantine/           damaged packs that a repair replaced

Nothing is read, made or opened before it is needed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects import gate
from veml_vcs.objects.files import Files, StrPath
from veml_vcs.objects.pack import (
    MAX_DEPTH,
    ROW,
    Encoding,
    PackRow,
    check,
    damaged_object,
    decode,
    derivation,
    read_table,
    salvage_rows,
)
from veml_vcs.objects.pack_folder import PackFolder
from veml_vcs.objects.pack_writer import PackWriter
from veml_vcs.objects.protocol import ObjectKind, ObjectWriter
from veml_vcs.objects.verify import Problem, verify_pack

PACK_BYTES = 1 << 30  # 1 GiB

_T = TypeVar("_T")
_READ_TRIES = 8  # collections that may overtake one read
_RECENT_BYTES = 16 << 20


class Pack(NamedTuple):
    """One pack as it lies there.

    Attributes:
        name: File name.
        size_bytes: Length of the file.
        modified_ns: When it was published, or last relied on.
        rows: Its table, sorted by id; empty if it cannot be read.
        damage: Why it cannot be read.
    """

    name: str
    size_bytes: int
    modified_ns: int
    rows: tuple[PackRow, ...]
    damage: DamagedError | None


class LocalObjectStore:
    """Objects in a folder; fulfils ``ObjectStore``.

    Any number of processes and threads may read, and write, at the same time. Survives a fork, and
    can be pickled (what arrives is the same folder, opened anew, without the observer).

    Args:
        folder: The store; it may be missing as long as nothing is written.
        files: All file operations go through it.
        pack_bytes: A batch that is larger becomes several packs.
    """

    def __init__(
        self, folder: StrPath, files: Files | None = None, *, pack_bytes: int = PACK_BYTES
    ) -> None:
        self.folder = os.path.abspath(folder)
        self._files = files or Files()
        self._pack_bytes = pack_bytes
        self._packs = PackFolder(
            os.path.join(self.folder, "packs"),
            os.path.join(self.folder, "cache", "objects"),
            self._files,
        )
        self._gate = os.path.join(self.folder, "gate")
        # Tree nodes decoded lately, and whether they were checked: what changed is derived from
        # what it was, over several steps, and who compares two versions reads both.
        self._recent: dict[ObjectId, tuple[bytes, bool]] = {}
        self._recent_bytes = 0

    def __repr__(self) -> str:
        return f"LocalObjectStore({self.folder!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalObjectStore) and self.folder == other.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _reopen, (self.folder, self._pack_bytes)

    @contextmanager
    def write(self) -> Iterator[ObjectWriter]:
        """Open a batch. It is published when the block ends, dropped when it raises.

        Raises:
            StorageError: The system says no; nothing of the batch is left.
        """
        with self._batch(frozenset()) as writer:
            yield writer

    @contextmanager
    def rewrite(self, replacing: Collection[str]) -> Iterator[PackWriter]:
        """Open a batch that takes over what is needed of packs that are about to go.

        What only those packs hold counts as not stored. Nothing is removed: see ``remove_packs``.
        The new packs take the newest mtime of those replaced, so that moving renews no grace
        period.

        Args:
            replacing: File names of packs.

        Raises:
            StorageError: The system says no; nothing of the batch is left.
        """
        ages = [self._files.modified_ns(self._packs.path_of(pack)) for pack in replacing]
        with self._batch(frozenset(replacing)) as writer:
            yield writer
        newest_ns = max((age for age in ages if age is not None), default=None)
        for pack in writer.names:
            if newest_ns is not None:
                self._files.touch(self._packs.path_of(pack), newest_ns)

    @contextmanager
    def _batch(self, replacing: frozenset[str]) -> Iterator[PackWriter]:
        with contextlib.ExitStack() as stack:
            if os.path.isdir(self.folder):
                stack.enter_context(gate.passing(self._gate))
                enter = None
            else:
                # Nothing is known, so nothing can be relied on; an empty batch makes no folder.
                def enter() -> None:
                    self._files.make_folder(self.folder)
                    stack.enter_context(gate.passing(self._gate))

            writer = PackWriter(self, self._packs, self._files, self._pack_bytes, replacing, enter)
            try:
                yield writer
                writer.publish()
            except BaseException:
                writer.discard()
                raise

    @contextmanager
    def alone(self, timeout_seconds: float = gate.GATE_TIMEOUT_SECONDS) -> Iterator[None]:
        """Keep all batches out, to decide once more what goes, and to remove it.

        Raises:
            LockedError: A batch was open for all of the timeout.
        """
        self._files.make_folder(self.folder)
        with gate.closed(self._gate, timeout_seconds):
            yield

    def packs(self) -> Iterator[Pack]:
        """List the packs there are, readable or not, with their tables."""
        for name in self._packs.names():
            path = self._packs.path_of(name)
            try:
                with self._files.open(path) as file:
                    size_bytes = file.size_bytes()
                    modified_ns = self._files.modified_ns(path)
                    try:
                        table = read_table(file).rows
                    except DamagedError as error:
                        yield Pack(name, size_bytes, modified_ns or 0, (), error)
                        continue
            except NotFoundError:
                continue
            rows = tuple(PackRow._make(row) for row in ROW.iter_unpack(table))
            yield Pack(name, size_bytes, modified_ns or 0, rows, None)

    def base_of(self, pack: str, row: PackRow) -> ObjectId | None:
        """Return what an object in a pack is derived from, None if it lies there as a whole.

        Raises:
            DamagedError: There is no derived object at its place.
        """
        if row.encoding != Encoding.DERIVED:
            return None
        return derivation(row, self._packs.stored(pack, row), self._packs.path_of(pack))[1]

    def salvage(
        self, pack: str, get: Callable[[ObjectId], bytes] | None = None
    ) -> Iterator[tuple[ObjectId, ObjectKind, bytes]]:
        """List the sound objects of a pack whose table cannot be trusted.

        Each is checked against its id, so that it does not matter where the table is wrong.

        Args:
            pack: Its file name.
            get: Returns what others are derived from; None asks the store.
        """
        path = self._packs.path_of(pack)
        with self._files.open(path) as file:
            data = file.read_at(0, file.size_bytes())
        for row in salvage_rows(data):
            stored = data[row.offset : row.offset + row.stored_bytes]
            try:
                base = None
                if row.encoding == Encoding.DERIVED:
                    base = (get or self.get)(derivation(row, stored, path)[1])
                found = bytes(decode(row, stored, path, base))
                check(row, found, path)
                yield row.object_id, ObjectKind(row.kind), found
            except (DamagedError, NotFoundError, ValueError):
                continue

    def remove_packs(self, packs: Iterable[str]) -> int:
        """Remove packs, under ``alone``; return how many bytes they had.

        Raises:
            StorageError: The system says no.
        """
        removed = 0
        for name in packs:
            path = self._packs.path_of(name)
            with contextlib.suppress(NotFoundError), self._files.open(path) as file:
                removed += file.size_bytes()
            self._files.remove(path)
        self._files.fsync_folder(self._packs.path)
        self.refresh()
        return removed

    def quarantine(self, packs: Iterable[str]) -> str:
        """Move packs out of the way, under ``alone``; return the folder they are in now.

        Raises:
            StorageError: The system says no.
        """
        folder = os.path.join(self.folder, "quarantine")
        self._files.make_folder(folder)
        for name in packs:
            target = os.path.join(folder, name)
            number = 1
            while self._files.exists(target):
                target = os.path.join(folder, f"{name}.{number}")
                number += 1
            self._files.rename(self._packs.path_of(name), target)
        self._files.fsync_folder(folder)
        self._files.fsync_folder(self._packs.path)
        self.refresh()
        return folder

    def get(self, object_id: ObjectId) -> bytes:
        """Return the bytes of an object, checked against its id.

        Raises:
            NotFoundError: The store does not have it.
            DamagedError: The bytes found do not hash to the id, in no pack that has it.
            StorageError: The system says no.
        """
        recent = self._recent.get(object_id)
        if recent is not None and recent[1]:
            return recent[0]
        return self._read(object_id, self._checked)

    def view(self, object_id: ObjectId) -> memoryview:
        """Return the bytes of an object, read only: a raw one mapped and *not* checked.

        Raises:
            NotFoundError: The store does not have it.
            DamagedError: The pack is cut short, or the object cannot be decoded.
            StorageError: The system says no.
        """
        return self._read(object_id, self._viewed)

    def __contains__(self, object_id: object) -> bool:
        """Tell whether the store has the object."""
        return isinstance(object_id, bytes) and bool(self._packs.locate(object_id))

    def size(self, object_id: ObjectId) -> int:
        """Return the object's length in bytes, decoded.

        Raises:
            NotFoundError: The store does not have it.
        """
        for _, row in self._packs.locate(object_id):
            return row.decoded_bytes
        raise self._packs.absent(object_id)

    def kind(self, object_id: bytes) -> int | None:
        """Return what an object is, None if the store does not have it."""
        for _, row in self._packs.places(object_id):
            return row.kind
        return None

    def ids(self, kind: ObjectKind | None = None) -> Iterator[ObjectId]:
        """List the objects, of one kind or all, in no particular order, each once."""
        return self._packs.ids(kind)

    def refresh(self) -> None:
        """Notice what other processes have published since the store was opened.

        Raises:
            StorageError: The system says no.
        """
        self._recent, self._recent_bytes = {}, 0
        self._packs.refresh()

    def unreadable(self) -> dict[str, DamagedError]:
        """Return the packs, by file name, that cannot be read at all, and why."""
        return self._packs.unreadable()

    def verify(self, done: Callable[[int], None] = lambda _bytes: None) -> Iterator[Problem]:
        """Re-hash everything and list what is wrong, pack by pack in order of their names.

        Args:
            done: Is told how many bytes were just read.
        """
        for pack in self._packs.names():
            yield from verify_pack(self._packs.path_of(pack), self._files, self.get, done)

    def close(self) -> None:
        """Let go of mapped files; a map stays as long as a view of it does."""
        self._recent, self._recent_bytes = {}, 0
        self._packs.close()

    def _read(self, object_id: ObjectId, read: Callable[[str, PackRow], _T]) -> _T:
        """Read from the first place that is sound."""
        damage: DamagedError | None = None
        for _ in range(_READ_TRIES):
            vanished = False
            for pack, row in self._packs.locate(object_id):
                try:
                    return read(pack, row)
                except DamagedError as error:
                    damage = damage or error
                except NotFoundError:
                    vanished = True
            if not vanished:
                break
            # Garbage collection took the pack; what it kept is in another one.
            self._packs.refresh()
        raise damage or self._packs.absent(object_id)

    def _checked(self, pack: str, row: PackRow, below: int = MAX_DEPTH + 1) -> bytes:
        """Return an object, checked; a derived one only if its depth is less than ``below``."""
        path = self._packs.path_of(pack)
        stored = self._packs.stored(pack, row)
        base = None
        if row.encoding == Encoding.DERIVED:
            depth, base_id = derivation(row, stored, path)
            if depth >= below:
                # A hostile pack could otherwise send the reader round in circles.
                raise damaged_object(row, path, f"depth {depth}, expected less than {below}")
            recent = self._recent.get(base_id)
            try:
                base = (
                    recent[0]
                    if recent is not None
                    else self._read(base_id, lambda pack, row: self._checked(pack, row, depth))
                )
            except NotFoundError as error:
                raise damaged_object(row, path, f"its base {base_id.hex()} is missing") from error
        data = bytes(decode(row, stored, path, base))
        is_whole = below > MAX_DEPTH
        if is_whole:  # a base that is wrong makes what is derived from it wrong
            check(row, data, path)
        if row.kind == ObjectKind.NODE:
            if self._recent_bytes + len(data) > _RECENT_BYTES:
                self._recent, self._recent_bytes = {}, 0
            self._recent[row.object_id] = (data, is_whole)
            self._recent_bytes += len(data)
        return data

    def _viewed(self, pack: str, row: PackRow) -> memoryview:
        if row.encoding != Encoding.RAW:
            return memoryview(self._checked(pack, row))
        stored = self._packs.stored(pack, row)
        return memoryview(decode(row, stored, self._packs.path_of(pack)))


def _reopen(folder: str, pack_bytes: int) -> LocalObjectStore:
    return LocalObjectStore(folder, pack_bytes=pack_bytes)
