"""Class masks in PNG files: read and written without loss, compared and merged by pixel."""

from veml_vcs.samples.masks.compare import (
    MaskDiff,
    MaskMerge,
    class_names,
    diff_masks,
    merge_masks,
)
from veml_vcs.samples.masks.png import Mask, read_mask

__all__ = [
    "Mask",
    "MaskDiff",
    "MaskMerge",
    "class_names",
    "diff_masks",
    "merge_masks",
    "read_mask",
]
