"""Arrays in NPY files: read without pickles, compared and merged by element and by row."""

from veml_vcs.samples.arrays.npy import (
    ArrayDiff,
    ArrayMerge,
    diff_arrays,
    merge_arrays,
    read_array,
    write_array,
)

__all__ = [
    "ArrayDiff",
    "ArrayMerge",
    "diff_arrays",
    "merge_arrays",
    "read_array",
    "write_array",
]
