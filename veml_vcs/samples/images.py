"""Which files are images, by name, and an image's width and height from its first bytes."""

from __future__ import annotations

import io

from veml_vcs.errors import FormatError

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".jp2")
)
_ENDINGS = tuple(sorted(IMAGE_SUFFIXES))
_DOT_FILES = tuple("/" + suffix for suffix in _ENDINGS)


def is_image(key: str) -> bool:
    """Tell whether a key names an image, by its extension."""
    low = key.lower()
    return low.endswith(_ENDINGS) and not ("/" + low).endswith(_DOT_FILES)


def image_shape(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels, as stored (EXIF rotation is not applied).

    Raises:
        FormatError: The bytes are not an image of a known kind, or its header is cut short.
    """
    import imagesize

    try:
        width, height = imagesize.get(io.BytesIO(data))
    except (ValueError, IndexError, OSError, TypeError, KeyError) as error:
        raise FormatError(f"not an image whose size can be read: {error!r}") from error
    if width <= 0 or height <= 0:
        raise FormatError(f"not an image whose size can be read: it begins with {data[:8]!r}")
    return int(width), int(height)
