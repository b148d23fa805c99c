"""Writes one batch of objects as one pack, or several if it is large.

Objects stream to a temporary file beside the packs; only the table is in memory. Publishing costs
two fsyncs for a batch of one pack: the file, and the folder that got its name. A batch of several
packs is renamed pack by pack; killed in between, some of its objects are there for good, which does
no harm, because what refers to them is written after the batch.

What a batch relies on instead of storing it must not be collected before it is referenced: a batch
holds the gate (see ``gate.py``), and renews the mtime of old packs that it relies on.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable

from veml_vcs.errors import DamagedError, InvalidInputError, NotFoundError, StorageError
from veml_vcs.ids import Buffer, ObjectId, digest
from veml_vcs.objects.files import Files
from veml_vcs.objects.pack import (
    Encoding,
    PackRow,
    check,
    decode,
    deflate,
    derivation,
    derive,
    finish,
    header,
    padding,
)
from veml_vcs.objects.pack_folder import PackFolder
from veml_vcs.objects.protocol import ObjectKind, ObjectStore

_WORTH_DERIVING = 0.7  # a derived object costs a second read: not for a few bytes
_PLAINLY_DERIVED = 0.2  # so little is left that deflating need not be tried: nodes are mostly ids
_FRESH_NS = 3600 * 10**9  # an hour: far below any grace period, and seldom enough to cost nothing
_PACK_MODE = 0o444  # a pack is never changed; this stops accidents


class _NewPack:
    """A pack on its way: a temporary file and the rows of its table."""

    def __init__(self, folder: str, files: Files) -> None:
        self._files = files
        self._folder = folder
        self.path = files.temporary_path(folder)
        self.rows: list[PackRow] = []
        self.name: str | None = None  # known once it is finished
        self._file = files.open_new(self.path, mode=_PACK_MODE)
        self._offset = 0
        self._append(header())

    @property
    def length_bytes(self) -> int:
        return self._offset

    def add(
        self,
        object_id: ObjectId,
        kind: ObjectKind,
        encoding: Encoding,
        stored: Buffer,
        decoded_bytes: int,
    ) -> PackRow:
        if encoding == Encoding.RAW:
            self._append(padding(self._offset))
        row = PackRow(object_id, kind, encoding, self._offset, len(stored), decoded_bytes)
        self._append(stored)
        self.rows.append(row)
        return row

    def read(self, row: PackRow) -> bytes:
        return self._file.read_at(row.offset, row.stored_bytes)

    def finish(self) -> None:
        """Write the table and wait until the disk has the file."""
        self._append(padding(self._offset))
        self.name, end = finish(self.rows, self._offset)
        self._append(end)
        self._file.fsync()

    def publish(self) -> None:
        """Give the finished pack its name."""
        if self.name is None:
            raise AssertionError(f"{self.path} was not finished")
        self._files.rename(self.path, os.path.join(self._folder, self.name))
        self._close()

    def discard(self) -> None:
        """Remove the file, unless it has its name already."""
        self._close()
        # The caller is told of the first failure, not of a second one in its wake.
        with contextlib.suppress(StorageError):
            self._files.remove(self.path)

    def _close(self) -> None:
        # What matters was synced before; a late complaint says nothing new.
        with contextlib.suppress(StorageError):
            self._file.close()

    def _append(self, data: Buffer) -> None:
        self._file.write(data)
        self._offset += len(data)


class PackWriter:
    """One batch; fulfils ``ObjectWriter``. Several threads may put into it.

    Args:
        store: Read for objects that are not in this batch.
        packs: The packs there are, and the folder for new ones.
        files: All file operations go through it.
        pack_bytes: A new pack is begun where one would grow longer than this.
        replacing: Packs that are about to go: what only they hold counts as not stored.
        enter: Called before the first pack is begun, where the store was not there before.

    Raises:
        StorageError: The packs cannot be read.
    """

    def __init__(
        self,
        store: ObjectStore,
        packs: PackFolder,
        files: Files,
        pack_bytes: int,
        replacing: frozenset[str] = frozenset(),
        enter: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._packs = packs
        self._files = files
        self._pack_bytes = pack_bytes
        self._begun: list[_NewPack] = []
        self._places: dict[ObjectId, tuple[_NewPack, PackRow]] = {}
        self._lock = threading.Lock()
        self._is_open = True
        self._replacing = replacing
        self._enter = enter
        self._fresh: dict[str, bool] = {}
        self._failure: BaseException | None = None
        packs.refresh()  # what is known now is not stored again

    def put(
        self,
        data: Buffer,
        *,
        kind: ObjectKind = ObjectKind.CHUNK,
        compress: bool = False,
        base: ObjectId | None = None,
    ) -> ObjectId:
        """Add one object and return its id; see ``ObjectWriter.put``.

        Raises:
            InvalidInputError: The batch has ended.
            StorageError: The disk is full, or the system says no. The batch cannot be published.
        """
        if not self._is_open:
            raise InvalidInputError("cannot put an object into a batch that has ended")
        content = _flat(data)
        object_id = ObjectId(digest(content))
        if object_id in self._places or self._is_stored(object_id):
            return object_id
        stored, encoding = content, Encoding.RAW
        if compress:
            derived = None if base is None else self._derive(content, base)
            if derived is None or len(derived) > len(content) * _PLAINLY_DERIVED:
                deflated = deflate(content)
                if len(deflated) < len(content):
                    stored, encoding = deflated, Encoding.DEFLATE
            if derived is not None and len(derived) < len(stored) * _WORTH_DERIVING:
                stored, encoding = derived, Encoding.DERIVED
        self._add(object_id, kind, encoding, stored, len(content))
        return object_id

    def copy(self, object_id: ObjectId) -> bool:
        """Take an object over from a pack that is replaced, as it is stored there, checked.

        A derived object whose base will not be there any more is stored as a whole; whoever copies
        bases first keeps chains.

        Returns:
            False if it is stored elsewhere, or in this batch, already.

        Raises:
            NotFoundError: The store does not have it.
            DamagedError: It is damaged in every pack that has it.
            StorageError: The disk is full, or the system says no.
        """
        if object_id in self._places or self._is_sound_elsewhere(object_id):
            return False
        damage: DamagedError | None = None
        for pack, row in self._packs.places(object_id):
            path = self._packs.path_of(pack)
            try:
                stored = self._packs.stored(pack, row)
                base_id = None
                if row.encoding == Encoding.DERIVED:
                    base_id = derivation(row, stored, path)[1]
                base = None if base_id is None else self._store.get(base_id)
                data = decode(row, stored, path, base)
                check(row, data, path)
            except (DamagedError, NotFoundError) as error:
                damage = damage or DamagedError(str(error), hint="veml fsck lists all damage")
                continue
            kind = ObjectKind(row.kind)
            if base_id is None or base_id in self._places or self._is_stored(base_id):
                self._add(object_id, kind, Encoding(row.encoding), stored, row.decoded_bytes)
            else:
                deflated = deflate(data)
                self._add(object_id, kind, Encoding.DEFLATE, deflated, row.decoded_bytes)
            return True
        raise damage or self._packs.absent(object_id)

    def _add(
        self,
        object_id: ObjectId,
        kind: ObjectKind,
        encoding: Encoding,
        stored: Buffer,
        decoded_bytes: int,
    ) -> None:
        with self._lock:
            if object_id not in self._places:
                try:
                    pack = self._pack_for(len(stored))
                    row = pack.add(object_id, kind, encoding, stored, decoded_bytes)
                except BaseException as error:
                    self._failure = error
                    raise
                self._places[object_id] = (pack, row)

    def _is_stored(self, object_id: ObjectId) -> bool:
        """Tell whether the object is, and stays, in a pack of the store."""
        for pack, _ in self._packs.places(object_id):
            if pack not in self._replacing and self._stays(pack):
                return True
        return False

    def _stays(self, pack: str) -> bool:
        """Renew a pack's grace period if need be; False if that cannot be done."""
        fresh = self._fresh.get(pack)
        if fresh is None:
            path = self._packs.path_of(pack)
            try:
                modified_ns = self._files.modified_ns(path)
                fresh = modified_ns is not None
                if modified_ns is not None and modified_ns < time.time_ns() - _FRESH_NS:
                    self._files.touch(path)
            except (NotFoundError, StorageError):
                fresh = False
            self._fresh[pack] = fresh
        return fresh

    def _is_sound_elsewhere(self, object_id: ObjectId) -> bool:
        if not self._is_stored(object_id):
            return False
        for pack, row in self._packs.places(object_id):
            if pack in self._replacing:
                continue
            path = self._packs.path_of(pack)
            try:
                stored = self._packs.stored(pack, row)
                base = None
                if row.encoding == Encoding.DERIVED:
                    base = self._store.get(derivation(row, stored, path)[1])
                check(row, decode(row, stored, path, base), path)
            except (DamagedError, NotFoundError):
                continue
            return True
        return False

    def get(self, object_id: ObjectId) -> bytes:
        """Return an object of this batch or of the store, checked against its id.

        Raises:
            NotFoundError: Neither has it.
            DamagedError: The bytes found do not hash to the id.
            StorageError: The system says no.
        """
        place = self._places.get(object_id)
        if place is None or not self._is_open:
            return self._store.get(object_id)
        pack, row = place
        with self._lock:
            stored = pack.read(row)
        base = None
        if row.encoding == Encoding.DERIVED:
            base = self._store.get(derivation(row, stored, pack.path)[1])
        data = decode(row, stored, pack.path, base)
        check(row, data, pack.path)
        return bytes(data)

    @property
    def names(self) -> list[str]:
        """File names of the packs that were published, or will be."""
        return [pack.name for pack in self._begun if pack.name is not None]

    def __contains__(self, object_id: object) -> bool:
        """Tell whether this batch itself holds an object."""
        return object_id in self._places

    def publish(self) -> None:
        """Make the batch durable and visible, as the last thing that is done with it.

        Raises:
            StorageError: The system says no, or it did so in an earlier ``put``.
        """
        self._is_open = False
        if self._failure is not None:
            raise StorageError(
                f"the batch cannot be published, it is incomplete: {self._failure}"
            ) from self._failure
        if not self._begun:
            return
        self._begun[-1].finish()
        for pack in self._begun:
            pack.publish()
        self._files.fsync_folder(self._packs.path)

    def discard(self) -> None:
        """Remove what was not published."""
        self._is_open = False
        for pack in self._begun:
            pack.discard()

    def _derive(self, content: Buffer, base_id: ObjectId) -> bytes | None:
        """Return what differs from a published object; None where that cannot be used."""
        try:
            base = self._store.get(base_id)
        except (NotFoundError, DamagedError):
            return None  # the object itself is stored whole, and that is all it takes
        return derive(content, base_id, base, self._packs.depth(base_id))

    def _pack_for(self, stored_bytes: int) -> _NewPack:
        """Return the pack that takes the next object."""
        if self._begun:
            pack = self._begun[-1]
            if pack.length_bytes + stored_bytes <= self._pack_bytes or not pack.rows:
                return pack
            pack.finish()
        else:
            if self._enter is not None:
                self._enter()
                self._packs.refresh()
            self._files.make_folder(self._packs.path)
            self._files.clean_temporary(self._packs.path)
        self._begun.append(_NewPack(self._packs.path, self._files))
        return self._begun[-1]


def _flat(data: Buffer) -> bytes | bytearray | memoryview:
    """Return the buffer as a sequence of bytes, whatever its items and shape are."""
    if not isinstance(data, memoryview):
        return data
    if data.c_contiguous and data.nbytes:
        return data.cast("B")
    return data.tobytes()
