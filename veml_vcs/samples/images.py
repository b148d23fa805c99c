"""Width and height of an image from its first bytes, without decoding it."""

from __future__ import annotations

import io

from veml_vcs.errors import FormatError


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
