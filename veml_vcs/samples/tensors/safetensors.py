"""The safetensors format: 8 bytes with the header's length, a JSON header, the tensors' bytes.

Read and written here because the format is a page (https://github.com/huggingface/safetensors), and
its numpy reader refuses bfloat16 and copies every tensor. Nothing in such a file can be run. Tests
hold this against the package itself where it is installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

from veml_vcs.errors import FormatError

DTYPE_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2,
    "BF16": 2, "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip
_ORDER = {name: i for i, name in enumerate(DTYPE_BYTES)}
MAX_HEADER_BYTES = 100_000_000
"""The package's own limit."""

_METADATA = "__metadata__"
_MAX_AXES = 64
_MAX_BYTES = 1 << 46


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes:
        dtype: As the format names it: ``F32``.
        shape: Length of each axis; empty for a scalar.
        data: Its bytes, in C order, little-endian.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview

    def __post_init__(self) -> None:
        check_shape(self.dtype, self.shape, len(self.data), "tensor")


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors.

    Attributes:
        tensors: Name -> tensor.
        metadata: What else a file says, text by name.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


def check_shape(dtype: Any, shape: Any, size_bytes: int, where: str) -> None:
    """Refuse a data type, a shape and a length that do not go together.

    Raises:
        FormatError: They do not.
    """
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise FormatError(f"{where}: unknown data type {dtype!r:.40}")
    sound = isinstance(shape, list | tuple) and len(shape) <= _MAX_AXES
    if not sound or not all(type(n) is int and 0 <= n < _MAX_BYTES for n in shape):
        raise FormatError(f"{where}: {shape!r:.80} is no shape")
    wanted = prod(shape) * DTYPE_BYTES[dtype]
    if wanted != size_bytes:
        raise FormatError(
            f"{where}: {dtype} of shape {list(shape)!r:.80} takes {wanted:,} bytes, found "
            f"{size_bytes:,}"
        )


def read_safetensors(data: bytes | memoryview, where: str) -> Checkpoint:
    """Return the tensors of a file; they share its memory.

    Args:
        data: The file's bytes.
        where: Its name, for messages.

    Raises:
        FormatError: It is no safetensors file: too short, no header, tensors that overlap, leave
            gaps or do not fill the file.
    """
    view = memoryview(data)
    if len(view) < 8:
        raise FormatError(f"{where}: {len(view)} bytes are too few for a safetensors file")
    length = int.from_bytes(view[:8], "little")
    if length > min(MAX_HEADER_BYTES, len(view) - 8):
        raise FormatError(f"{where}: a header of {length:,} bytes, in a file of {len(view):,}")
    header = _header(bytes(view[8 : 8 + length]), where)
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(one, str) for one in metadata.values()):
        raise FormatError(f"{where}: its metadata is not text by name")
    payload = view[8 + length :]
    tensors, places = {}, []
    for name, one in header.items():
        begin, end = _offsets(one, len(payload), f"{where}: {name!r:.80}")
        check_shape(one.get("dtype"), one.get("shape"), end - begin, f"{where}: {name!r:.80}")
        tensors[name] = Tensor(one["dtype"], tuple(one["shape"]), payload[begin:end])
        places.append((begin, end))
    at = 0
    for begin, end in sorted(places):
        if begin != at:
            raise FormatError(f"{where}: tensors overlap, or leave a gap, at byte {begin:,}")
        at = end
    if at != len(payload):
        raise FormatError(f"{where}: {len(payload) - at:,} bytes that belong to no tensor")
    return Checkpoint(tensors, metadata)


def _header(text: bytes, where: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name stands twice")
        return found

    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
        for name in found if isinstance(found, dict) else ():
            name.encode()
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where}: the header is not JSON: {error!s:.200}") from error
    if not isinstance(found, dict):
        raise FormatError(f"{where}: the header is no JSON object")
    return found


def _offsets(one: Any, payload_bytes: int, where: str) -> tuple[int, int]:
    place = one.get("data_offsets") if isinstance(one, dict) else None
    if isinstance(place, list) and len(place) == 2 and all(type(n) is int for n in place):
        begin, end = place
        if 0 <= begin <= end <= payload_bytes:
            return begin, end
    raise FormatError(f"{where}: {place!r:.80} is no place in the file")


def write_safetensors(checkpoint: Checkpoint) -> bytes:
    """Return the file of named tensors; equal ones give equal bytes.

    As the package does: wide data types first, so that all are aligned, then by name; the header is
    filled up with blanks to a multiple of 8.

    Raises:
        FormatError: A tensor has the name that the format needs for metadata.
    """
    if _METADATA in checkpoint.tensors:
        raise FormatError(f"no tensor can be called {_METADATA}")
    order = sorted(checkpoint.tensors.items(), key=lambda one: (-_ORDER[one[1].dtype], one[0]))
    header: dict[str, Any] = {}
    if checkpoint.metadata:
        header[_METADATA] = dict(sorted(checkpoint.metadata.items()))
    at = 0
    for name, tensor in order:
        end = at + len(tensor.data)
        header[name] = {
            "dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [at, end],
        }  # fmt: skip
        at = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *(one.data for _, one in order)])
