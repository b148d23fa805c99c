"""Numbers about data: core set, similarity, drift. What needs torch is in `embedders`."""

from __future__ import annotations

from veml_vcs.analysis.coreset import Assignment, CoreSet, assign, greedy_k_center, plain_greedy
from veml_vcs.analysis.distances import pairwise_distances
from veml_vcs.analysis.drift import (
    CentreChange,
    DriftReport,
    FarSample,
    PaperRule,
    Where,
    detect_drift,
    effect_word,
    paper_rule,
)
from veml_vcs.analysis.sampling import Split, holdout_size, split_holdout, uniform_sample
from veml_vcs.analysis.similarity import (
    Similar,
    Summary,
    core_set_distance,
    energy_distance,
    rank,
)
from veml_vcs.analysis.two_sample import (
    MeanEmbeddingTest,
    PermutationTest,
    mean_embedding_test,
    permutation_test,
)

__all__ = [
    "Assignment",
    "CentreChange",
    "CoreSet",
    "DriftReport",
    "FarSample",
    "MeanEmbeddingTest",
    "PaperRule",
    "PermutationTest",
    "Similar",
    "Split",
    "Summary",
    "Where",
    "assign",
    "core_set_distance",
    "detect_drift",
    "effect_word",
    "energy_distance",
    "greedy_k_center",
    "holdout_size",
    "mean_embedding_test",
    "pairwise_distances",
    "paper_rule",
    "permutation_test",
    "plain_greedy",
    "rank",
    "split_holdout",
    "uniform_sample",
]
