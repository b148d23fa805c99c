"""Bytes of samples and of other files, by their SHA-256: fragments of kind ``content``.

Two layouts. ``raw``: one flat ``payload`` that is mapped and sliced (images: already compressed).
``text``: the same, in zstd chunks of 1 MiB (annotation files and whatever else shrinks).
``offsets`` (int64 [rows + 1]) cuts the payload into rows in both.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import FragmentId, SampleId, digest, short
from veml_vcs.objects.protocol import ObjectWriter
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.fragment import Fragment, FragmentBuilder
from veml_vcs.samples.fragments.zstd import import_codec

KIND = "content"
FRAGMENT_BYTES = 64 << 20
RAW_CHUNK_BYTES = 8 << 20
TEXT_CHUNK_BYTES = 1 << 20
LARGE_TEXT_BYTES = 2 * TEXT_CHUNK_BYTES
"""A text of at least this size has a fragment of its own."""

_COMPRESSED_SUFFIXES = frozenset(
    [
        "jpg",
        "jpeg",
        "png",
        "webp",
        "gif",
        "jp2",
        "tif",
        "tiff",
        "mp4",
        "avi",
        "mov",
        "mkv",
        "zip",
        "gz",
        "bz2",
        "xz",
        "zst",
        "7z",
        "npz",
        "parquet",
        "pdf",
    ]
)
_TRIAL_BYTES = 16 << 10


def shrinks(name: str, data: bytes | memoryview) -> bool:
    """Tell whether a file is worth compressing, by its name or else by a trial."""
    if name.rsplit(".", 1)[-1].lower() in _COMPRESSED_SUFFIXES:
        return False
    head = bytes(data[:_TRIAL_BYTES])
    return len(head) > 0 and len(zlib.compress(head, 1)) < 0.9 * len(head)


class ContentWriter:
    """Adds contents that the store does not have yet, in the order given.

    Args:
        catalog: Knows what is stored.
        writer: The batch that the fragments go into.
    """

    def __init__(self, catalog: Catalog, writer: ObjectWriter) -> None:
        catalog.refresh()  # what was collected since is not known any more
        import_codec()  # a fragment needs it, and importing it beside reading threads costs more
        self._catalog = catalog
        self._writer = writer
        self._pending = {False: _Pending(), True: _Pending()}
        self._seen: set[bytes] = set()
        self.new_bytes = 0

    def add(self, content_id: SampleId, data: bytes, name: str) -> bool:
        """Add one content; return False if it was known.

        Args:
            content_id: SHA-256 of ``data``.
            data: The bytes.
            name: The file's name, which tells whether to try compression.
        """
        if content_id in self._seen or self._catalog.find(content_id, KIND) is not None:
            return False
        self.take(content_id, data, text=shrinks(name, data))
        return True

    def take(self, content_id: SampleId, data: bytes, *, text: bool) -> None:
        """Add one content whether it is stored or not, as a rewrite does; twice is once.

        Args:
            content_id: SHA-256 of ``data``.
            data: The bytes.
            text: Whether to compress it.
        """
        if content_id in self._seen:
            return
        self._seen.add(content_id)
        pending = self._pending[text]
        # A large text has a fragment of its own and chunks of one length: when it has grown at its
        # end (a series, a log), it is cut into the same chunks, and these are stored already.
        large = text and len(data) >= LARGE_TEXT_BYTES
        if pending.total and (large or pending.total + len(data) > FRAGMENT_BYTES):
            self._flush(text)
            pending = self._pending[text]
        pending.append(content_id, data)
        self.new_bytes += len(data)
        if large:
            self._flush(text)

    def finish(self) -> None:
        """Write what is still pending."""
        for text in (False, True):
            if self._pending[text].ids:
                self._flush(text)

    def _flush(self, text: bool) -> FragmentId:
        pending = self._pending[text]
        layout = "text" if text else "raw"
        builder = FragmentBuilder(self._writer, KIND, {"layout": layout})
        chunk_bytes = TEXT_CHUNK_BYTES if text else RAW_CHUNK_BYTES
        ids, ends = pending.ids, pending.ends
        alone = text and len(ids) == 1 and pending.total >= LARGE_TEXT_BYTES
        with pending.payload() as payload:
            builder.add_bytes("payload", payload, chunk_bytes=chunk_bytes, zstd=text, fixed=alone)
        pending.clear()
        builder.add_array("offsets", np.array([0, *ends], np.int64), zstd=True)
        return builder.finish(ids)


class _Pending:
    """Rows of a fragment that is not written yet.

    They are gathered in one piece of memory that serves for the next fragment too: new memory for
    each would cost more than the copying.
    """

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.ends: list[int] = []
        self.total = 0
        self._buffer = bytearray()

    def append(self, content_id: bytes, data: bytes) -> None:
        end = self.total + len(data)
        self._buffer[self.total : end] = data
        self.ids.append(content_id)
        self.ends.append(end)
        self.total = end

    def payload(self) -> memoryview:
        """Return what was gathered; release it before anything else is gathered."""
        return memoryview(self._buffer)[: self.total]

    def clear(self) -> None:
        self.ids, self.ends, self.total = [], [], 0
        if len(self._buffer) > 2 * FRAGMENT_BYTES:
            self._buffer = bytearray()  # a very large file must not keep its memory


class ContentReader:
    """Reads contents by id; every read is checked against the id.

    Args:
        catalog: Knows where contents lie.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._payloads: dict[FragmentId, _Payload] = {}

    def read(self, content_id: SampleId) -> bytes:
        """Return the bytes with this SHA-256.

        Raises:
            NotFoundError: The store does not have them.
            DamagedError: What is stored does not hash to the id.
        """
        return self.catalog.retrying(self._read, content_id)

    def _read(self, content_id: SampleId) -> bytes:
        return self.read_row(*self.catalog.locate(content_id, KIND), content_id)

    def read_row(self, fragment: Fragment, row: int, content_id: SampleId) -> bytes:
        """Return the bytes of a row whose place is already known, checked against its id."""
        payload = self._payloads.get(fragment.id)
        if payload is None or payload.fragment is not fragment:
            # Opened anew under its id: it was mended, and what was mapped is the damaged pack.
            payload = self._payloads[fragment.id] = _Payload(fragment)
        data = payload.row(row)
        if digest(data) != content_id:
            raise DamagedError(
                f"sample {short(content_id)} is damaged: fragment {short(fragment.id)}, row {row} "
                f"hashes to {short(digest(data))}",
                hint="veml fsck lists all that is damaged",
            )
        return data


