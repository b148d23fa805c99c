"""A fragment: rows written together and never changed, one Zarr v3 group.

Every fragment has an array ``id`` (uint8 [rows, 32]) that names its rows, and a group attribute
``veml`` that tells its kind. What else it holds depends on the kind; see the modules beside this.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import DIGEST_BYTES, Buffer, FragmentId, ObjectId, short
from veml_vcs.objects.manifest import Manifest, decode_manifest, encode_manifest
from veml_vcs.objects.protocol import ObjectKind, ObjectStore, ObjectWriter
from veml_vcs.samples.fragments.zarr_meta import (
    DTYPES,
    ArrayInfo,
    array_metadata,
    group_metadata,
    parse_array,
    parse_group,
)
from veml_vcs.samples.fragments.zstd import compress, decompress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAGMENT_VERSION = 1


class FragmentBuilder:
    """Collects the arrays of one new fragment.

    Args:
        writer: Takes the chunks and, at the end, the manifest.
        kind: ``content``, ``annotations`` or ``vectors``.
        attributes: What else the reader needs, JSON values.
    """

    def __init__(self, writer: ObjectWriter, kind: str, attributes: dict[str, Any]) -> None:
        self._writer = writer
        self._manifest: Manifest = {}
        self._attributes = {"kind": kind, "version": FRAGMENT_VERSION, **attributes}

    def set_attribute(self, name: str, value: Any) -> None:
        """Add to the fragment's attributes."""
        self._attributes[name] = value

    def add_array(self, name: str, values: NDArray[Any], *, zstd: bool = False) -> None:
        """Store an array as one chunk.

        Args:
            name: Zarr path within the group.
            values: Any shape, one of the data types of ``zarr_meta.DTYPES``.
            zstd: Compress the chunk.
        """
        chunk_shape = tuple(max(1, n) for n in values.shape)
        info = ArrayInfo(values.shape, values.dtype.name, chunk_shape, zstd)
        self._manifest[f"{name}/zarr.json"] = array_metadata(info).encode()
        if info.chunk_count:
            data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
            self._put_chunk(f"{name}/c/" + "/".join("0" * values.ndim), data, zstd)

    def add_bytes(
        self, name: str, data: Buffer, *, chunk_bytes: int, zstd: bool, fixed: bool = False
    ) -> None:
        """Store bytes as a one-dimensional uint8 array of several chunks.

        Chunks have one length, as Zarr wants; the last one is filled up with fewer zeros than there
        are chunks, because the length is chosen to fit. With ``fixed`` it is ``chunk_bytes``, so
        that two arrays that begin alike share chunks, and the last one is filled up (where zeros
        cost nothing: ``zstd``).
        """
        count = max(1, -(-len(data) // chunk_bytes))
        length = chunk_bytes if fixed else max(1, -(-len(data) // count))
        info = ArrayInfo((len(data),), "uint8", (length,), zstd)
        self._manifest[f"{name}/zarr.json"] = array_metadata(info).encode()
        view = memoryview(data)
        for i in range(info.chunk_count):
            part: bytes | memoryview = view[i * length : (i + 1) * length]
            if len(part) < length:
                part = bytes(part) + bytes(length - len(part))
            self._put_chunk(f"{name}/c/{i}", part, zstd)

    def finish(self, ids: list[bytes]) -> FragmentId:
        """Name the rows, write the manifest and return the fragment's id."""
        import numpy as np

        rows = np.frombuffer(b"".join(ids), np.uint8).reshape(len(ids), DIGEST_BYTES)
        self.add_array("id", rows)
        self._attributes["rows"] = len(ids)
        self._manifest["zarr.json"] = group_metadata({"veml": self._attributes}).encode()
        data = encode_manifest(self._manifest)
        return FragmentId(self._writer.put(data, kind=ObjectKind.FRAGMENT, compress=True))

    def _put_chunk(self, key: str, data: bytes | memoryview, zstd: bool) -> None:
        stored = compress(data) if zstd else data
        self._manifest[key] = (self._writer.put(stored), len(stored))


class Fragment:
    """A stored fragment.

    Args:
        store: Holds the manifest and the chunks.
        fragment_id: The manifest's id.

    Raises:
        DamagedError: The manifest is not that of a fragment this version of veml can read.
    """

    def __init__(self, store: ObjectStore, fragment_id: FragmentId) -> None:
        self.store = store
        self.id = fragment_id
        self._manifest = decode_manifest(store.get(ObjectId(fragment_id)))
        attributes = parse_group(self._inline("zarr.json")).get("veml")
        if not isinstance(attributes, dict):
            raise DamagedError(f"fragment {short(fragment_id)} lacks the attribute 'veml'")
        if attributes.get("version") != FRAGMENT_VERSION:
            raise DamagedError(
                f"fragment {short(fragment_id)} has version {attributes.get('version')!r:.40}, "
                f"this veml reads {FRAGMENT_VERSION}",
                hint="install a newer veml",
                kind="newer-format",
            )
        if type(attributes.get("rows")) is not int or attributes["rows"] < 0:
            raise DamagedError(
                f"fragment {short(fragment_id)}: rows: expected a count, found "
                f"{attributes.get('rows')!r:.80}"
            )
        self.attributes: dict[str, Any] = attributes
        self.rows: int = attributes["rows"]
        self.kind = str(attributes.get("kind"))
        self.space = str(attributes.get("space", ""))

    @cached_property
    def ids(self) -> NDArray[np.uint8]:
        """The rows' ids, uint8 [rows, 32]."""
        ids = self.array("id", "uint8")
        if ids.shape != (self.rows, DIGEST_BYTES):
            raise DamagedError(f"fragment {short(self.id)}: ids of shape {ids.shape}")
        return ids

    @cached_property
    def _flat_ids(self) -> bytes:
        return self.ids.tobytes()

    def id_at(self, row: int) -> bytes:
        """Return the id of one row."""
        return self._flat_ids[row * DIGEST_BYTES : (row + 1) * DIGEST_BYTES]

    def manifest(self) -> Manifest:
        """Return a copy of the manifest: Zarr key -> metadata or chunk."""
        return dict(self._manifest)

    def chunk_ids(self) -> set[ObjectId]:
        """Return the objects that the fragment's chunks are."""
        return {value[0] for value in self._manifest.values() if isinstance(value, tuple)}

    def info(self, name: str) -> ArrayInfo:
        """Return what an array looks like."""
        return parse_array(self._inline(f"{name}/zarr.json"))

    def array(self, name: str, *dtypes: str) -> NDArray[Any]:
        """Return a one-chunk array, checked.

        Args:
            name: Zarr path within the group.
            dtypes: The data types it may have; none means any.

        Raises:
            NotFoundError: The fragment has no such array.
            DamagedError: Its bytes are not what they should be.
        """
        import numpy as np

        info = self.info(name)
        if dtypes and info.dtype not in dtypes:
            raise DamagedError(
                f"fragment {short(self.id)}: array {name!r} is {info.dtype}, expected "
                f"{' or '.join(dtypes)}"
            )
        dtype = np.dtype(info.dtype).newbyteorder("<")
        if not info.chunk_count:
            return np.empty(info.shape, dtype)
        if info.chunk_count != 1:
            raise DamagedError(f"fragment {short(self.id)}: array {name!r} should be one chunk")
        data = self.chunk(name, info, 0, "/".join("0" * len(info.shape)))
        return np.frombuffer(data, dtype).reshape(info.chunk_shape)[: info.shape[0]]

    def chunk(
        self, name: str, info: ArrayInfo, number: int, key: str | None = None
    ) -> bytes | memoryview:
        """Return one chunk, decoded and checked against its id.

        Raises:
            DamagedError: The chunk is missing from the manifest, damaged, or of the wrong length.
        """
        data: bytes | memoryview = self.store.get(self._chunk_id(name, number, key))
        if info.zstd:
            data = decompress(data, info.chunk_bytes, f"fragment {short(self.id)}, {name}")
        return self._of_length(data, name, info)

    def map_chunk(self, name: str, info: ArrayInfo, number: int) -> memoryview:
        """Return one uncompressed chunk without copying and without checking it."""
        return memoryview(
            self._of_length(self.store.view(self._chunk_id(name, number, None)), name, info)
        )

    def _chunk_id(self, name: str, number: int, key: str | None) -> ObjectId:
        value = self._manifest.get(f"{name}/c/{number if key is None else key}")
        if not isinstance(value, tuple):
            raise DamagedError(f"fragment {short(self.id)}: chunk {number} of {name!r} is missing")
        return value[0]

    def _of_length(
        self, data: bytes | memoryview, name: str, info: ArrayInfo
    ) -> bytes | memoryview:
        if len(data) != info.chunk_bytes:
            raise DamagedError(
                f"fragment {short(self.id)}: a chunk of {name!r} has {len(data)} bytes, "
                f"expected {info.chunk_bytes}"
            )
        return data

    def _inline(self, key: str) -> str:
        value = self._manifest.get(key)
        if not isinstance(value, bytes):
            raise NotFoundError(f"fragment {short(self.id)} has no {key!r}")
        return value.decode("utf-8", "replace")


__all__ = ["DTYPES", "Fragment", "FragmentBuilder"]
