"""What a diff or a merge did, in numbers that add up: ``sum(counts, DiffCounts())``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True)
class _Counts:
    def __add__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return type(self)(
            *(getattr(self, item.name) + getattr(other, item.name) for item in fields(self))
        )


@dataclass(frozen=True)
class DiffCounts(_Counts):
    """How much differs between two versions of annotations.

    Attributes:
        added: Objects only the new version has.
        removed: Objects only the old version has.
        moved: Objects whose box differs.
        relabelled: Objects whose class differs.
        changed: Objects of which any other field differs.
        edited: Objects in both versions that differ in any way; one that is both moved and
            relabelled counts once here.
        unchanged: Objects in both versions, without a difference.
        labels: Samples whose image-level class names (``labels``) differ.
        fields: Other image-level fields that differ.
        reordered: Samples whose common objects stand in another order.
        annotations_added: Samples only the new version says something of.
        annotations_removed: Samples only the old version says something of.
    """

    added: int = 0
    removed: int = 0
    moved: int = 0
    relabelled: int = 0
    changed: int = 0
    edited: int = 0
    unchanged: int = 0
    labels: int = 0
    fields: int = 0
    reordered: int = 0
    annotations_added: int = 0
    annotations_removed: int = 0


@dataclass(frozen=True)
class MergeCounts(_Counts):
    """Where the objects of a merge came from, and where they went. Each object counts once.

    Attributes:
        base: Objects of the common ancestor.
        added_ours: Added by ours alone.
        added_theirs: Added by theirs alone; also their version of an object of which both are kept.
        added_both: The same object (or nearly so: a conflict) added by both, taken once. Where both
            are kept, one counts as added by ours and one as added by theirs.
        removed_ours: Removed by ours alone. An object that the other side changed meanwhile is
            kept until its conflict is settled, and is not counted.
        removed_theirs: Removed by theirs alone.
        removed_both: Removed by both.
        merged: Objects of the result.
    """

    base: int = 0
    added_ours: int = 0
    added_theirs: int = 0
    added_both: int = 0
    removed_ours: int = 0
    removed_theirs: int = 0
    removed_both: int = 0
    merged: int = 0

    @property
    def balanced(self) -> bool:
        """Tell whether base + added - removed = merged."""
        added = self.added_ours + self.added_theirs + self.added_both
        removed = self.removed_ours + self.removed_theirs + self.removed_both
        return self.base + added - removed == self.merged
