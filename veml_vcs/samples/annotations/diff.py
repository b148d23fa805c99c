"""What differs between two versions of the annotation of one sample, object by object.

Objects are matched first (``match``); a matched pair is then compared in four respects: the box
(moved), the class (relabelled), all else it says (changed), and its place in the list (reordered).
One pair may show up in several of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.samples.annotations.boxes import (
    BOX_FIELDS,
    SHAPE_FIELDS,
    AnnotatedObject,
    box_of,
    image_size,
    iou,
    objects_of,
)
from veml_vcs.samples.annotations.canonical import child_path
from veml_vcs.samples.annotations.conflicts import MISSING
from veml_vcs.samples.annotations.counts import DiffCounts
from veml_vcs.samples.annotations.match import match_objects
from veml_vcs.samples.annotations.shapes import SHAPES
from veml_vcs.samples.annotations.three_way import all_names, same
from veml_vcs.samples.facts import Annotation


@dataclass(frozen=True)
class FieldChange:
    """One field that differs.

    Attributes:
        path: The field's name; ``attributes.color`` for one inside of a dict.
        old: Its value before, None if it was not there.
        new: Its value after, None if it is not there.
    """

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class ObjectChange:
    """One object that was added, removed or edited.

    Attributes:
        old_index: Its index in the old list, None if it was added.
        new_index: Its index in the new list, None if it was removed.
        old: The object before, None if it was added.
        new: The object after, None if it was removed.
        iou: Of its old and new box; None if it lacks either.
        fields: What differs besides box and class.
    """

    old_index: int | None
    new_index: int | None
    old: AnnotatedObject | None
    new: AnnotatedObject | None
    iou: float | None = None
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class AnnotationDiff:
    """What differs between two versions of one annotation.

    Attributes:
        added: New objects, in the new order; removed ones and all others in the old order.
        removed: Objects that are gone.
        moved: Objects whose box differs. ``area`` and ``segmentation`` follow the box and are no
            change of their own where it moved.
        relabelled: Objects whose class differs.
        changed: Objects of which anything else differs; ``fields`` says what.
        edited: All of ``moved``, ``relabelled`` and ``changed``, each object once.
        unchanged: Number of objects that are the same in both versions.
        reordered: Whether the objects in both versions stand in another order.
        fields: Image-level fields that differ (``labels``, ``splits``, ``width``...).
        annotation_added: Nothing at all was said of the sample before.
        annotation_removed: Nothing at all is said of the sample after.
    """

    added: tuple[ObjectChange, ...] = ()
    removed: tuple[ObjectChange, ...] = ()
    moved: tuple[ObjectChange, ...] = ()
    relabelled: tuple[ObjectChange, ...] = ()
    changed: tuple[ObjectChange, ...] = ()
    edited: tuple[ObjectChange, ...] = ()
    unchanged: int = 0
    reordered: bool = False
    fields: tuple[FieldChange, ...] = ()
    annotation_added: bool = False
    annotation_removed: bool = False

    @property
    def counts(self) -> DiffCounts:
        """The same in numbers, to be summed over samples."""
        labels = sum(change.path == "labels" for change in self.fields)
        return DiffCounts(
            added=len(self.added),
            removed=len(self.removed),
            moved=len(self.moved),
            relabelled=len(self.relabelled),
            changed=len(self.changed),
            edited=len(self.edited),
            unchanged=self.unchanged,
            labels=labels,
            fields=len(self.fields) - labels,
            reordered=int(self.reordered),
            annotations_added=int(self.annotation_added),
            annotations_removed=int(self.annotation_removed),
        )

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return self != AnnotationDiff(unchanged=self.unchanged)


def diff_annotation(old: Annotation | None, new: Annotation | None) -> AnnotationDiff:
    """Compare two versions of an annotation.

    Args:
        old: Before; None if nothing was said of the sample.
        new: After; None if nothing is said of the sample.

    Raises:
        InvalidInputError: One of them is not an annotation in normal form.
    """
    before, after = objects_of(old), objects_of(new)
    size = image_size(old, new)
    matching = match_objects(before, after, width=size[0], height=size[1])
    moved, relabelled, changed, edited = [], [], [], []
    for i, j in matching.pairs:
        a, b = before[i], after[j]
        if same(a, b):
            continue
        has_moved = _differs(a, b, _place_fields(a, b))
        places = (*BOX_FIELDS, "segmentation_n")
        ignored = (*places, "class", *(SHAPE_FIELDS if has_moved else ()))
        change = ObjectChange(i, j, a, b, _overlap(a, b, size), _field_changes(a, b, ignored))
        edited.append(change)
        if has_moved:
            moved.append(change)
        if _differs(a, b, ("class",)):
            relabelled.append(change)
        if change.fields:
            changed.append(change)
    order = [j for _, j in matching.pairs]
    return AnnotationDiff(
        added=tuple(ObjectChange(None, j, None, after[j]) for j in matching.added),
        removed=tuple(ObjectChange(i, None, before[i], None) for i in matching.removed),
        moved=tuple(moved),
        relabelled=tuple(relabelled),
        changed=tuple(changed),
        edited=tuple(edited),
        unchanged=len(matching.pairs) - len(edited),
        reordered=order != sorted(order),
        fields=_field_changes(old or {}, new or {}, ("objects",)),
        annotation_added=old is None and new is not None,
        annotation_removed=old is not None and new is None,
    )


def _field_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], ignored: tuple[str, ...] = (), path: str = ""
) -> tuple[FieldChange, ...]:
    changes: list[FieldChange] = []
    for name in all_names(old, new):
        a, b = old.get(name, MISSING), new.get(name, MISSING)
        if name in ignored or same(a, b):
            continue
        place = child_path(path, name)
        if isinstance(a, dict) and isinstance(b, dict):
            changes += _field_changes(a, b, path=place)
        else:
            changes.append(
                FieldChange(place, None if a is MISSING else a, None if b is MISSING else b)
            )
    return tuple(changes)


def _differs(a: AnnotatedObject, b: AnnotatedObject, names: tuple[str, ...]) -> bool:
    return not all(same(a.get(name, MISSING), b.get(name, MISSING)) for name in names)


def _place_fields(a: AnnotatedObject, b: AnnotatedObject) -> tuple[str, ...]:
    """Return the fields that say where an object is: its box, or the outline of one without."""
    if any(name in obj for obj in (a, b) for name in BOX_FIELDS):
        return (*BOX_FIELDS, "segmentation_n")
    return (*SHAPES, "keypoints")


def _overlap(
    a: AnnotatedObject, b: AnnotatedObject, size: tuple[float | None, float | None]
) -> float | None:
    old_box, new_box = box_of(a, *size), box_of(b, *size)
    return None if old_box is None or new_box is None else iou(old_box, new_box)
