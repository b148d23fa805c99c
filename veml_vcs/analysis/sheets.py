"""Contact sheets: rows of two pictures of one sample side by side, under a caption each.

A difference is drawn so (before, after), and what a detector gets wrong (what is true, what was
said). How one sample is drawn is ``pictures``'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from veml_vcs.analysis.contact_sheet import TOP, ContactSheet, Shown
from veml_vcs.analysis.drawing import Color, plain
from veml_vcs.analysis.pictures import class_colors
from veml_vcs.samples.facts import Annotation

if TYPE_CHECKING:
    from veml_vcs.repository.diff_pairs import Pair

_LONGEST = 130
_CELL, _CAPTION, _GAP = (480, 360), 32, 16


class _Row(NamedTuple):
    caption: str
    left: Shown | None
    right: Shown | None


def draw_pairs(pairs: Sequence[Pair], title: str, target: str) -> None:
    """Write a contact sheet of a difference: each sample before (left) and after (right), drawn.

    Args:
        pairs: The samples, with their bytes and annotations.
        title: What stands above them.
        target: The file to write; its extension says which kind.

    Raises:
        MissingDependencyError: Pillow is not installed.
        InvalidInputError: The target's extension is unknown.
        StorageError: The target cannot be written.
    """
    rows = []
    for pair in pairs:
        new, old = pair.sample.key, pair.sample.old_key or pair.sample.key
        left, right = (
            None if side is None else Shown(key, side.data, side.said)
            for side, key in ((pair.before, old), (pair.after, new))
        )
        rows.append(_Row(_caption(pair), left, right))
    colors = class_colors(_classes(side.said for row in rows for side in row[1:] if side))
    _draw(rows, title, "no sample differs", colors, target)


def draw_said(
    rows: Sequence[tuple[str, bytes, Annotation | None, Annotation]], title: str, target: str
) -> None:
    """Write a contact sheet: what is true of each sample (left), and what was said of it (right).

    Args:
        rows: Caption, the image's bytes, what is true, and what was said, with scores.
        title: What stands above them.
        target: The file to write; its extension says which kind.

    Raises:
        MissingDependencyError: Pillow is not installed.
        InvalidInputError: The target's extension is unknown.
        StorageError: The target cannot be written.
    """
    colors = class_colors(_classes(side for row in rows for side in row[2:]))
    sheet = [
        _Row(
            caption,
            Shown(caption, data, truth),
            Shown(caption, data, _scored(said, truth, colors)),
        )
        for caption, data, truth, said in rows
    ]
    _draw(sheet, title, "nothing is wrong", colors, target)


def _draw(
    rows: Sequence[_Row], title: str, nothing: str, colors: Mapping[str, Color], target: str
) -> None:
    """Write a sheet; ``nothing`` is what stands there where there are no rows."""
    height = _CELL[1] + _CAPTION
    size = (2 * _CELL[0] + 3 * _GAP, TOP + max(1, len(rows)) * height)
    sheet = ContactSheet(size, title, target)
    if not rows:
        sheet.empty(nothing)
    for place, row in enumerate(rows):
        top = TOP + place * height
        sheet.caption((_GAP, top), row.caption, _LONGEST)
        for column, side in enumerate((row.left, row.right)):
            corner = (_GAP + column * (_CELL[0] + _GAP), top + 20)
            sheet.cell(corner, _CELL, side, colors)
    sheet.save()


def _classes(said: Iterable[Annotation | None]) -> set[str]:
    return {str(obj.get("class")) for one in said for obj in (one or {}).get("objects", ())}


def _scored(said: Annotation, truth: Annotation | None, colors: dict[str, Color]) -> Annotation:
    """Return detections whose class names end with the score, at the size that the truth has."""
    objects = []
    for obj in said.get("objects", ()):
        name = f"{obj.get('class')} {obj.get('score', 0):.2f}"
        colors[name] = colors[str(obj.get("class"))]
        objects.append({**obj, "class": name})
    shown: Annotation = {"objects": objects}
    for side in ("width", "height"):
        if truth is not None and side in truth:
            shown[side] = truth[side]
    return shown


def _caption(pair: Pair) -> str:
    """Say in a line what happened to a sample."""
    sample = pair.sample
    name = f"{sample.old_key} -> {sample.key}" if sample.old_key else sample.key
    counts: dict[str, int] = {}
    for word in ("added", "removed", "moved", "relabelled", "changed"):
        number = len(getattr(sample.annotation, word, ()))
        if number:
            counts[word] = number
    said = ", ".join(f"{number} {word}" for word, number in counts.items())
    return plain(f"{pair.dataset}/{name}: {sample.kind}" + (f"; objects: {said}" if said else ""))
