"""Arrays in NPY and NPZ files: read without pickles, compared and merged by element and by row."""

from veml_vcs.samples.arrays.npy import (
    ArrayDiff,
    ArrayMerge,
    diff_arrays,
    merge_arrays,
    read_array,
    write_array,
)
from veml_vcs.samples.arrays.npz import (
    Archive,
    ArchiveConflict,
    ArchiveMerge,
    diff_npz,
    merge_npz,
    read_npz,
    write_npz,
)
from veml_vcs.samples.arrays.summary import ArrayFacts, summarise_array

__all__ = [
    "Archive",
    "ArchiveConflict",
    "ArchiveMerge",
    "ArrayDiff",
    "ArrayFacts",
    "ArrayMerge",
    "diff_arrays",
    "diff_npz",
    "merge_arrays",
    "merge_npz",
    "read_array",
    "read_npz",
    "summarise_array",
    "write_array",
    "write_npz",
]
