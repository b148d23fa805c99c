"""The bytes of a pack: many objects in one file that is never changed after it got its name.

All integers are little-endian::

    header    8s  b"VEMLPACK"
              u32 version (1)
              4 bytes zero
    objects   one after the other; a raw one begins at a multiple of 8, after zeros, so that int64
              arrays in a mapped pack are aligned; one of another encoding follows without a gap
    zeros     up to a multiple of 8
    table     a row of 64 bytes for each object, sorted by id, each id once:
              32s id: SHA-256 of the object, decoded
              u8  kind (``ObjectKind``)
              u8  encoding (``Encoding``)
              6 bytes zero
              u64 offset in the file
              u64 stored length
              u64 decoded length
    trailer   u64 offset of the table
              u64 number of rows
              32s SHA-256 of header and table
              8s  b"VEMLTAIL"

The file is called ``<hex of the trailer's SHA-256>.pack``. Everything but the objects themselves is
thus checked by the name, and each object by its id.

An object lies there as it is (encoding 0), as a raw DEFLATE stream (1), or derived (2)::

    u8  depth: 1 if the base is not derived itself, else the base's depth plus 1; at most 8
    32s id of the base, an object of the same store
    raw DEFLATE stream, with the decoded base as its preset dictionary (RFC 1950's FDICT idea)
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from veml_vcs.errors import DamagedError
from veml_vcs.ids import Buffer, ObjectId, short
from veml_vcs.objects.open_file import OpenFile

VERSION = 1
ALIGNMENT_BYTES = 8
PACK_NAME = re.compile(r"[0-9a-f]{64}\.pack")

HEADER_BYTES = 16
MAX_DEPTH = 8
"""Most derived objects that reading one may have to decode."""

ROW = struct.Struct("<32sBB6xQQQ")
_DERIVED = struct.Struct("<B32s")
_HEADER = struct.Struct("<8sI4x")
_TRAILER = struct.Struct("<QQ32s8s")
_MAGIC = b"VEMLPACK"
_TAIL_MAGIC = b"VEMLTAIL"
_MAX_DEFLATE_RATIO = 1032  # the format's own limit, see zlib's technical notes


class Encoding(IntEnum):
    """How an object lies in a pack."""

    RAW = 0
    DEFLATE = 1
    DERIVED = 2
    """What differs from another object, see ``derive``."""


class PackRow(NamedTuple):
    """What a pack's table says about one object.

    Attributes:
        object_id: SHA-256 of the decoded bytes.
        kind: An ``ObjectKind``, or a number that a newer veml gave a meaning.
        encoding: An ``Encoding``, or a number that a newer veml gave a meaning.
        offset: Where the stored bytes begin in the file.
        stored_bytes: Their length.
        decoded_bytes: The object's length.
    """

    object_id: ObjectId
    kind: int
    encoding: int
    offset: int
    stored_bytes: int
    decoded_bytes: int


class PackTable(NamedTuple):
    """The checked table of one pack.

    Attributes:
        rows: 64 bytes for each object, sorted by id.
        offset: Where the table begins, and the objects end.
    """

    rows: bytes
    offset: int


def header() -> bytes:
    """Return the first 16 bytes of every pack of this version."""
    return _HEADER.pack(_MAGIC, VERSION)


def padding(offset: int) -> bytes:
    """Return the zeros between ``offset`` and the next aligned one."""
    return bytes(-offset % ALIGNMENT_BYTES)


def finish(rows: Iterable[PackRow], offset: int) -> tuple[str, bytes]:
    """Return a pack's file name, and the table and trailer that end it.

    Args:
        rows: One for each object, in any order.
        offset: Where the table will begin; aligned.
    """
    table = b"".join(sorted(ROW.pack(*row) for row in rows))
    checksum = hashlib.sha256(header() + table).digest()
    trailer = _TRAILER.pack(offset, len(table) // ROW.size, checksum, _TAIL_MAGIC)
    return f"{checksum.hex()}.pack", table + trailer


def read_table(file: OpenFile) -> PackTable:
    """Read and check header, trailer and table of a pack.

    Raises:
        DamagedError: The file is no pack, is cut short or altered, has a name that is not its own,
            or (kind ``newer-format``) was written by a newer veml.
        StorageError: The system says no.
    """
    size_bytes = file.size_bytes()
    end = size_bytes - _TRAILER.size
    if end < HEADER_BYTES:
        raise _damaged(
            file.path,
            f"{size_bytes} bytes, expected at least {HEADER_BYTES + _TRAILER.size}: cut short",
        )
    head = file.read_at(0, HEADER_BYTES)
    magic, version = _HEADER.unpack(head)
    if magic != _MAGIC:
        raise _damaged(file.path, f"begins with {magic!r}, expected {_MAGIC!r}")
    if version > VERSION and not _is_ours(file, end):
        raise DamagedError(
            f"pack {file.path} has version {version}, this veml reads {VERSION}: newer format",
            hint="install a newer veml",
            kind="newer-format",
        )
    if version != VERSION:
        raise _damaged(file.path, f"has version {version}, expected {VERSION}")
    offset, count, checksum, magic = _TRAILER.unpack(file.read_at(end, _TRAILER.size))
    if magic != _TAIL_MAGIC:
        raise _damaged(file.path, f"ends with {magic!r}, expected {_TAIL_MAGIC!r}: cut short?")
    if offset < HEADER_BYTES or offset + count * ROW.size != end:
        raise _damaged(
            file.path, f"a table of {count} rows at {offset} does not end at {end} as it should"
        )
    rows = file.read_at(offset, end - offset)
    found = hashlib.sha256(head + rows).digest()
    if found != checksum:
        raise _damaged(
            file.path, f"the table's SHA-256 is {short(found)}, expected {short(checksum)}"
        )
    if os.path.basename(file.path) != f"{checksum.hex()}.pack":
        raise _damaged(file.path, f"the content is that of {checksum.hex()}.pack")
    return PackTable(rows, offset)


def _is_ours(file: OpenFile, end: int) -> bool:
    """Tell whether a header was of our version, by its checksum: a flipped bit, no newer veml."""
    offset, count, checksum, _ = _TRAILER.unpack(file.read_at(end, _TRAILER.size))
    if offset < HEADER_BYTES or offset + count * ROW.size != end:
        return False
    return hashlib.sha256(header() + file.read_at(offset, end - offset)).digest() == bytes(checksum)


def salvage_rows(data: bytes) -> list[PackRow]:
    """Return what may be the rows of a pack that ``read_table`` refuses; none can be believed."""
    end = len(data) - _TRAILER.size
    if end < HEADER_BYTES:
        return []
    offset, count, _, _ = _TRAILER.unpack_from(data, end)
    if not HEADER_BYTES <= offset <= end or (end - offset) % ROW.size:
        offset = end - ROW.size * min(count, (end - HEADER_BYTES) // ROW.size)
    rows = [
        PackRow(ObjectId(bytes(one[0])), *one[1:])
        for one in ROW.iter_unpack(data[offset : end - (end - offset) % ROW.size])
    ]
    return [row for row in rows if row.offset + row.stored_bytes <= len(data)]


def deflate(data: Buffer) -> bytes:
    """Return ``data`` as a raw DEFLATE stream (RFC 1951)."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -_window_bits(len(data)))
    return compressor.compress(data) + compressor.flush()


