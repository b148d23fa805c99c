"""Class masks: what differs between two, in pixels by class, and their three-way merge by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from veml_vcs.errors import FormatError
from veml_vcs.samples.annotations.conflicts import Choice
from veml_vcs.samples.masks.png import Mask


@dataclass(frozen=True)
class MaskDiff:
    """How two class masks differ.

    Attributes:
        pixels: Number of pixels of the mask.
        changed: Number of pixels of another class.
        moves: (class before, class after) -> number of pixels, the most first. Classes are names
            where the data set lists them, else numbers.
        resized: The masks are of different sizes; then nothing else is told.
    """

    pixels: int
    changed: int = 0
    moves: Mapping[str, int] | None = None
    resized: bool = False


@dataclass(frozen=True)
class MaskMerge:
    """The merge of a class mask.

    Attributes:
        mask: The result; ours (or what is chosen) where both sides changed a pixel differently.
        clashes: Number of these pixels.
        box: The box around them: left, top, right, bottom; None if there are none.
    """

    mask: Mask
    clashes: int
    box: tuple[int, int, int, int] | None


def diff_masks(old: Mask, new: Mask, names: Mapping[int, str]) -> MaskDiff:
    """Compare two masks.

    Args:
        old: Before.
        new: After.
        names: Class number -> name, as far as known.
    """
    if old.values.shape != new.values.shape:
        return MaskDiff(new.values.size, resized=True)
    differ = old.values != new.values
    pairs, counts = np.unique(
        np.stack([old.values[differ], new.values[differ]], 1), axis=0, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    moves = {
        f"{names.get(int(pairs[i, 0]), int(pairs[i, 0]))} -> "
        f"{names.get(int(pairs[i, 1]), int(pairs[i, 1]))}": int(counts[i])
        for i in order
    }
    return MaskDiff(new.values.size, int(differ.sum()), moves)


def merge_masks(base: Mask, ours: Mask, theirs: Mask, choice: Choice | None = None) -> MaskMerge:
    """Merge two masks that began as ``base``, pixel by pixel.

    Args:
        base: The common ancestor.
        ours: Our side's.
        theirs: Their side's.
        choice: The side whose pixels stand where both changed one; None: ours stand meanwhile.

    Raises:
        FormatError: The masks are of different sizes or kinds.
    """
    shapes = {(one.values.shape, one.color, one.before) for one in (base, ours, theirs)}
    if len(shapes) > 1:
        raise FormatError("masks of different sizes or palettes cannot be merged by pixel")
    a, b, c = base.values, ours.values, theirs.values
    merged = np.where(b == a, c, b)
    clash = (b != a) & (c != a) & (b != c)
    if choice in ("theirs", "base"):
        merged = np.where(clash, c if choice == "theirs" else a, merged)
    ys, xs = np.nonzero(clash)
    box = None
    if len(xs):
        box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    return MaskMerge(replace(ours, values=merged), len(xs), box)


def class_names(text: str) -> dict[int, str]:
    """Read a list of classes: ``3 Road`` a line, or a name a line, numbered from 0."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found: dict[int, str] = {}
    for place, line in enumerate(lines):
        head, _, rest = line.replace(",", " ").replace(":", " ").partition(" ")
        if head.isascii() and head.isdigit() and len(head) < 6 and rest.strip():
            found[int(head)] = rest.strip()
        else:
            found[place] = line
    return found
