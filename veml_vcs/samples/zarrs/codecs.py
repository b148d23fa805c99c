"""From a Zarr chunk file to an array and back: a fixed list of codecs, each within bounds.

Not through zarr: a store's metadata name the codecs, the registry behind the names knows pickles,
and what comes out of them is not bounded by what a chunk may hold. Here output never exceeds the
size of the chunk in memory by more than a little.
"""

from __future__ import annotations

import bz2
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError

Packer: TypeAlias = tuple[str, tuple[tuple[str, Any], ...]]
"""Name and configuration of a codec from bytes to bytes."""

_V2 = {"zlib": "zlib", "gzip": "gzip", "bz2": "bz2", "blosc": "blosc", "zstd": "zstd", "lz4": "lz4"}
_V3 = {"gzip": "gzip", "blosc": "blosc", "zstd": "zstd", "crc32c": "crc32c",
       "numcodecs.zlib": "zlib", "numcodecs.bz2": "bz2", "numcodecs.lz4": "lz4"}  # fmt: skip
_SLACK = 1 << 16
_CRC_BYTES = 4
_ABSENT = 2**64 - 1
_BLOSC_HEADER = 16
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ENCODED = frozenset(("zlib", "gzip", "bz2", "blosc", "zstd", "lz4", "crc32c"))
_MOST_CODECS = 8
_MOST_IN_SHARD = 100_000


@dataclass(frozen=True)
class Shards:
    """How a shard holds chunks: their shape, their own pipeline, where the index lies."""

    chunks: tuple[int, ...]
    pipeline: Pipeline
    at_end: bool
    index_crc: bool


