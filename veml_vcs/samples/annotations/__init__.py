"""Annotations as values: canonical form and id, matching, diff and three-way merge.

Names are imported when they are first used: ``veml status`` needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veml_vcs.samples.annotations.boxes import (
        AnnotatedObject,
        Box,
        box_of,
        image_size,
        iou,
        objects_of,
    )
    from veml_vcs.samples.annotations.canonical import (
        annotation_id,
        canonical_bytes,
        canonical_json,
        has_id,
        parse,
    )
    from veml_vcs.samples.annotations.conflicts import (
        Choice,
        Chooser,
        Conflict,
        ConflictKind,
        Resolution,
        can_be_both,
    )
    from veml_vcs.samples.annotations.counts import DiffCounts, MergeCounts
    from veml_vcs.samples.annotations.diff import (
        AnnotationDiff,
        FieldChange,
        ObjectChange,
        diff_annotation,
    )
    from veml_vcs.samples.annotations.match import Matching, match_objects
    from veml_vcs.samples.annotations.merge import AnnotationMerge, merge_annotation, resolve

__all__ = [
    "AnnotatedObject",
    "AnnotationDiff",
    "AnnotationMerge",
    "Box",
    "Choice",
    "Chooser",
    "Conflict",
    "ConflictKind",
    "DiffCounts",
    "FieldChange",
    "Matching",
    "MergeCounts",
    "ObjectChange",
    "Resolution",
    "annotation_id",
    "box_of",
    "can_be_both",
    "canonical_bytes",
    "canonical_json",
    "diff_annotation",
    "has_id",
    "image_size",
    "iou",
    "match_objects",
    "merge_annotation",
    "objects_of",
    "parse",
    "resolve",
]

_MODULES = {
    "AnnotatedObject": "boxes",
    "AnnotationDiff": "diff",
    "AnnotationMerge": "merge",
    "Box": "boxes",
    "Choice": "conflicts",
    "Chooser": "conflicts",
    "Conflict": "conflicts",
    "ConflictKind": "conflicts",
    "DiffCounts": "counts",
    "FieldChange": "diff",
    "Matching": "match",
    "MergeCounts": "counts",
    "ObjectChange": "diff",
    "Resolution": "conflicts",
    "annotation_id": "canonical",
    "box_of": "boxes",
    "can_be_both": "conflicts",
    "canonical_bytes": "canonical",
    "canonical_json": "canonical",
    "diff_annotation": "diff",
    "has_id": "canonical",
    "image_size": "boxes",
    "iou": "boxes",
    "match_objects": "match",
    "merge_annotation": "merge",
    "objects_of": "boxes",
    "parse": "canonical",
    "resolve": "merge",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
