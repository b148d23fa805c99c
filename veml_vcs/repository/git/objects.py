"""Git's objects, written so that they survive a power cut: dulwich's store with one other way in.

The objects of one command are collected (``batch``) and written together, each exactly once, with
everything synced before anything refers to them. Up to three go out as loose objects, more as one
pack: a file and a folder to sync for each of many trees would cost a second.

Reading is dulwich's own; it checks every object against its id.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO

from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    FileFormatException,
    ObjectFormatException,
)
from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID, RawObjectID, ShaFile, sha_to_hex
from dulwich.pack import write_pack_index, write_pack_objects

from veml_vcs.errors import DamagedError, NotFoundError, StorageError
from veml_vcs.objects.files import Files
from veml_vcs.repository.git.odd_objects import inflated, is_odd, read_odd

MAX_LOOSE = 3
"""So many objects of a batch are written loose: with a ref, nine fsyncs at most."""

_MODE = 0o444
_DAMAGE = (
    ApplyDeltaError,
    AssertionError,
    ChecksumMismatch,
    EOFError,
    FileFormatException,  # an empty file, what a power cut leaves
    IndexError,
    UnicodeDecodeError,
    ValueError,
    struct.error,
    zlib.error,
)
_UNREAD = (ObjectFormatException, ValueError)
"""What dulwich raises of an object that it cannot read, be it damaged or odd."""


class GitObjects(DiskObjectStore):
    """Git's object store on disk. ``files`` is set by whoever opens it."""

    files: Files
    _pending: dict[ObjectID, ShaFile] | None = None

    def add_object(self, obj: ShaFile) -> None:
        """Store an object, or note it for the batch under way.

        Raises:
            StorageError: The system says no.
        """
        if self._pending is None:
            self._store([obj])
        else:
            self._pending[ObjectID(obj.get_id(self.object_format))] = obj

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Collect what is added in the block, and store it at its end; nothing if it raises.

        Inside another batch it does nothing: the outer one stores. Collected objects can be read.
        A ref that is set inside has them stored first (``flush``).
        """
        if self._pending is not None:
            yield
            return
        self._pending = {}
        try:
            yield
            self.flush()
        finally:
            self._pending = None

    def flush(self) -> None:
        """Store what was collected so far.

        Raises:
            StorageError: The system says no.
        """
        if self._pending:
            pending, self._pending = list(self._pending.values()), {}
            self._store(pending)

    def contains_loose(self, sha: ObjectID) -> bool:
        """Tell whether a loose object is there, without reading it: it may be damaged."""
        return os.path.exists(self._get_shafile_path(sha))

    def get_raw(self, name: ObjectID | RawObjectID) -> tuple[int, bytes]:
        """Return type and content of an object, collected ones included."""
        if self._pending:
            short = len(name) == self.object_format.oid_length
            found = self._pending.get(sha_to_hex(RawObjectID(name)) if short else ObjectID(name))
            if found is not None:
                return found.type_num, found.as_raw_string()
        return super().get_raw(name)

    def __getitem__(self, sha1: ObjectID | RawObjectID) -> ShaFile:
        """Return an object, checked against its id.

        Raises:
            KeyError: Git does not have it.
            DamagedError: What is stored is not it.
        """
        try:
            found = super().__getitem__(sha1)
            return self._odd(found.id) if is_odd(found) else found
        except _DAMAGE as error:
            name = sha1 if len(sha1) == self.object_format.hex_length else sha1.hex().encode()
            if isinstance(error, _UNREAD):
                with suppress(*_DAMAGE, KeyError, OSError):  # then it is damage after all
                    return self._odd(ObjectID(name))
            raise DamagedError(
                f"Git's object {name.decode()} is damaged: {error or type(error).__name__}",
                hint="git fsck names what is damaged; fetch the object from a clone that has it",
                kind="git-damaged",
            ) from error

    def _odd(self, name: ObjectID) -> ShaFile:
        """Return a commit or a tag that dulwich reads otherwise than Git, or not at all."""
        try:
            kind, data = super().get_raw(name)
        except _UNREAD:  # dulwich has no way to a loose object's bytes
            kind, data = inflated(self._loose_bytes(name))
        return read_odd(kind, data, name)

    def _loose_bytes(self, name: ObjectID) -> bytes:
        """Return the file of a loose object, as it is."""
        for store in (self, *self.alternates):
            if isinstance(store, DiskObjectStore):
                with suppress(NotFoundError):
                    return self.files.read(store._get_shafile_path(name))
        raise KeyError(name)

    def _read_alternate_paths(self) -> Iterator[str]:
        """Yield the folders of alternates; an empty line, and this folder itself, are passed over.

        Git does so; dulwich would look for what is not there without end.
        """
        own = os.path.realpath(self.path)
        for path in super()._read_alternate_paths():
            if os.path.realpath(path) != own:
                yield path

    def get_commit_graph(self) -> None:
        """Return nothing: dulwich believes that file unseen, and reads all of it at once.

        The commits themselves are checked, and read anyway wherever parents are asked for.
        """

    def _store(self, objects: Sequence[ShaFile]) -> None:
        new = [
            obj for obj in objects if not self._freshen(ObjectID(obj.get_id(self.object_format)))
        ]
        if len(new) > MAX_LOOSE:
            self._store_pack(new)
        elif new:
            self._store_loose(new)

    def _freshen(self, name: ObjectID) -> bool:
        """Tell whether Git has an object, and make it young, so that no ``git gc`` takes it away.

        An empty file, which a power cut may leave, is no object.
        """
        path = self._get_shafile_path(name)
        try:
            if os.path.getsize(path):
                self.files.touch(path)
                return True
        except (FileNotFoundError, NotFoundError):
            pass  # not loose
        except StorageError:
            pass  # not ours to touch: written again, as Git does
        return self.contains_packed(name)

    def _store_loose(self, objects: Sequence[ShaFile]) -> None:
        top = os.fspath(self.path)
        touched = {}
        for obj in objects:
            path = self._get_shafile_path(ObjectID(obj.get_id(self.object_format)))
            folder = os.path.dirname(path)
            if folder not in touched and not os.path.isdir(folder):
                self.files.make_folder(folder, durable=False)
                touched[top] = True
            touched[folder] = True
            data = obj.as_legacy_object(compression_level=self.loose_compression_level)
            self.files.write_atomic(path, data, mode=_MODE, sync_folder=False)
        for folder in sorted(touched, reverse=True):
            self.files.fsync_folder(folder)

    def _store_pack(self, objects: Sequence[ShaFile]) -> None:
        data, index = BytesIO(), BytesIO()
        entries, checksum = write_pack_objects(
            data, [(obj, None) for obj in objects], self.object_format, deltify=False
        )
        rows = sorted((name, offset, crc) for name, (offset, crc) in entries.items())
        write_pack_index(index, iter(rows), checksum, version=self.pack_index_version)
        folder = os.fspath(self.pack_dir)
        self.files.make_folder(folder)
        base = os.path.join(folder, f"pack-{checksum.hex()}")
        # The index last: a pack without one is not there for any reader.
        for suffix, content in ((".pack", data), (".idx", index)):
            self.files.write_atomic(
                base + suffix, content.getvalue(), mode=_MODE, sync_folder=False
            )
        self.files.fsync_folder(folder)
