"""A contact sheet: many images side by side, each with what is to be said of it below."""

from __future__ import annotations

import math
from collections.abc import Sequence

from veml_vcs.analysis.drawing import check_suffix, drawing, font, pillow, plain, save
from veml_vcs.analysis.pictures import annotated
from veml_vcs.errors import FormatError

_SIDE, _CAPTION, _GAP, _TOP = 200, 22, 12, 44
_MOST_COLUMNS = 5
_LETTERS = 34  # of a caption, at the side of a tile
_BLACK, _GREY = (30, 30, 30), (150, 150, 150)


def draw_tiles(tiles: Sequence[tuple[str, bytes]], title: str, target: str) -> None:
    """Write a contact sheet.

    Args:
        tiles: Caption and an image's bytes each.
        title: What stands above them.
        target: The file to write; its extension says which kind.

    Raises:
        MissingDependencyError: Pillow is not installed.
        InvalidInputError: The target's extension is unknown.
        StorageError: The target cannot be written.
    """
    check_suffix(target)
    module = pillow()
    columns = max(1, min(_MOST_COLUMNS, len(tiles)))
    rows = max(1, math.ceil(len(tiles) / columns))
    width = max(480, columns * (_SIDE + _GAP) + _GAP)
    picture = module.new("RGB", (width, _TOP + rows * (_SIDE + _CAPTION + _GAP)), "white")
    draw = drawing(picture)
    draw.text((_GAP, 12), plain(title), _BLACK, font(18))
    if not tiles:
        draw.text((_GAP, _TOP), "nothing is wrong", _GREY, font(14))
    for place, (caption, data) in enumerate(tiles):
        x = _GAP + place % columns * (_SIDE + _GAP)
        y = _TOP + place // columns * (_SIDE + _CAPTION + _GAP)
        draw.rectangle((x, y, x + _SIDE, y + _SIDE), (244, 244, 244), (210, 210, 210))
        try:
            image = annotated(data, None, caption, None, (_SIDE, _SIDE))
        except FormatError:
            draw.text((x + 8, y + 8), "not an image", _GREY, font(12))
        else:
            picture.paste(image, (x + (_SIDE - image.width) // 2, y + (_SIDE - image.height) // 2))
        draw.text((x, y + _SIDE + 4), plain(caption)[:_LETTERS], _BLACK, font(12))
    save(picture, target)
