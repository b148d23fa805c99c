"""What every object store can do, whatever is behind it (a folder, memory, later a remote).

An *object* is a run of bytes named by the SHA-256 of those bytes. Stores only ever gain objects;
removal belongs to garbage collection. Objects enter in batches: a batch becomes visible and durable
as a whole when its writer is closed, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import Protocol

from veml_vcs.ids import Buffer, ObjectId


class ObjectKind(IntEnum):
    """What an object is, so that fragments and trees can be listed without reading everything."""

    CHUNK = 0
    NODE = 1
    FRAGMENT = 2


class ObjectWriter(Protocol):
    """Takes the objects of one batch."""

    def put(
        self,
        data: Buffer,
        *,
        kind: ObjectKind = ObjectKind.CHUNK,
        compress: bool = False,
        base: ObjectId | None = None,
    ) -> ObjectId:
        """Add one object and return its id.

        Args:
            data: The bytes, hashed as given; ``compress`` changes only how they lie on disk.
            kind: What the object is.
            compress: Store deflated where that saves bytes. Never for chunks that are mapped.
            base: A stored object that this one resembles (the tree node it replaces); with
                ``compress``, only what differs need be stored. It has no part in the id.

        A known object (in the store, or put before in this batch) is not written again.
        """

    def get(self, object_id: ObjectId) -> bytes:
        """Return an object of this batch or of the store behind it."""


class ObjectReader(Protocol):
    """Gives objects by id, and need not be able to do anything else."""

    def get(self, object_id: ObjectId) -> bytes:
        """Return the bytes of an object, checked against its id.

        Raises:
            NotFoundError: It is not there.
            DamagedError: The bytes found do not hash to the id.
        """


class ObjectStore(Protocol):
    """A growing set of objects."""

    def write(self) -> AbstractContextManager[ObjectWriter]:
        """Open a batch. It is published when the block ends, dropped when it raises."""

    def get(self, object_id: ObjectId) -> bytes:
        """Return the bytes of an object, checked against its id.

        Raises:
            NotFoundError: The store does not have it.
            DamagedError: The bytes found do not hash to the id.
        """

    def view(self, object_id: ObjectId) -> memoryview:
        """Return the bytes of an object without copying and *without checking* where possible.

        For chunks whose parts are checked by their reader (a sample is checked against its own id).

        Raises:
            NotFoundError: The store does not have it.
            DamagedError: The pack that should hold it cannot be mapped or is cut short.
        """

    def __contains__(self, object_id: object) -> bool:
        """Tell whether the store has the object."""

    def size(self, object_id: ObjectId) -> int:
        """Return the object's length in bytes, decoded.

        Raises:
            NotFoundError: The store does not have it.
        """

    def ids(self, kind: ObjectKind | None = None) -> Iterator[ObjectId]:
        """List the objects, of one kind or all, in no particular order, each once."""

    def refresh(self) -> None:
        """Notice what other processes have published since the store was opened."""

    def close(self) -> None:
        """Release mapped files. The store must not be used afterwards."""
