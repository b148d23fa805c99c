"""The object store in memory: for tests, and for what is made only to be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import Buffer, ObjectId, digest
from veml_vcs.objects.protocol import ObjectKind, ObjectWriter


class _Stored(NamedTuple):
    kind: ObjectKind
    data: bytes


class MemoryObjectStore:
    """Objects in a dictionary; fulfils ``ObjectStore``. Stores with equal objects are equal."""

    def __init__(self) -> None:
        self._objects: dict[ObjectId, _Stored] = {}

    def __repr__(self) -> str:
        return f"<MemoryObjectStore of {len(self._objects)} objects>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemoryObjectStore) and self._objects == other._objects

    __hash__ = None  # type: ignore[assignment]

    @contextmanager
    def write(self) -> Iterator[ObjectWriter]:
        """Open a batch. It is published when the block ends, dropped when it raises."""
        writer = _MemoryWriter(self)
        try:
            yield writer
            self._objects.update(writer.objects)
        finally:
            writer.is_open = False

    def get(self, object_id: ObjectId) -> bytes:
        """Return the bytes of an object. They cannot change in memory, so there is no check.

        Raises:
            NotFoundError: The store does not have it.
        """
        return self._find(object_id).data

    def view(self, object_id: ObjectId) -> memoryview:
        """Return the bytes of an object without copying.

        Raises:
            NotFoundError: The store does not have it.
        """
        return memoryview(self._find(object_id).data)

    def __contains__(self, object_id: object) -> bool:
        """Tell whether the store has the object."""
        return object_id in self._objects

    def size(self, object_id: ObjectId) -> int:
        """Return the object's length in bytes.

        Raises:
            NotFoundError: The store does not have it.
        """
        return len(self._find(object_id).data)

    def ids(self, kind: ObjectKind | None = None) -> Iterator[ObjectId]:
        """List the objects, of one kind or all, in no particular order, each once."""
        for object_id, stored in list(self._objects.items()):
            if kind is None or stored.kind == kind:
                yield object_id

    def refresh(self) -> None:
        """Do nothing: nobody else can write here."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _find(self, object_id: ObjectId) -> _Stored:
        try:
            return self._objects[object_id]
        except KeyError:
            raise NotFoundError(f"object {object_id.hex()} is not in the store in memory") from None


class _MemoryWriter:
    """One batch; fulfils ``ObjectWriter``."""

    def __init__(self, store: MemoryObjectStore) -> None:
        self._store = store
        self.objects: dict[ObjectId, _Stored] = {}
        self.is_open = True

    def put(
        self,
        data: Buffer,
        *,
        kind: ObjectKind = ObjectKind.CHUNK,
        compress: bool = False,
        base: ObjectId | None = None,
    ) -> ObjectId:
        """Add one object and return its id; ``compress`` and ``base`` mean nothing here.

        Raises:
            InvalidInputError: The batch has ended.
        """
        if not self.is_open:
            raise InvalidInputError("cannot put an object into a batch that has ended")
        content = bytes(data)
        object_id = ObjectId(digest(content))
        if object_id not in self._store:
            self.objects.setdefault(object_id, _Stored(kind, content))
        return object_id

    def get(self, object_id: ObjectId) -> bytes:
        """Return an object of this batch or of the store behind it.

        Raises:
            NotFoundError: Neither has it.
        """
        stored = self.objects.get(object_id)
        return self._store.get(object_id) if stored is None else stored.data
