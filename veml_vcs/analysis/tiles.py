"""A contact sheet: many images side by side, each with what is to be said of it below."""

from __future__ import annotations

import math
from collections.abc import Sequence

from veml_vcs.analysis.contact_sheet import TOP, ContactSheet, Shown

_SIDE, _CAPTION, _GAP = 200, 22, 12
_MOST_COLUMNS = 5
_LETTERS = 34  # of a caption, at the side of a tile


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
    columns = max(1, min(_MOST_COLUMNS, len(tiles)))
    rows = max(1, math.ceil(len(tiles) / columns))
    width = max(480, columns * (_SIDE + _GAP) + _GAP)
    sheet = ContactSheet((width, TOP + rows * (_SIDE + _CAPTION + _GAP)), title, target)
    if not tiles:
        sheet.empty("nothing is wrong")
    for place, (caption, data) in enumerate(tiles):
        x = _GAP + place % columns * (_SIDE + _GAP)
        y = TOP + place // columns * (_SIDE + _CAPTION + _GAP)
        sheet.cell((x, y), (_SIDE, _SIDE), Shown(caption, data, None))
        sheet.caption((x, y + _SIDE + 4), caption, _LETTERS)
    sheet.save()