def _window_bits(length_bytes: int) -> int:
    """Return the size of a window that is no larger than the data needs.

    It finds the same matches in half the time: for a tree node most of that would go into clearing
    the window.
    """
    return max(9, min(15, length_bytes.bit_length()))


def derive(data: Buffer, base_id: ObjectId, base: Buffer, base_depth: int) -> bytes | None:
    """Return ``data`` as what differs from ``base``, or None where the chain would get too long.

    Args:
        data: The object.
        base_id: Id of the object it resembles.
        base: That object, decoded; at most the last 32 KiB count.
        base_depth: 0 if it is not derived itself, else its depth.
    """
    if base_depth >= MAX_DEPTH:
        return None
    bits = _window_bits(len(base) + len(data))
    compressor = zlib.compressobj(9, zlib.DEFLATED, -bits, 8, zlib.Z_DEFAULT_STRATEGY, bytes(base))
    stream = compressor.compress(data) + compressor.flush()
    return bytes((base_depth + 1,)) + base_id + stream


def derivation(row: PackRow, stored: Buffer, path: str) -> tuple[int, ObjectId]:
    """Return depth and base of a derived object.

    Raises:
        DamagedError: There is no such thing at its place.
    """
    if len(stored) <= _DERIVED.size:
        raise damaged_object(row, path, f"{len(stored)} bytes are too few for a derived object")
    depth, base_id = _DERIVED.unpack_from(stored)
    if not 0 < depth <= MAX_DEPTH:
        raise damaged_object(row, path, f"depth {depth}, expected 1 to {MAX_DEPTH}")
    return depth, ObjectId(base_id)


