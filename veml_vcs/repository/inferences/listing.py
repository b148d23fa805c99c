"""``veml inference ls`` and ``compare``: the inference versions of a commit, two side by side."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.ids import VersionId
from veml_vcs.repository.inferences.versions import open_inference
from veml_vcs.repository.records.listing import ListedRecord, list_records
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.changes import FactChange, MetricChange, compare_metrics
from veml_vcs.versions.inferences import InferenceRecord
from veml_vcs.versions.inferences.compare import compare_costs
from veml_vcs.versions.kinds import INFERENCE


@dataclass(frozen=True)
class InferenceComparison:
    """Two inference versions side by side.

    Attributes:
        old: The first, as the user named it.
        new: The second.
        old_version: Version id of the first.
        new_version: Version id of the second.
        same_file: Whether the deployed files are equal, byte for byte.
        facts: What each of them is, fact by fact, also where they are the same.
        metrics: Every metric that either has.
        costs: Size in bytes and latency in ms; less is better.
    """

    old: str
    new: str
    old_version: VersionId
    new_version: VersionId
    same_file: bool
    facts: tuple[FactChange, ...]
    metrics: tuple[MetricChange, ...]
    costs: tuple[MetricChange, ...]

    @property
    def differs(self) -> bool:
        """Whether they are two versions."""
        return self.old_version != self.new_version


def list_inferences(
    repo: Repository, revision: str | None = None
) -> tuple[ListedRecord[InferenceRecord], ...]:
    """Return the inference versions of a commit, or those that are staged (None), by name.

    Raises:
        NotFoundError: There is no such revision.
    """
    return list_records(repo, INFERENCE, revision)


def compare_inferences(repo: Repository, old: str, new: str) -> InferenceComparison:
    """Compare two inference versions, each ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such inference version.
    """
    left, right = open_inference(repo, old), open_inference(repo, new)
    one, other = left.record, right.record
    return InferenceComparison(
        old, new, left.id, right.id, one.file.sha256 == other.file.sha256,
        INFERENCE.compare_facts(one, other), compare_metrics(one, other), compare_costs(one, other),
    )  # fmt: skip
