"""The object store in a folder: packs, and an index derived from them.

    packs/<sha256>.pack   see ``pack.py``; only ever added
    cache/objects         see ``index.py``; may be deleted at any time

Nothing is read, made or opened before it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.files import Files, StrPath
from veml_vcs.objects.pack import (
    MAX_DEPTH,
    Encoding,
    PackRow,
    check,
    damaged_object,
    decode,
    derivation,
)
from veml_vcs.objects.pack_folder import PackFolder
from veml_vcs.objects.pack_writer import PackWriter
from veml_vcs.objects.protocol import ObjectKind, ObjectWriter
from veml_vcs.objects.verify import Problem, verify_pack

PACK_BYTES = 1 << 30  # 1 GiB

_T = TypeVar("_T")


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
        writer = PackWriter(self, self._packs, self._files, self._pack_bytes)
        try:
            yield writer
            writer.publish()
        except BaseException:
            writer.discard()
            raise

    def get(self, object_id: ObjectId) -> bytes:
        """Return the bytes of an object, checked against its id.

        Raises:
            NotFoundError: The store does not have it.
            DamagedError: The bytes found do not hash to the id, in no pack that has it.
            StorageError: The system says no.
        """
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

    def ids(self, kind: ObjectKind | None = None) -> Iterator[ObjectId]:
        """List the objects, of one kind or all, in no particular order, each once."""
        return self._packs.ids(kind)

    def refresh(self) -> None:
        """Notice what other processes have published since the store was opened.

        Raises:
            StorageError: The system says no.
        """
        self._packs.refresh()

    def verify(self) -> Iterator[Problem]:
        """Re-hash everything and list what is wrong, pack by pack in order of their names."""
        for pack in self._packs.names():
            yield from verify_pack(self._packs.path_of(pack), self._files, self.get)

    def close(self) -> None:
        """Let go of mapped files; a map stays as long as a view of it does."""
        self._packs.close()

    def _read(self, object_id: ObjectId, read: Callable[[str, PackRow], _T]) -> _T:
        """Read from the first place that is sound."""
        damage: DamagedError | None = None
        for _ in range(2):
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
            try:
                base = self._read(base_id, lambda pack, row: self._checked(pack, row, depth))
            except NotFoundError as error:
                raise damaged_object(row, path, f"its base {base_id.hex()} is missing") from error
        data = decode(row, stored, path, base)
        check(row, data, path)
        return bytes(data)

    def _viewed(self, pack: str, row: PackRow) -> memoryview:
        if row.encoding != Encoding.RAW:
            return memoryview(self._checked(pack, row))
        stored = self._packs.stored(pack, row)
        return memoryview(decode(row, stored, self._packs.path_of(pack)))


def _reopen(folder: str, pack_bytes: int) -> LocalObjectStore:
    return LocalObjectStore(folder, pack_bytes=pack_bytes)