def salvage(fragment: Fragment) -> Iterator[bytes]:
    """List the rows of a damaged fragment that can be read at all, unchecked.

    Whoever takes them compares their hash with an id.
    """
    try:
        payload = _Payload(fragment)
    except (DamagedError, NotFoundError):
        return
    for row in range(fragment.rows):
        try:
            yield payload.row(row)
        except (DamagedError, NotFoundError):
            continue


class _Payload:
    """The payload and offsets of one opened fragment."""

    def __init__(self, fragment: Fragment) -> None:
        self.fragment = fragment
        self._info = fragment.info("payload")
        offsets = fragment.array("offsets", "int64")
        if (
            self._info.dtype != "uint8"
            or len(self._info.shape) != 1
            or offsets.shape != (fragment.rows + 1,)
            or offsets[0] != 0
            or (offsets[1:] < offsets[:-1]).any()
            or offsets[-1] != self._info.shape[0]
        ):
            raise DamagedError(f"fragment {short(fragment.id)}: offsets do not fit the payload")
        # A number of Python's out of an array of Python's: a tenth of what numpy takes for one.
        self._offsets = array("q", offsets.astype(np.int64).tobytes())
        self._chunk_bytes = self._info.chunk_bytes
        self._mapped: dict[int, memoryview] = {}
        self._decoded = lru_cache(maxsize=8)(self._decode)

    def row(self, row: int) -> bytes:
        start, end = self._offsets[row], self._offsets[row + 1]
        length = self._chunk_bytes
        first, last = start // length, max(start, end - 1) // length
        if start == end:
            return b""
        if first == last:
            return bytes(self._chunk(first)[start - first * length : end - first * length])
        parts = []
        for number in range(first, last + 1):
            at = number * length
            parts.append(self._chunk(number)[max(start, at) - at : min(end, at + length) - at])
        return b"".join(parts)

    def _chunk(self, number: int) -> memoryview:
        if self._info.zstd:
            return memoryview(self._decoded(number))
        view = self._mapped.get(number)
        if view is None:
            view = self._mapped[number] = self.fragment.map_chunk("payload", self._info, number)
        return view

    def _decode(self, number: int) -> bytes | memoryview:
        return self.fragment.chunk("payload", self._info, number)
