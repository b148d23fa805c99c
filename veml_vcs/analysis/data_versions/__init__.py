"""What veml knows of data versions: embeddings, core sets, which are similar, what has drifted."""

from veml_vcs.analysis.data_versions.drift import DriftAnswer, drift
from veml_vcs.analysis.data_versions.similar import (
    KnownVersion,
    Similarity,
    SimilarRow,
    known_places,
    similar,
)
from veml_vcs.analysis.data_versions.summary import VersionSummary

__all__ = [
    "DriftAnswer",
    "KnownVersion",
    "SimilarRow",
    "Similarity",
    "VersionSummary",
    "drift",
    "known_places",
    "similar",
]
