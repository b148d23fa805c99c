"""Annotations as values: canonical form and id, matching, diff and three-way merge."""

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
from veml_vcs.samples.annotations.conflicts import Choice, Chooser, Conflict, ConflictKind
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
    "annotation_id",
    "box_of",
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
