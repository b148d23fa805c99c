"""What all pictures share: Pillow, where it is installed, its font, and how a picture is saved."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import InvalidInputError, MissingDependencyError, StorageError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Color = tuple[int, int, int]


def plain(text: str) -> str:
    """Return a text without what the built-in font cannot draw or what would break its line."""
    return "".join(char if char.isprintable() else "?" for char in text)


def pillow() -> Any:
    """Return Pillow's module of images.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError(
            "drawing needs Pillow, which is not installed", hint="pip install 'veml[plot]'"
        ) from error
    return Image


def drawing(image: Image) -> ImageDraw:
    """Return what draws on an image."""
    from PIL import ImageDraw

    return ImageDraw.Draw(image)


def font(size: int) -> Any:
    """Return the built-in font."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def save(picture: Image, target: str) -> None:
    """Write a picture; the name's ending says which kind.

    Raises:
        InvalidInputError: The ending is unknown.
        StorageError: It cannot be written.
    """
    check_suffix(target)
    try:
        picture.save(target)
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error}") from error


def check_suffix(target: str) -> None:
    """Refuse a name whose ending is that of no kind of picture.

    Raises:
        InvalidInputError: It is unknown.
    """
    suffix = os.path.splitext(target)[1].lower()
    if suffix not in (".png", ".jpg", ".jpeg", ".webp"):
        raise InvalidInputError(
            f"{target}: expected a name that ends with .png, .jpg or .webp", hint="--plot out.png"
        )
