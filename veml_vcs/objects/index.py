"""Where each object lies: the tables of many packs as one sorted table that is searched in place.

The index is derived from the packs. It is built in memory, or mapped from a cache file, and works
without numpy, because commands that only look at history must start fast. The cache file, in the
byte order of the machine that wrote it::

    8s  b"VEMLIDX1"
    u64 number of packs
    u64 number of rows
    u32 CRC-32 of all that follows, 4 bytes zero
    32 bytes for each pack: its name
    64 bytes for each row, as in a pack, with the pack's number (u48, little-endian) in place of the
        six zero bytes; sorted; an object that is in several packs has several rows

A CRC is enough here: it guards against a power cut, not against an enemy, and what the rows lead to
is checked by its id.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Self

from veml_vcs.ids import DIGEST_BYTES, Buffer, ObjectId
from veml_vcs.objects.pack import ROW, PackRow

_HEADER = struct.Struct("=8sQQI4x")
_MAGIC = b"VEMLIDX1"
_KIND_AT = 32
_NUMBER_AT = 34
_NUMBER_BYTES = 6
_HEAD_BYTES = 8


class Index:
    """An immutable, sorted table of the objects of some packs.

    Args:
        packs: File names of the packs; a row names its pack by the place in this list.
        rows: 64 bytes for each row, sorted.
    """

    def __init__(self, packs: tuple[str, ...] = (), rows: Buffer = b"") -> None:
        self.packs = packs
        self._rows = memoryview(rows)
        # The first eight bytes of each id, as numbers: bisect compares them without calling Python.
        heads = array("Q")
        if self._rows:
            heads.frombytes(self._rows.cast("Q")[:: ROW.size // _HEAD_BYTES].tobytes())
            if sys.byteorder == "little":
                heads.byteswap()
        self._heads = heads
        self._kinds: bytes | None = None

    def __len__(self) -> int:
        return len(self._heads)

    def find(self, object_id: bytes) -> int:
        """Return the number of the object's first row, or -1."""
        head = int.from_bytes(object_id[:_HEAD_BYTES], "big")
        heads = self._heads
        i = bisect_left(heads, head)
        while i < len(heads) and heads[i] == head:
            if self._rows[i * ROW.size : i * ROW.size + DIGEST_BYTES] == object_id:
                return i
            i += 1
        return -1

    def find_all(self, object_id: bytes) -> list[tuple[str, PackRow]]:
        """Return all places of an object: the pack's name and the row."""
        places: list[tuple[str, PackRow]] = []
        heads = self._heads
        i = self.find(object_id)
        while i >= 0:
            places.append((self.pack(i), self.row(i)))
            i += 1
            if i == len(heads) or heads[i] != heads[i - 1] or self._id(i) != object_id:
                break
        return places

    def row(self, i: int) -> PackRow:
        """Return row ``i``."""
        return PackRow(*ROW.unpack_from(self._rows, i * ROW.size))

    def pack(self, i: int) -> str:
        """Return the name of the pack that row ``i`` speaks of."""
        start = i * ROW.size + _NUMBER_AT
        return self.packs[int.from_bytes(self._rows[start : start + _NUMBER_BYTES], "little")]

    def ids(self, kind: int | None = None) -> Iterator[ObjectId]:
        """List the objects, of one kind or all, in order of their ids, each once."""
        last = b""
        for i in range(len(self)) if kind is None else self._of_kind(kind):
            object_id = self._id(i)
            if object_id != last:
                yield object_id
                last = object_id

    def extended(self, tables: Sequence[tuple[str, Buffer]]) -> Index:
        """Return an index that knows more packs.

        Args:
            tables: Name and table of each new pack.
        """
        rows = _cut(self._rows)
        for number, (_, table) in enumerate(tables, len(self.packs)):
            rows += _cut(_numbered(table, number))
        # The parts are sorted already, and that is what Python's sort is fastest at.
        rows.sort()
        return Index(self.packs + tuple(name for name, _ in tables), b"".join(rows))

    def encode(self) -> bytes:
        """Return the content of a cache file."""
        body = b"".join(bytes.fromhex(name[: 2 * DIGEST_BYTES]) for name in self.packs)
        body += self._rows
        return _HEADER.pack(_MAGIC, len(self.packs), len(self), zlib.crc32(body)) + body

    @classmethod
    def decode(cls, data: memoryview) -> Self | None:
        """Return the index in a cache file, or None if it is damaged or of another kind.

        Args:
            data: The whole file; the index keeps and searches it.
        """
        if len(data) < _HEADER.size:
            return None
        magic, packs, rows, checksum = _HEADER.unpack_from(data)
        body = data[_HEADER.size :]
        names_end = packs * DIGEST_BYTES
        if magic != _MAGIC or names_end + rows * ROW.size != len(body):
            return None
        if zlib.crc32(body) != checksum:
            return None
        names = tuple(
            f"{body[at : at + DIGEST_BYTES].hex()}.pack" for at in range(0, names_end, DIGEST_BYTES)
        )
        return cls(names, body[names_end:])

    def _id(self, i: int) -> ObjectId:
        return ObjectId(bytes(self._rows[i * ROW.size : i * ROW.size + DIGEST_BYTES]))

    def _of_kind(self, kind: int) -> Iterator[int]:
        if self._kinds is None:
            self._kinds = self._rows[_KIND_AT :: ROW.size].tobytes()
        i = self._kinds.find(kind)
        while i >= 0:
            yield i
            i = self._kinds.find(kind, i + 1)


def _cut(rows: Buffer) -> list[bytes]:
    data = bytes(rows)
    return [data[at : at + ROW.size] for at in range(0, len(data), ROW.size)]


def _numbered(table: Buffer, number: int) -> bytearray:
    """Write a pack's number into the free bytes of each of its rows."""
    rows = bytearray(table)
    count = len(rows) // ROW.size
    for i, byte in enumerate(number.to_bytes(_NUMBER_BYTES, "little")):
        rows[_NUMBER_AT + i :: ROW.size] = bytes((byte,)) * count
    return rows
