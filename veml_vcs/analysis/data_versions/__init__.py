"""What veml knows of data versions: embeddings, core sets, which are similar, what has drifted."""

from veml_vcs.analysis.data_versions.drift import DriftAnswer, drift
from veml_vcs.analysis.data_versions.similar import Similarity, SimilarRow, similar
from veml_vcs.analysis.data_versions.summary import VersionSummary

__all__ = ["DriftAnswer", "SimilarRow", "Similarity", "VersionSummary", "drift", "similar"]
