"""From the bytes of any image file to a small square of RGB pixels.

Samples come from strangers, so only formats decoded inside the process are read (Pillow would start
Ghostscript for EPS), and a file that would unpack to more than `MAX_PIXELS` is refused unread.

What becomes of the odd ones: the first frame of an animation; what an EXIF orientation shows;
transparency over white; 16 bits by their upper 8; palettes, CMYK, grey and the rest by Pillow's
conversion.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError

if TYPE_CHECKING:
    from PIL import Image

VERSION = 1
"""Goes up when the same bytes give other pixels; part of the ids of embedders."""

MAX_PIXELS = 89_478_485
"""Pixels of the largest image that is decoded (256 MiB in RGB); beyond it Pillow warns."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA")
_ORIENTATION = 0x0112


def decode_square(payload: bytes, size: int) -> NDArray[np.uint8]:
    """Decode an image and scale it to ``size`` x ``size``, whatever its shape.

    Scaling does not keep the aspect ratio: a wide driving scene is seen whole, not its middle
    alone. Bilinear with antialiasing. A JPEG is decoded at a fraction of its size, never below
    twice the target's.

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        FormatError: Not an image, damaged, cut short, of no size, or too large.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(payload), formats=_readable_formats()) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise FormatError(
                    f"image has {width} x {height} pixels, expected at most {MAX_PIXELS}",
                    kind="image-too-large",
                )
            image.draft("RGB", (2 * size, 2 * size))
            orientation = _orientation(image)
            square = _rgb(image).resize((size, size), Image.Resampling.BILINEAR)
    except Image.DecompressionBombError as error:
        raise FormatError(
            f"image is larger than {MAX_PIXELS} pixels: {error}", kind="image-too-large"
        ) from error
    except (
        OSError,  # truncated, unidentified, broken data
        SyntaxError,  # Pillow's word for a broken PNG or TIFF
        ValueError,
        TypeError,  # a TIFF tag of another type than it should have
        LookupError,
        OverflowError,
        EOFError,
        RuntimeError,  # the AVIF decoder's, and NotImplementedError
        struct.error,
        zlib.error,
    ) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"image cannot be decoded: {_reason(error, payload)}") from error
    if orientation is not None:
        square = square.transpose(orientation)
    return np.asarray(square)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence Pillow's warnings: of broken metadata around sound pixels, and of large images."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


@cache
def _readable_formats() -> tuple[str, ...]:
    from PIL import Image

    # Image.open raises KeyError for a format that Pillow was built without.
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        visible = image.convert("RGBA")
        white = Image.new("RGBA", visible.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, visible).convert("RGB")
    return image.convert("RGB")


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale one channel of large numbers to 0..255: 16-bit integers by 1/256, fractions by 255."""
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0)
    peak = float(numbers.max(initial=0.0))
    if values.dtype == np.uint16 or peak > 255:
        numbers /= 256
    elif values.dtype.kind == "f" and peak <= 1:
        numbers *= 255
    return np.clip(numbers, 0, 255).astype(np.uint8)


def _orientation(image: Image.Image) -> Image.Transpose | None:
    from PIL import Image

    try:
        value = int(image.getexif().get(_ORIENTATION, 1))
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, struct.error):
        # Broken metadata around sound pixels: viewers show the image as it is stored.
        return None
    return {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(value)


def _reason(error: Exception, payload: bytes) -> str:
    if not payload:
        return "it is empty"
    # Pillow names its own buffer object there, which says nothing to a reader.
    text = str(error)
    return "unknown format" if "cannot identify" in text else text or type(error).__name__
