"""A Zarr v3 store over an object store: any Zarr reader opens a fragment with it.

A manifest maps Zarr keys to objects. Metadata (``zarr.json``) is kept inline in the manifest,
everything else becomes an object. The only module that imports zarr, because that takes a third of
a second.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype

from veml_vcs.errors import DamagedError, InvalidInputError, NotFoundError
from veml_vcs.ids import ObjectId
from veml_vcs.objects.manifest import Manifest, ManifestValue, key_fault
from veml_vcs.objects.protocol import ObjectStore, ObjectWriter

_METADATA_NAME = "zarr.json"


class ZarrStore(Store):
    """The keys of one manifest, as a Zarr store.

    Args:
        objects: Where the chunks are.
        manifest: What there is to begin with; it is copied.
        writer: A batch that takes all new chunks. Without one each chunk is a batch of its own,
            which costs two fsyncs.
        read_only: Refuse to write.
    """

    supports_writes: bool = True
    supports_deletes: bool = True
    supports_listing: bool = True

    def __init__(
        self,
        objects: ObjectStore,
        manifest: Mapping[str, ManifestValue] | None = None,
        *,
        writer: ObjectWriter | None = None,
        read_only: bool = False,
    ) -> None:
        super().__init__(read_only=read_only)
        self._objects = objects
        self._writer = writer
        self._entries: Manifest = dict(manifest or {})

    def manifest(self) -> Manifest:
        """Return a copy of the manifest as it is now; its objects are stored."""
        return dict(self._entries)

    def with_read_only(self, read_only: bool = False) -> ZarrStore:
        """Return a store over the same, shared manifest."""
        other = type(self)(self._objects, writer=self._writer, read_only=read_only)
        other._entries = self._entries
        return other

    def __repr__(self) -> str:
        return f"ZarrStore({self._objects!r}, {len(self._entries)} keys)"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ZarrStore)
            and self._objects == other._objects
            and self._entries == other._entries
            and self.read_only == other.read_only
        )

    __hash__ = None  # type: ignore[assignment]

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return a value or a part of it, None if the key is unknown.

        The whole object is checked against its id, even if only a part is asked for.

        Raises:
            DamagedError: The object is damaged, missing, or not as long as the manifest says. Never
                None: Zarr would take that for a chunk of fill values.
            ValueError: ``byte_range`` is no byte range.
        """
        self._is_open = True
        value = self._entries.get(key)
        if value is None:
            return None
        data = value if isinstance(value, bytes) else self._read(key, *value)
        if byte_range is not None:
            data = data[_span(byte_range, len(data))]
        return (prototype or default_buffer_prototype()).buffer.from_bytes(data)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Store a value.

        Raises:
            ValueError: The store is read only, or the key is no Zarr key.
            StorageError: The system says no.
        """
        self._check_writable()
        self._is_open = True
        if not isinstance(value, Buffer):
            raise TypeError(f"cannot store {type(value).__name__} under {key!r}, expected a Buffer")
        fault = key_fault(key)
        if fault:
            raise InvalidInputError(f"cannot store a value: key {key!r} {fault}")
        data = value.to_bytes()
        self._entries[key] = data if _is_metadata(key, data) else self._put(data)

    def delete_sync(self, key: str) -> None:
        """Forget a key; its object stays until garbage collection.

        Raises:
            ValueError: The store is read only.
        """
        self._check_writable()
        self._is_open = True
        self._entries.pop(key, None)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return a value or a part of it, None if the key is unknown; see ``get_sync``."""
        return self.get_sync(key, prototype=prototype, byte_range=byte_range)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Return parts of several values, in the order asked for."""
        return [
            self.get_sync(key, prototype=prototype, byte_range=byte_range)
            for key, byte_range in key_ranges
        ]

    async def exists(self, key: str) -> bool:
        """Tell whether the key is known."""
        return key in self._entries

    async def set(self, key: str, value: Buffer) -> None:
        """Store a value; see ``set_sync``."""
        self.set_sync(key, value)

    async def delete(self, key: str) -> None:
        """Forget a key; see ``delete_sync``."""
        self.delete_sync(key)

    async def getsize(self, key: str) -> int:
        """Return a value's length in bytes, without reading it.

        Raises:
            FileNotFoundError: The key is unknown.
        """
        value = self._entries.get(key)
        if value is None:
            raise FileNotFoundError(key)
        return len(value) if isinstance(value, bytes) else value[1]

    async def list(self) -> AsyncIterator[str]:
        """List all keys."""
        for key in tuple(self._entries):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """List the keys that begin with ``prefix``."""
        for key in tuple(self._entries):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """List the names, of keys and of folders, right below ``prefix``, each once."""
        folder = prefix.rstrip("/") + "/" if prefix.rstrip("/") else ""
        names = (
            key[len(folder) :].split("/", 1)[0] for key in self._entries if key.startswith(folder)
        )
        for name in dict.fromkeys(names):
            yield name

    def _read(self, key: str, object_id: ObjectId, length_bytes: int) -> bytes:
        try:
            data = (self._writer or self._objects).get(object_id)
        except NotFoundError as error:
            raise DamagedError(f"the object behind {key!r} is missing: {error}") from error
        if len(data) != length_bytes:
            raise DamagedError(
                f"the object behind {key!r}, {object_id.hex()}, has {len(data)} bytes, the "
                f"manifest says {length_bytes}"
            )
        return data

    def _put(self, data: bytes) -> tuple[ObjectId, int]:
        if self._writer is not None:
            return self._writer.put(data), len(data)
        with self._objects.write() as batch:
            return batch.put(data), len(data)


def _is_metadata(key: str, data: bytes) -> bool:
    """Tell whether a value is metadata; only text can be kept inline."""
    if key.rpartition("/")[2] != _METADATA_NAME:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _span(byte_range: ByteRequest, length: int) -> slice:
    if isinstance(byte_range, RangeByteRequest):
        return slice(byte_range.start, byte_range.end)
    if isinstance(byte_range, OffsetByteRequest):
        return slice(byte_range.offset, None)
    if isinstance(byte_range, SuffixByteRequest):
        return slice(max(0, length - byte_range.suffix), None)
    raise ValueError(f"Unexpected byte_range, got {byte_range}.")
