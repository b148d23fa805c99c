"""Three-way merge of the annotation of one sample.

Objects are merged one by one (``merge_objects``), image-level fields one by one, dicts among them
by key. ``labels``, ``splits`` and ``sources`` are sets: what either side added or removed is added
or removed. But where a sample had (at most) one label and each side gave it one of its own, they do
not mean that it has two: that is a conflict. Likewise for splits, where a union would put one
sample into both ``val`` and ``test``.

``None`` stands for "nothing is said of this sample", which is not the same as ``{}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations.boxes import image_size, objects_of
from veml_vcs.samples.annotations.canonical import child_path
from veml_vcs.samples.annotations.conflicts import (
    MISSING,
    RESOLUTIONS,
    Chooser,
    Conflict,
    ConflictKind,
    Ledger,
    Resolution,
)
from veml_vcs.samples.annotations.counts import MergeCounts
from veml_vcs.samples.annotations.merge_objects import merge_objects
from veml_vcs.samples.annotations.three_way import (
    CLASH,
    all_names,
    merge_set,
    merge_value,
    same,
    settle,
)
from veml_vcs.samples.facts import Annotation

SET_FIELDS = ("labels", "splits", "sources")

_ONE_OF = {"labels": ConflictKind.LABELS_BOTH, "splits": ConflictKind.SPLITS_BOTH}


@dataclass(frozen=True)
class AnnotationMerge:
    """The merge of one sample's annotation.

    Attributes:
        merged: The result, None if nothing is said of the sample any more. While there are
            conflicts, ours stands in their place, or the object or annotation that was changed
            where the other side removed it. Shares parts with what was merged: read only.
        conflicts: What both sides changed differently.
        counts: Where the objects came from.
    """

    merged: Annotation | None
    conflicts: tuple[Conflict, ...]
    counts: MergeCounts


def merge_annotation(
    base: Annotation | None,
    ours: Annotation | None,
    theirs: Annotation | None,
    chooser: Chooser | None = None,
) -> AnnotationMerge:
    """Merge two versions of an annotation that began as ``base``.

    Args:
        base: The common ancestor's, None if it had none.
        ours: Our side's, None if there is none.
        theirs: Their side's, None if there is none.
        chooser: Settles conflicts; None leaves all open.

    Raises:
        InvalidInputError: One of them is not an annotation in normal form.
    """
    ledger = Ledger(chooser)
    merged, counts = _merge(base, ours, theirs, ledger)
    return AnnotationMerge(merged, tuple(ledger.conflicts), counts)


def resolve(
    base: Annotation | None,
    ours: Annotation | None,
    theirs: Annotation | None,
    choice: Resolution,
) -> Annotation | None:
    """Merge, with all conflicts of the sample settled to one side, or to both.

    What does not conflict is merged as ever: choosing ``ours`` keeps what theirs changed elsewhere.
    Choosing ``base`` of an object that both sides added drops it. ``both`` makes two objects of
    one that both sides changed; what it has no meaning for (an object that one side removed) is as
    in a merge with open conflicts.

    Args:
        base: As for ``merge_annotation``.
        ours: As for ``merge_annotation``.
        theirs: As for ``merge_annotation``.
        choice: ``ours``, ``theirs``, ``base`` or ``both``.

    Raises:
        InvalidInputError: As for ``merge_annotation``, or ``choice`` is none of the four.
    """
    if choice not in RESOLUTIONS:
        raise InvalidInputError(f"choice: expected ours, theirs, base or both, found {choice!r}")
    merged, _ = _merge(base, ours, theirs, Ledger(choice))
    return merged


def _merge(
    base: Annotation | None, ours: Annotation | None, theirs: Annotation | None, ledger: Ledger
) -> tuple[Annotation | None, MergeCounts]:
    if base is not None and (ours is None or theirs is None):
        return _merge_removed(base, ours, theirs, ledger)
    if ours is None and theirs is None:
        return None, MergeCounts()
    return _merge_fields(base or {}, ours or {}, theirs or {}, ledger)


def _merge_removed(
    base: Annotation, ours: Annotation | None, theirs: Annotation | None, ledger: Ledger
) -> tuple[Annotation | None, MergeCounts]:
    """Merge where one side, or both, removed all that was said of the sample."""
    count = len(objects_of(base))
    if ours is None and theirs is None:
        return None, MergeCounts(base=count, removed_both=count)
    changed = theirs if ours is None else ours
    chosen: Any = None
    if not same(base, changed):
        chosen = ledger.pick(
            ConflictKind.ANNOTATION_REMOVED_CHANGED,
            "annotation",
            base,
            MISSING if ours is None else ours,
            MISSING if theirs is None else theirs,
            meanwhile="theirs" if ours is None else "ours",
        )
    if chosen is None or chosen is MISSING:
        if ours is None:
            return None, MergeCounts(base=count, removed_ours=count)
        return None, MergeCounts(base=count, removed_theirs=count)
    # The side that removed it is overruled: count as if it had done nothing.
    if ours is None:
        return _merge_fields(base, base, chosen, ledger)
    return _merge_fields(base, chosen, base, ledger)


def _merge_fields(
    base: Annotation, ours: Annotation, theirs: Annotation, ledger: Ledger
) -> tuple[Annotation, MergeCounts]:
    merged: Annotation = {}
    counts = MergeCounts()
    for name in all_names(ours, theirs, base):
        versions = [annotation.get(name, MISSING) for annotation in (base, ours, theirs)]
        if name == "objects":
            value, counts = _merge_objects(base, ours, theirs, ledger)
        elif name == "id":
            value = settle(*versions)
            if value is CLASH:  # a number is a name, not a statement
                value = versions[1]
        elif name in SET_FIELDS and all(map(_is_set, versions)):
            value = _merge_set_field(name, *versions, ledger=ledger)
        else:
            kind = ConflictKind.IMAGE_FIELD_BOTH
            value = merge_value(*versions, kind=kind, path=child_path("", name), ledger=ledger)
        if value is not MISSING:
            merged[name] = value
    return merged, counts


def _merge_objects(
    base: Annotation, ours: Annotation, theirs: Annotation, ledger: Ledger
) -> tuple[Any, MergeCounts]:
    objects, counts = merge_objects(
        objects_of(base),
        objects_of(ours),
        objects_of(theirs),
        size=image_size(base, ours, theirs),
        ledger=ledger,
    )
    # An empty list and no list are different things to a format: the side that changed it says.
    there = settle(*("objects" in annotation for annotation in (base, ours, theirs)))
    return (objects if objects or there else MISSING), counts


def _merge_set_field(name: str, base: Any, ours: Any, theirs: Any, *, ledger: Ledger) -> Any:
    value = settle(base, ours, theirs)
    if value is not CLASH:
        return value
    before, mine, yours = ([] if side is MISSING else side for side in (base, ours, theirs))
    if name in _ONE_OF and len(before) <= 1 and len(mine) == len(yours) == 1:
        return ledger.pick(_ONE_OF[name], name, base, ours, theirs)
    merged = merge_set(before, mine, yours)
    if mine == sorted(mine) and yours == sorted(yours):
        merged.sort()
    return merged


def _is_set(value: Any) -> bool:
    """Tell whether a field can be merged as a set: a list of texts, each once, or no field."""
    if value is MISSING:
        return True
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return False
    return len(set(value)) == len(value)
