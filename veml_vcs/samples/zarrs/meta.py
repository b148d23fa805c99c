"""Metadata of a Zarr array, version 2 (``.zarray``) or 3 (``zarr.json``), as far as it is read.

Numbers only, in regular chunks. What a hostile file says is bounded before anything follows from
it: dimensions, chunk sizes, names of codecs.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from veml_vcs.errors import FormatError
from veml_vcs.samples.zarrs.codecs import Pipeline, packer_of, pipeline_v3

MAX_META_BYTES = 1 << 20
MAX_CHUNK_BYTES = 1 << 28
_MOST_DIMENSIONS = 32
_LONGEST = 1 << 60
_APART = ("shape", "attributes", "dimension_names", "consolidated_metadata")
_LONGEST_NUMBER = 16
_V2_TYPE = re.compile(r"[<>|](?:b1|[iu][1248]|f[248]|c8|c16)")
_V3_TYPES = frozenset((
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "float32", "float64", "complex64", "complex128",
))  # fmt: skip


@dataclass(frozen=True)
class ArrayMeta:
    """One array of a Zarr store.

    Attributes:
        version: 2 or 3.
        shape: Of the array.
        chunks: Shape of what one chunk file holds (in a sharded array: of a shard).
        dtype: Data type, byte order included.
        fill: What stands where there is no chunk, a 0-d array.
        pipeline: How a chunk file becomes an array.
        separator: Between the numbers of a chunk's name.
        prefix: In front of them: ``c``, or nothing.
        layout: Everything that chunk files depend on, as canonical JSON: two versions of an array
            may share chunks if it is the same. Shape and attributes are not in it.
    """

    version: int
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Any
    pipeline: Pipeline
    separator: str
    prefix: str
    layout: str

    @property
    def size_bytes(self) -> int:
        """Size of the whole array in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    @cached_property
    def grid(self) -> tuple[int, ...]:
        """Number of chunks along each axis."""
        return tuple(-(-s // c) for s, c in zip(self.shape, self.chunks, strict=True))

    def chunk_name(self, place: tuple[int, ...]) -> str:
        """Return the name of a chunk's file, from the array's folder."""
        numbers = self.separator.join(map(str, place))
        if not self.prefix:
            return numbers or "0"
        return self.prefix + (self.separator + numbers if numbers else "")

    def place_of(self, name: str) -> tuple[int, ...] | None:
        """Return which chunk a file is; None if it is none of this array."""
        rest = name
        if self.prefix:
            if name == self.prefix:
                return () if not self.shape else None
            if not name.startswith(self.prefix + self.separator):
                return None
            rest = name[len(self.prefix + self.separator) :]
        parts = rest.split(self.separator)
        if not self.shape:
            return () if rest == "0" and not self.prefix else None
        if len(parts) != len(self.shape) or any(
            not one.isascii() or not one.isdigit() or len(one) > _LONGEST_NUMBER for one in parts
        ):
            return None
        place = tuple(map(int, parts))
        inside = all(p < n for p, n in zip(place, self.grid, strict=True))
        return place if inside and self.chunk_name(place) == name else None


def read_meta(data: bytes, key: str) -> ArrayMeta | None:
    """Read the metadata of an array; None if it is that of a group.

    Args:
        data: The bytes of ``zarr.json`` or ``.zarray``.
        key: Its key.

    Raises:
        FormatError: It is malformed, or says what is not read here.
    """
    if len(data) > MAX_META_BYTES:
        raise FormatError(f"{key}: {len(data)} bytes of metadata are too many")
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{key}: no JSON: {error!s:.100}") from error
    if not isinstance(facts, dict):
        raise FormatError(f"{key}: expected an object, found {type(facts).__name__}")
    version = facts.get("zarr_format")
    if version == 3 and facts.get("node_type") == "group":
        return None
    if version not in (2, 3):
        raise FormatError(f"{key}: zarr_format: expected 2 or 3, found {version!r:.40}")
    try:
        return _version_2(facts) if version == 2 else _version_3(facts)
    except FormatError as error:
        raise FormatError(f"{key}: {error.message}") from error


def layout_of(data: bytes) -> tuple[str, str]:
    """Return what chunk files depend on, and the shape, each as canonical JSON.

    Of any metadata, also of arrays that are not read: two versions whose layout is the same may
    share chunks. What is no JSON is a layout of its own.
    """
    try:
        facts = json.loads(data) if len(data) <= MAX_META_BYTES else None
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        return sha256(data).hexdigest(), ""
    shape = facts.get("shape")
    layout = {name: value for name, value in facts.items() if name not in _APART}
    return json.dumps(layout, sort_keys=True), json.dumps(shape, sort_keys=True)


def _version_2(facts: Mapping[str, Any]) -> ArrayMeta:
    shape, chunks = _sizes(facts.get("shape"), "shape"), _sizes(facts.get("chunks"), "chunks")
    kind = facts.get("dtype")
    if not isinstance(kind, str) or not _V2_TYPE.fullmatch(kind):
        raise FormatError(f"dtype: only plain numbers are read, found {kind!r:.60}")
    if facts.get("filters"):
        raise FormatError("filters: arrays with filters are not read")
    order = facts.get("order", "C")
    if order not in ("C", "F"):
        raise FormatError(f"order: expected C or F, found {order!r:.40}")
    packer = facts.get("compressor")
    packers = () if packer is None else (packer_of(packer, 2),)
    axes = tuple(reversed(range(len(shape)))) if order == "F" else None
    separator = facts.get("dimension_separator", ".")
    dtype = np.dtype(kind)
    pipeline = Pipeline(dtype, axes, packers)
    return _checked(2, shape, chunks, dtype, facts, pipeline, separator, "")


def _version_3(facts: Mapping[str, Any]) -> ArrayMeta:
    if facts.get("node_type") != "array":
        raise FormatError(f"node_type: expected array, found {facts.get('node_type')!r:.40}")
    if facts.get("storage_transformers"):
        raise FormatError("storage_transformers are not read")
    shape = _sizes(facts.get("shape"), "shape")
    grid = facts.get("chunk_grid")
    if not isinstance(grid, dict) or grid.get("name") != "regular":
        raise FormatError(f"chunk_grid: only regular ones are read, found {grid!r:.60}")
    chunks = _sizes(_configuration(grid).get("chunk_shape"), "chunk_shape")
    kind = facts.get("data_type")
    if not isinstance(kind, str) or kind not in _V3_TYPES:
        raise FormatError(f"data_type: only plain numbers are read, found {kind!r:.60}")
    naming = facts.get("chunk_key_encoding")
    if not isinstance(naming, dict) or naming.get("name") not in ("default", "v2"):
        raise FormatError(f"chunk_key_encoding: expected default or v2, found {naming!r:.60}")
    default = naming["name"] == "default"
    separator = _configuration(naming).get("separator", "/" if default else ".")
    pipeline = pipeline_v3(facts.get("codecs"), np.dtype(kind), len(shape))
    prefix = "c" if default else ""
    return _checked(3, shape, chunks, pipeline.dtype, facts, pipeline, separator, prefix)


def _checked(
    version: int,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: np.dtype[Any],
    facts: Mapping[str, Any],
    pipeline: Pipeline,
    separator: Any,
    prefix: str,
) -> ArrayMeta:
    if len(shape) != len(chunks):
        raise FormatError(f"a shape of {len(shape)} axes, chunks of {len(chunks)}")
    if not all(chunks) or math.prod(chunks) * dtype.itemsize > MAX_CHUNK_BYTES:
        raise FormatError(f"chunks of {'x'.join(map(str, chunks))[:60]} elements are not read")
    pipeline.check(chunks)
    if separator not in (".", "/"):
        raise FormatError(f"separator: expected . or /, found {separator!r:.40}")
    layout = {name: value for name, value in facts.items() if name not in _APART}
    text = json.dumps(layout, sort_keys=True)
    fill = _fill(facts.get("fill_value"), dtype)
    return ArrayMeta(version, shape, chunks, dtype, fill, pipeline, separator, prefix, text)


def _configuration(one: Mapping[str, Any]) -> Mapping[str, Any]:
    found = one.get("configuration", {})
    return found if isinstance(found, dict) else {}


def _sizes(value: Any, name: str) -> tuple[int, ...]:
    if (
        not isinstance(value, list)
        or len(value) > _MOST_DIMENSIONS
        or not all(type(one) is int and 0 <= one < _LONGEST for one in value)
    ):
        raise FormatError(f"{name}: expected sizes, found {value!r:.60}")
    return tuple(value)


def _fill(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a fill value: a number, a name of one (``NaN``), its bits (``0x7fc0...``), or none."""
    try:
        if value is None:
            return np.zeros((), dtype)
        if isinstance(value, str) and value.startswith("0x"):
            bits = bytes.fromhex(value[2:])
            return np.frombuffer(bits, dtype.newbyteorder(">"), 1).astype(dtype).reshape(())
        if isinstance(value, list):
            real, imaginary = (float(one) for one in value)
            return np.array(complex(real, imaginary), dtype)
        if isinstance(value, str):
            return np.array(float(value), dtype)
        if isinstance(value, bool | int | float):
            return np.array(value, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise FormatError(f"fill_value: {value!r:.60}: {error!s:.60}") from error
    raise FormatError(f"fill_value: expected a number, found {value!r:.60}")
