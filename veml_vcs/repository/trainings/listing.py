"""``veml training ls`` and ``compare``: the trainings of a commit, two side by side."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.errors import VemlError
from veml_vcs.ids import VersionId
from veml_vcs.repository.records.listing import ListedRecord, list_records
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.changes import layers_between
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.samples.tensors import LayerChange
from veml_vcs.versions.changes import FactChange, MetricChange, compare_metrics
from veml_vcs.versions.configs.flat import ConfigChange, compare_configs
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import TrainingRecord


@dataclass(frozen=True)
class TrainingComparison:
    """Two training versions side by side.

    Attributes:
        old: The first, as the user named it.
        new: The second.
        old_version: Version id of the first.
        new_version: Version id of the second.
        facts: What each of them is, fact by fact, also where they are the same.
        metrics: Every metric that either has.
        changes: Keys of the config that differ.
        layers: Layers of the checkpoints that differ; None where that cannot be told.
        layers_problem: Why not.
    """

    old: str
    new: str
    old_version: VersionId
    new_version: VersionId
    facts: tuple[FactChange, ...]
    metrics: tuple[MetricChange, ...]
    changes: tuple[ConfigChange, ...]
    layers: tuple[LayerChange, ...] | None
    layers_problem: str = ""

    @property
    def differs(self) -> bool:
        """Whether they are two versions."""
        return self.old_version != self.new_version


def list_trainings(
    repo: Repository, revision: str | None = None
) -> tuple[ListedRecord[TrainingRecord], ...]:
    """Return the trainings of a commit, or those that are staged (None), by name.

    Raises:
        NotFoundError: There is no such revision.
    """
    return list_records(repo, TRAINING, revision)


def compare_trainings(repo: Repository, old: str, new: str) -> TrainingComparison:
    """Compare two training versions, each ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such training.
    """
    left, right = open_training(repo, old), open_training(repo, new)
    problem = ""
    layers = None
    try:
        layers = layers_between(repo, left.record, right.record)
    except VemlError as error:  # a clone without the data still tells the rest
        problem = error.message
    return TrainingComparison(
        old, new, left.id, right.id,
        TRAINING.compare_facts(left.record, right.record),
        compare_metrics(left.record, right.record),
        compare_configs(left.record.config, right.record.config),
        layers, problem,
    )  # fmt: skip
