"""The pixels of an image as exported detectors take them."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_PIXELS = 1 << 28


def pixels_of(data: bytes, name: str) -> NDArray[np.uint8]:
    """Decode an image as it is stored: what EXIF says of rotation is not applied.

    Args:
        data: The bytes of its file.
        name: For messages.

    Returns:
        uint8 [height, width, 3], red first; what is transparent is as if it were not.

    Raises:
        FormatError: It cannot be decoded.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of many pixels: the limit here is ours
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > _MAX_PIXELS:
                    raise FormatError(f"{name}: {image.width} x {image.height} pixels are too many")
                if image.mode.startswith("I;16"):
                    wide = np.asarray(image)  # 16 bits a pixel: as OpenCV, the upper eight
                    return np.repeat((wide >> 8).astype(np.uint8)[..., None], 3, axis=2)
                return np.asarray(image.convert("RGB"), np.uint8)
    except UnidentifiedImageError as error:
        raise FormatError(f"{name}: cannot be decoded as an image") from error
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{name}: cannot be decoded as an image: {error!s:.200}") from error
