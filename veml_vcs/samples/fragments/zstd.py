"""Chunks as zstd frames, with numcodecs. A frame is not believed before it is read."""

from __future__ import annotations

import sys
import threading
from functools import cache
from importlib.util import find_spec, module_from_spec
from typing import Any

from veml_vcs.errors import DamagedError
from veml_vcs.samples.fragments.zarr_meta import ZSTD_LEVEL

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_ZSTD_RATIO = 1 << 15  # 128 KiB from a block of four bytes: RFC 8878, 3.1.1.2


def compress(data: bytes | memoryview) -> bytes:
    """Return ``data`` as one zstd frame."""
    return bytes(import_codec()(level=ZSTD_LEVEL).encode(data))


def decompress(data: bytes | memoryview, length: int, what: str) -> bytes:
    """Return the ``length`` bytes of a zstd frame.

    Raises:
        DamagedError: It is not a frame, holds another length, or cannot hold as much (checked
            before any memory is taken: a frame of a few bytes can announce terabytes).
    """
    if data[:4] != _ZSTD_MAGIC or length > len(data) * _MAX_ZSTD_RATIO:
        raise DamagedError(f"{what}: {len(data)} bytes cannot be a zstd frame of {length}")
    announced = _announced_length(bytes(data[:18]))
    if announced is not None and announced != length:
        raise DamagedError(f"{what}: compressed chunk holds {announced} bytes, expected {length}")
    try:
        return bytes(import_codec()().decode(data, out=bytearray(length)))
    except (RuntimeError, ValueError, MemoryError) as error:
        raise DamagedError(f"{what}: chunk cannot be decompressed: {error}") from error


@cache
def import_codec() -> Any:
    """Import numcodecs' ``Zstd``, and only that where it can be done.

    The package's own ``__init__`` imports all codecs and asks every installed distribution whether
    it has more: a tenth of a second, as much as all else that a short command does. So its
    submodule is imported below a package that was not run. That one is taken away at once; a later
    ``import numcodecs`` (zarr's, a user's) runs the package and finds the submodule there.
    Another thread must not see the package as long as it is empty; so whoever starts threads may
    call this before.
    """
    spec = find_spec("numcodecs") if threading.active_count() == 1 else None
    if spec is None or "numcodecs" in sys.modules:
        from numcodecs.zstd import Zstd

        return Zstd
    sys.modules["numcodecs"] = module_from_spec(spec)
    try:
        from numcodecs.zstd import Zstd
    finally:
        del sys.modules["numcodecs"]
    return Zstd


def _announced_length(head: bytes) -> int | None:
    """Read the content size of a zstd frame header (RFC 8878, 3.1.1.1); None if it names none."""
    if len(head) < 6:
        return None
    descriptor = head[4]
    single = bool(descriptor & 0x20)
    size_flag = descriptor >> 6
    width = {0: 1 if single else 0, 1: 2, 2: 4, 3: 8}[size_flag]
    if not width:
        return None
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(head[at : at + width], "little")
    return size + 256 if width == 2 else size
