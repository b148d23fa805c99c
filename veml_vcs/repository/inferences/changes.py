"""How the inference versions of two states differ: facts, metrics, size and latency."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.records.changes import Pair, RecordDiff, changed_records
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.changes import FactChange, MetricChange, compare_metrics
from veml_vcs.versions.inferences import InferenceRecord
from veml_vcs.versions.inferences.compare import compare_costs
from veml_vcs.versions.kinds import INFERENCE


@dataclass(frozen=True)
class InferenceDiff(RecordDiff):
    """How one inference version differs.

    Attributes:
        facts: The facts that differ; of a new one, or one that is gone, all.
        metrics: The metrics that differ, as ``facts``.
        costs: Size and latency that differ, as ``facts``; less is better.
    """

    facts: tuple[FactChange, ...]
    metrics: tuple[MetricChange, ...]
    costs: tuple[MetricChange, ...]


def inference_diffs(
    repo: Repository,
    before: Mapping[str, TreeFile],
    after: Mapping[str, TreeFile],
    wanted: Callable[[str], bool] = lambda _path: True,
) -> tuple[InferenceDiff, ...]:
    """Compare the inference versions of two Git trees; see ``changed_records``."""
    return tuple(
        inference_diff(pair.name, pair.old, pair.new)
        for pair in changed_records(repo, INFERENCE, before, after, wanted)
    )


def inference_diff(
    name: str, old: InferenceRecord | None, new: InferenceRecord | None
) -> InferenceDiff:
    """Compare two records of an inference version; None is none."""
    return InferenceDiff(
        name, INFERENCE.path(name), Pair(name, old, new).change,
        tuple(one for one in INFERENCE.compare_facts(old, new) if one.differs),
        tuple(one for one in compare_metrics(old, new) if one.differs),
        tuple(one for one in compare_costs(old, new) if one.differs),
    )  # fmt: skip