@dataclass(frozen=True)
class Pipeline:
    """How a chunk file becomes an array.

    Attributes:
        dtype: Data type of the elements.
        axes: The axes' order in the file; None: as in the array.
        packers: Codecs from bytes to bytes, in the order they were applied.
        shards: Set if the file is a shard.
    """

    dtype: np.dtype[Any]
    axes: tuple[int, ...] | None = None
    packers: tuple[Packer, ...] = ()
    shards: Shards | None = None

    def check(self, chunks: Sequence[int]) -> None:
        """Refuse shards whose chunks do not fill them.

        Raises:
            FormatError: They do not.
        """
        if self.shards is None:
            return
        inner = self.shards.chunks
        if len(inner) != len(chunks) or any(
            not b or a % b for a, b in zip(chunks, inner, strict=True)
        ):
            raise FormatError(f"shards of {list(chunks)!s:.60} cannot hold chunks of "
                              f"{list(inner)!s:.60}")  # fmt: skip
        if math.prod(a // b for a, b in zip(chunks, inner, strict=True)) > _MOST_IN_SHARD:
            raise FormatError(f"more than {_MOST_IN_SHARD} chunks in a shard")

    @property
    def can_encode(self) -> bool:
        """Whether ``encode`` knows all of it."""
        inner = self.shards is None or self.shards.pipeline.can_encode
        return inner and all(name in _ENCODED for name, _ in self.packers)

    def decode(self, data: bytes, shape: tuple[int, ...], fill: Any) -> NDArray[Any]:
        """Return the array in a chunk file.

        Args:
            data: The bytes of the file.
            shape: Of a chunk; files hold whole chunks, over the array's edge too.
            fill: What stands in absent chunks of a shard.

        Raises:
            FormatError: It is malformed, or holds more or less than a chunk.
        """
        size = math.prod(shape) * self.dtype.itemsize
        data = self._unpacked(data, size)
        if self.shards is not None:
            return self._shard(data, shape, fill, self.shards)
        if len(data) != size:
            raise FormatError(f"a chunk of {len(data)} bytes, expected {size}")
        axes = self.axes or tuple(range(len(shape)))
        stored = np.frombuffer(data, self.dtype).reshape([shape[axis] for axis in axes])
        return stored.transpose(np.argsort(axes)) if shape else stored

    def encode(self, array: NDArray[Any], fill: Any, like: Sequence[bytes] = ()) -> bytes:
        """Return the chunk file of an array; ``can_encode`` says whether that can be.

        Args:
            array: What one file holds.
            fill: What stands in absent chunks of a shard.
            like: Files of this array. A chunk of a shard in which one of them has the same elements
                is taken from it as it stands; the first one counts.

        Raises:
            FormatError: A codec has a configuration that makes no sense, or ``like`` is malformed.
        """
        if self.shards is not None:
            data = self._join_shard(array, fill, like, self.shards)
        else:
            turned = array if self.axes is None else array.transpose(self.axes)
            data = np.ascontiguousarray(turned, self.dtype).tobytes()
        try:
            for packer in self.packers:
                data = _pack(packer, data, self.dtype.itemsize)
        except (ValueError, TypeError, RuntimeError, OverflowError, zlib.error) as error:
            raise FormatError(f"a chunk cannot be packed: {error!s:.100}") from error
        return data

    def _unpacked(self, data: bytes, size: int) -> bytes:
        """Undo the codecs from bytes to bytes of a file that holds ``size`` bytes of elements."""
        try:
            for name, _ in reversed(self.packers):
                data = _unpack(name, data, size + size // 8 + _SLACK)
        except (zlib.error, OSError, ValueError, RuntimeError, EOFError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"a chunk cannot be unpacked: {error!s:.100}") from error
        return data

    def _shard(
        self, data: bytes, shape: tuple[int, ...], fill: Any, shards: Shards
    ) -> NDArray[Any]:
        whole = np.full(shape, fill, self.dtype)
        for where, piece in self._pieces(data, shape, shards):
            if piece is not None:
                whole[where] = shards.pipeline.decode(bytes(piece), shards.chunks, fill)
        return whole

    def _pieces(
        self, data: bytes, shape: tuple[int, ...], shards: Shards
    ) -> Iterator[tuple[tuple[slice, ...], memoryview | None]]:
        """Yield where each chunk of a shard lies, and its bytes; None where it is absent.

        A hostile index may name the same bytes a hundred thousand times: nothing is copied here.
        """
        view = memoryview(data)
        counts = [a // b for a, b in zip(shape, shards.chunks, strict=True)]
        entries = math.prod(counts)
        index_bytes = entries * 16 + (_CRC_BYTES if shards.index_crc else 0)
        if len(data) < index_bytes:
            raise FormatError(f"a shard of {len(data)} bytes, its index alone has {index_bytes}")
        start = len(data) - index_bytes if shards.at_end else 0
        index = np.frombuffer(data, "<u8", entries * 2, start).reshape(-1, 2)
        for place, (offset, length) in zip(
            product(*map(range, counts)), index.tolist(), strict=True
        ):
            where = tuple(
                slice(p * c, (p + 1) * c) for p, c in zip(place, shards.chunks, strict=True)
            )
            absent = offset == length == _ABSENT
            yield where, None if absent else view[offset : offset + length]

    def _join_shard(
        self, array: NDArray[Any], fill: Any, like: Sequence[bytes], shards: Shards
    ) -> bytes:
        """Return a shard without its packers: chunks in their order, and the index."""
        shape, inner = array.shape, shards.pipeline
        size = math.prod(shape) * self.dtype.itemsize
        known = [dict(self._by_start(self._unpacked(one, size), shape, shards)) for one in like]
        counts = [a // b for a, b in zip(shape, shards.chunks, strict=True)]
        index_bytes = math.prod(counts) * 16 + (_CRC_BYTES if shards.index_crc else 0)
        empty = np.full(shards.chunks, fill, self.dtype)
        at = 0 if shards.at_end else index_bytes
        body, index = [], []
        for place in product(*map(range, counts)):
            start = tuple(p * c for p, c in zip(place, shards.chunks, strict=True))
            part = array[tuple(slice(b, b + c) for b, c in zip(start, shards.chunks, strict=True))]
            piece: bytes | None = None
            for pieces in known:
                found = pieces[start]
                piece = None if found is None else bytes(found)
                old = empty if piece is None else inner.decode(piece, shards.chunks, fill)
                if old.tobytes() == np.ascontiguousarray(part, old.dtype).tobytes():
                    break
            else:
                piece = inner.encode(part, fill)
            if piece is None:
                index.append((_ABSENT, _ABSENT))
                continue
            index.append((at, len(piece)))
            at += len(piece)
            if at > 2 * size + index_bytes + _SLACK:
                raise FormatError("the chunks of a shard take more bytes than their elements")
            body.append(piece)
        table = np.array(index, "<u8").tobytes()
        if shards.index_crc:
            table = _pack(("crc32c", ()), table, 1)
        return b"".join([*body, table] if shards.at_end else [table, *body])

    def _by_start(
        self, data: bytes, shape: tuple[int, ...], shards: Shards
    ) -> Iterator[tuple[tuple[int, ...], memoryview | None]]:
        for where, piece in self._pieces(data, shape, shards):
            yield tuple(one.start for one in where), piece


def packer_of(facts: Any, version: int) -> Packer:
    """Return a codec from bytes to bytes, as version 2 or 3 writes it.

    Raises:
        FormatError: It is none that is read.
    """
    known = _V2 if version == 2 else _V3
    said = facts if isinstance(facts, Mapping) else {}
    name = said.get("id" if version == 2 else "name")
    if not isinstance(name, str) or name not in known:
        raise FormatError(f"codec: expected one of {', '.join(sorted(known))}, "
                          f"found {name or facts!r:.60}")  # fmt: skip
    rest = said if version == 2 else said.get("configuration") or {}
    if not isinstance(rest, Mapping):
        raise FormatError(f"codec {name}: expected a configuration, found {rest!r:.60}")
    plain = {key: value for key, value in rest.items() if key != "id"}
    if not all(isinstance(value, str | int | float | None) for value in plain.values()):
        raise FormatError(f"codec {name}: expected numbers and words, found {plain!r:.80}")
    return known[name], tuple(sorted(plain.items()))


def pipeline_v3(codecs: Any, dtype: np.dtype[Any], dimensions: int, depth: int = 0) -> Pipeline:
    """Return the pipeline of version 3's list of codecs.

    Raises:
        FormatError: There is one that is not read, or they are in no sensible order.
    """
    if not isinstance(codecs, list) or not 0 < len(codecs) <= _MOST_CODECS:
        raise FormatError(f"codecs: expected a list, found {codecs!r:.60}")
    axes: tuple[int, ...] | None = None
    shards: Shards | None = None
    packers: list[Packer] = []
    placed = False
    for one in codecs:
        said = {"name": one} if isinstance(one, str) else one if isinstance(one, dict) else {}
        name = said.get("name")
        given = said.get("configuration") or {}
        if not isinstance(given, dict):
            raise FormatError(f"codec {name!r:.40}: expected a configuration, found {given!r:.60}")
        if not placed and name == "transpose" and axes is None:
            axes = _axes(given.get("order"), dimensions)
        elif not placed and name == "bytes":
            placed = True
            if given.get("endian", "little") not in ("little", "big"):
                raise FormatError(f"endian: expected little or big, found {given!r:.60}")
            dtype = dtype.newbyteorder(">" if given.get("endian") == "big" else "<")
        elif not placed and name == "sharding_indexed" and axes is None and not depth:
            placed = True
            shards = _shards(given, dtype, dimensions, depth)
            dtype = shards.pipeline.dtype
        elif placed:
            packers.append(packer_of(said, 3))
        else:
            raise FormatError(f"codecs: {name!r:.40} is not read there")
    if not placed:
        raise FormatError("codecs: none makes bytes of an array")
    return Pipeline(dtype, axes, tuple(packers), shards)


def _axes(order: Any, dimensions: int) -> tuple[int, ...]:
    if order == "C":
        return tuple(range(dimensions))
    if order == "F":
        return tuple(reversed(range(dimensions)))
    if (
        not isinstance(order, list)
        or not all(type(one) is int for one in order)
        or sorted(order) != list(range(dimensions))
    ):
        raise FormatError(f"transpose: expected an order of {dimensions} axes, found {order!r:.60}")
    return tuple(order)


def _shards(given: Mapping[str, Any], dtype: np.dtype[Any], dimensions: int, depth: int) -> Shards:
    inner = given.get("chunk_shape")
    if not isinstance(inner, list) or not all(type(one) is int and one > 0 for one in inner):
        raise FormatError(f"sharding: expected a chunk_shape, found {inner!r:.60}")
    index = given.get("index_codecs", [{"name": "bytes"}, {"name": "crc32c"}])
    names = [one.get("name") if isinstance(one, dict) else one for one in index] if isinstance(
        index, list) else []  # fmt: skip
    if names not in (["bytes"], ["bytes", "crc32c"]):
        raise FormatError(f"sharding: index_codecs: expected bytes, crc32c, found {names!r:.60}")
    place = given.get("index_location", "end")
    if place not in ("start", "end"):
        raise FormatError(f"sharding: index_location: expected start or end, found {place!r:.40}")
    pipeline = pipeline_v3(given.get("codecs"), dtype, dimensions, depth + 1)
    return Shards(tuple(inner), pipeline, place == "end", len(names) > 1)


def _unpack(name: str, data: bytes, limit: int) -> bytes:
    """Undo one codec, to at most ``limit`` bytes."""
    if name == "crc32c":
        if len(data) < _CRC_BYTES:
            raise FormatError("a chunk without its checksum")
        return data[:-_CRC_BYTES]  # not checked: the whole file is, by its id
    if name in ("zlib", "gzip"):
        return _inflate(data, limit, 31 if name == "gzip" else 15)
    if name == "bz2":
        packed = bz2.BZ2Decompressor()
        found = packed.decompress(data, limit + 1)
        return _bounded(found, limit, packed.eof)
    size = _stated_size(name, data)
    if size > limit:
        raise FormatError(f"a chunk states {size} bytes unpacked, more than {limit}")
    # The bounds of these three are in their headers, and their libraries keep to them.
    import numcodecs.blosc
    import numcodecs.lz4
    import numcodecs.zstd

    undo = {"blosc": numcodecs.blosc, "zstd": numcodecs.zstd, "lz4": numcodecs.lz4}[name]
    return bytes(undo.decompress(data))


def _inflate(data: bytes, limit: int, bits: int) -> bytes:
    found = b""
    while data:  # a gzip file may have several members
        packed = zlib.decompressobj(bits)
        found += packed.decompress(data, limit + 1 - len(found))
        _bounded(found, limit, packed.eof)
        data = packed.unused_data
    return found


def _bounded(found: bytes, limit: int, finished: bool) -> bytes:
    if len(found) > limit:
        raise FormatError(f"a chunk holds more than {limit} bytes")
    if not finished:
        raise FormatError("a chunk is cut off")
    return found


def _stated_size(name: str, data: bytes) -> int:
    """Return how many bytes a packed chunk says it holds."""
    if name == "lz4":
        if len(data) < 4:
            raise FormatError("a chunk is cut off")
        return int.from_bytes(data[:4], "little")
    if name == "blosc":
        if len(data) < _BLOSC_HEADER or int.from_bytes(data[12:16], "little") != len(data):
            raise FormatError("a chunk is cut off, or no Blosc")
        return int.from_bytes(data[4:8], "little")
    return _zstd_size(data)


def _zstd_size(data: bytes) -> int:
    """Return the size in a Zstandard frame's header (RFC 8878, 3.1.1.1).

    Raises:
        FormatError: It is none, or does not say its size.
    """
    if not data.startswith(_ZSTD_MAGIC) or len(data) < 6:
        raise FormatError("a chunk is no Zstandard frame")
    descriptor = data[4]
    flag, single = descriptor >> 6, bool(descriptor & 0x20)
    width = (1 if single else 0, 2, 4, 8)[flag]
    if not width:
        raise FormatError("a chunk does not say how large it is")
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(data[at : at + width], "little")
    return size + 256 if width == 2 else size


def _pack(packer: Packer, data: bytes, width: int) -> bytes:
    """Apply one codec, with the configuration the array has."""
    import numcodecs

    name, rest = packer
    given = dict(rest)
    if name == "blosc":
        # Version 3 says the shuffle in words, and the width of an element.
        words = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
        shuffle = given.get("shuffle", 1)
        found = numcodecs.blosc.compress(
            data,
            str(given.get("cname", "lz4")).encode(),
            int(given.get("clevel", 5)),
            int(words.get(shuffle, shuffle)),
            int(given.get("blocksize") or 0),
            int(given.get("typesize") or width),
        )
        return bytes(found)
    if name == "crc32c":
        try:
            from numcodecs.checksum32 import CRC32C
        except ImportError as error:
            raise FormatError(f"crc32c cannot be computed here: {error}") from error
        return bytes(CRC32C(location="end").encode(data))
    if name == "zstd":
        return bytes(numcodecs.zstd.compress(data, int(given.get("level", 0)),
                                             bool(given.get("checksum", False))))  # fmt: skip
    if name == "lz4":
        return bytes(numcodecs.lz4.compress(data, int(given.get("acceleration", 1))))
    level = int(given.get("level", 5 if name == "gzip" else 1))
    if name == "bz2":
        return bz2.compress(data, max(level, 1))
    packed = zlib.compressobj(level, zlib.DEFLATED, 31 if name == "gzip" else 15)
    return packed.compress(data) + packed.flush()
