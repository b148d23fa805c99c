"""PNG files of one byte a pixel, read and written without loss: class masks.

Only what masks are: 8-bit grey or palette, not interlaced. Everything else is refused, so that a
photo is never taken for one. (Pillow is an optional dependency and merging is not optional; the
format of these files is a page: RFC 2083.)
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
MAX_PIXELS = 1 << 28


@dataclass(frozen=True)
class Mask:
    """A class mask.

    Attributes:
        values: uint8 [height, width]: the class of each pixel.
        color: PNG's colour type: 0 grey, 3 palette.
        before: Chunks before the pixels, the header aside (palette, texts), as they stand.
        after: Chunks after them, the end aside.
    """

    values: NDArray[np.uint8]
    color: int
    before: bytes
    after: bytes

    def to_bytes(self) -> bytes:
        """Return the file: pixels written anew, everything else as it was."""
        height, width = self.values.shape
        rows = np.zeros((height, width + 1), np.uint8)  # filter 0 in front of each row
        rows[:, 1:] = self.values
        header = _HEADER.pack(width, height, 8, self.color, 0, 0, 0)
        return b"".join(
            (
                _SIGNATURE,
                _chunk(b"IHDR", header),
                self.before,
                _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
                self.after,
                _chunk(b"IEND", b""),
            )
        )


def read_mask(data: bytes, key: str) -> Mask:
    """Read a class mask.

    Args:
        data: The bytes of the file.
        key: Its key, for messages.

    Raises:
        FormatError: It is no PNG, or none of one byte a pixel, or damaged.
    """
    if not data.startswith(_SIGNATURE):
        raise FormatError(f"{key}: expected a PNG file")
    place = len(_SIGNATURE)
    parts: dict[str, bytes] = {"before": b"", "after": b""}
    pixels: list[bytes] = []
    header: tuple[int, ...] | None = None
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, end = data[place + 4 : place + 8], place + 12 + length
        if end > len(data):
            break
        body = data[place + 8 : end - 4]
        if struct.unpack_from(">I", data, end - 4)[0] != zlib.crc32(kind + body):
            raise FormatError(f"{key}: a checksum of the PNG file does not fit")
        if kind == b"IHDR" and length == _HEADER.size and header is None:
            header = _HEADER.unpack(body)
            if header[2:] not in ((8, 0, 0, 0, 0), (8, 3, 0, 0, 0)):
                raise FormatError(f"{key}: expected a PNG of one byte a pixel, not interlaced")
            if header[0] * header[1] > MAX_PIXELS or not header[0] * header[1]:
                raise FormatError(f"{key}: {header[0]} x {header[1]} pixels")
        elif kind == b"IDAT":
            pixels.append(body)
        elif kind == b"IEND" and header is not None and end == len(data):
            values = _pixels(b"".join(pixels), header[0], header[1], key)
            return Mask(values, header[3], parts["before"], parts["after"])
        else:
            parts["after" if pixels else "before"] += data[place:end]
        place = end
    raise FormatError(f"{key}: the PNG file is cut off")


def _pixels(packed: bytes, width: int, height: int, key: str) -> NDArray[np.uint8]:
    """Inflate and unfilter (RFC 2083, 6) one byte a pixel."""
    expected = height * (width + 1)
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, expected + 1)
    except zlib.error as error:
        raise FormatError(f"{key}: the pixels cannot be inflated: {error}") from error
    if len(raw) != expected:
        raise FormatError(f"{key}: expected {expected} bytes of pixels, found {len(raw)}")
    rows = np.frombuffer(raw, np.uint8).reshape(height, width + 1)
    result = np.zeros((height, width), np.uint8)
    above = np.zeros(width, np.uint8)
    for y in range(height):
        kind, line = int(rows[y, 0]), rows[y, 1:]
        if kind == 0:
            above = line
        elif kind == 1:
            above = np.cumsum(line, dtype=np.uint8)
        elif kind == 2:
            above = line + above
        elif kind in (3, 4):
            above = _sequential(kind, line, above)
        else:
            raise FormatError(f"{key}: row {y} has the unknown filter {kind}")
        result[y] = above
    return result


def _sequential(kind: int, line: NDArray[np.uint8], above: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the filters ``average`` (3) and ``paeth`` (4), in which a pixel needs the one before."""
    left = corner = 0
    out = bytearray()
    for value, up in zip(line.tolist(), above.tolist(), strict=True):
        if kind == 3:
            guess = (left + up) >> 1
        else:
            p = left + up - corner
            a, b, c = abs(p - left), abs(p - up), abs(p - corner)
            guess = left if a <= b and a <= c else up if b <= c else corner
        left, corner = (value + guess) & 255, up
        out.append(left)
    return np.frombuffer(bytes(out), np.uint8)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
