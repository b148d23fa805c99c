"""What all contact sheets share: a title, captions, and cells that hold one drawn sample each.

Where the cells stand is up to the sheet: pairs in rows (``sheets``), or a grid (``tiles``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from veml_vcs.analysis.drawing import Color, check_suffix, drawing, font, pillow, plain, save
from veml_vcs.analysis.pictures import annotated
from veml_vcs.errors import FormatError
from veml_vcs.samples.facts import Annotation

TOP = 44
"""Height of the title, in pixels."""
_LEFT = 12
_GREY, _BLACK = (150, 150, 150), (30, 30, 30)


class Shown(NamedTuple):
    """What a cell holds: a sample's key for messages, its image's bytes, what is drawn on it."""

    key: str
    data: bytes | None
    said: Annotation | None


class ContactSheet:
    """A white picture with a title, to be filled.

    Args:
        size: Width and height, in pixels.
        title: What stands at its top.
        target: The file to write; its extension says which kind.

    Raises:
        MissingDependencyError: Pillow is not installed.
        InvalidInputError: The target's extension is unknown.
    """

    def __init__(self, size: tuple[int, int], title: str, target: str) -> None:
        check_suffix(target)
        self.target = target
        self.picture = pillow().new("RGB", size, "white")
        self.draw = drawing(self.picture)
        self.draw.text((_LEFT, 12), plain(title), _BLACK, font(18))

    def empty(self, why: str) -> None:
        """Write why there is no cell."""
        self.draw.text((_LEFT, TOP), why, _GREY, font(14))

    def caption(self, corner: tuple[int, int], text: str, letters: int) -> None:
        """Write a line, of so many letters at most."""
        self.draw.text(corner, plain(text)[:letters], _BLACK, font(12))

    def cell(
        self,
        corner: tuple[int, int],
        size: tuple[int, int],
        shown: Shown | None,
        colors: Mapping[str, Color] | None = None,
    ) -> None:
        """Put a sample into a cell; a sentence where there is no image."""
        (x, y), (width, height) = corner, size
        self.draw.rectangle((x, y, x + width, y + height), (244, 244, 244), (210, 210, 210))
        why = "not there"
        if shown is not None:
            why = "no image, only an annotation"
            if shown.data is not None:
                try:
                    image = annotated(shown.data, shown.said, shown.key, colors, size)
                except FormatError:
                    why = "not an image that can be shown"
                else:
                    middle = (x + (width - image.width) // 2, y + (height - image.height) // 2)
                    self.picture.paste(image, middle)
                    return
        self.draw.text((x + 8, y + 8), why, _GREY, font(12))

    def save(self) -> None:
        """Write it.

        Raises:
            StorageError: The target cannot be written.
        """
        save(self.picture, self.target)