def decode(row: PackRow, stored: Buffer, path: str, base: Buffer | None = None) -> Buffer:
    """Turn an object's stored bytes into the object, without checking its id.

    Args:
        row: What the table says about it.
        stored: The bytes at its place.
        path: The pack, for messages.
        base: Of a derived object, its base, decoded.

    Raises:
        DamagedError: The lengths contradict each other, the stream cannot be decoded, or (kind
            ``newer-format``) the encoding is unknown.
    """
    if row.encoding == Encoding.RAW:
        if row.stored_bytes != row.decoded_bytes:
            raise damaged_object(
                row, path, f"a raw object of {row.decoded_bytes} bytes lies in {row.stored_bytes}"
            )
        return stored
    if row.encoding == Encoding.DEFLATE:
        return _inflate(row, stored, path)
    if row.encoding == Encoding.DERIVED and base is not None:
        return _inflate(row, stored[_DERIVED.size :], path, base)
    raise DamagedError(
        f"object {row.object_id.hex()} in pack {path} at offset {row.offset} has encoding "
        f"{row.encoding}, this veml knows {', '.join(map(str, map(int, Encoding)))}: newer format",
        hint="install a newer veml",
        kind="newer-format",
    )


def check(row: PackRow, data: Buffer, path: str) -> None:
    """Compare an object with its id.

    Raises:
        DamagedError: They differ.
    """
    found = hashlib.sha256(data).digest()
    if found != row.object_id:
        raise damaged_object(row, path, f"its SHA-256 is {short(found)}")


def check_place(row: PackRow, end: int, path: str) -> None:
    """Check that an object lies between a pack's header and ``end``.

    Raises:
        DamagedError: It does not.
    """
    if row.offset < HEADER_BYTES or row.offset + row.stored_bytes > end:
        raise damaged_object(
            row, path, f"its {row.stored_bytes} bytes are outside of {HEADER_BYTES} to {end}"
        )


def damaged_object(row: PackRow, path: str, what: str) -> DamagedError:
    """Return the error for one damaged object; ``what`` completes the sentence."""
    error = DamagedError(
        f"object {row.object_id.hex()} in pack {path} at offset {row.offset} is damaged: {what}",
        hint="veml fsck lists all damage",
    )
    error.object_id = row.object_id
    return error


def _damaged(path: str, what: str) -> DamagedError:
    return DamagedError(f"pack {path} is damaged: {what}", hint="veml fsck lists all damage")


def _inflate(row: PackRow, stored: Buffer, path: str, base: Buffer = b"") -> bytes:
    if row.decoded_bytes > row.stored_bytes * _MAX_DEFLATE_RATIO:
        raise damaged_object(row, path, f"{row.stored_bytes} bytes cannot hold {row.decoded_bytes}")
    stream = zlib.decompressobj(-15, bytes(base)) if len(base) else zlib.decompressobj(-15)
    try:
        # One byte more than expected: a longer stream shows, and a right one reaches its end.
        data = stream.decompress(stored, row.decoded_bytes + 1)
    except zlib.error as error:
        raise damaged_object(row, path, f"it cannot be inflated: {error}") from error
    if len(data) != row.decoded_bytes or not stream.eof or stream.unused_data:
        raise damaged_object(
            row, path, f"it inflates to {len(data)} bytes, expected {row.decoded_bytes}"
        )
    return data
