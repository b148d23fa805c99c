"""Zarr stores as users have them: their chunks read, compared and merged by element.

Not veml's own store, which is Zarr, too: that is ``fragments``. Which files of a folder are chunks
is told by their names, in ``samples.formats.zarr``.
"""

from __future__ import annotations

from veml_vcs.samples.zarrs.merge_meta import merge_meta
from veml_vcs.samples.zarrs.meta import ArrayMeta, layout_of, read_meta
from veml_vcs.samples.zarrs.store import (
    ArraySummary,
    Side,
    diff_store,
    merge_chunk,
    meta_of,
    read_whole,
    summarise_store,
)

__all__ = [
    "ArrayMeta",
    "ArraySummary",
    "Side",
    "diff_store",
    "layout_of",
    "merge_chunk",
    "merge_meta",
    "meta_of",
    "read_meta",
    "read_whole",
    "summarise_store",
]
