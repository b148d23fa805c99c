"""Decode the image of a sample, for all tasks, as it is stored: EXIF's rotation is not applied.

By OpenCV, which MMEngine brings along.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from veml_vcs.errors import FormatError

_MAX_PIXELS = 1 << 28


def decode_image(data: bytes, name: str) -> NDArray[np.uint8]:
    """Return an image.

    Args:
        data: The bytes of its file.
        name: What it is called, for messages.

    Returns:
        uint8 [height, width, 3], blue first; of a grey image three times the same.

    Raises:
        FormatError: It is none, or too large.
    """
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None or image.shape[0] * image.shape[1] > _MAX_PIXELS:
        raise FormatError(f"{name}: cannot be decoded as an image")
    return np.asarray(image, np.uint8)
