"""From samples to vectors. torch and Pillow are imported when an embedder is first used."""

from __future__ import annotations

from veml_vcs.analysis.embedders.base import Embedder, UnreadableSampleError
from veml_vcs.analysis.embedders.registry import DEFAULT_EMBEDDER, embedder_names, get_embedder

__all__ = [
    "DEFAULT_EMBEDDER",
    "Embedder",
    "UnreadableSampleError",
    "embedder_names",
    "get_embedder",
]
