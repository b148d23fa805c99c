"""How the trainings of two states differ: facts, metrics, config, and layers of the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from veml_vcs.errors import VemlError
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.records.changes import Pair, RecordDiff, changed_records
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.changes import FactChange, MetricChange, compare_metrics
from veml_vcs.versions.configs.flat import ConfigChange, compare_configs
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import TrainingRecord

if TYPE_CHECKING:
    from veml_vcs.samples.tensors import LayerChange


@dataclass(frozen=True)
class TrainingDiff(RecordDiff):
    """How one training differs.

    Attributes:
        facts: The facts that differ; of a new training, or one that is gone, all.
        metrics: The metrics that differ; of a new training, or one that is gone, all.
        changes: The keys of its config that differ.
        layers: The layers of its checkpoint that differ, where they were compared; None elsewhere.
        layers_problem: Why they could not be.
    """

    facts: tuple[FactChange, ...]
    metrics: tuple[MetricChange, ...]
    changes: tuple[ConfigChange, ...]
    layers: tuple[LayerChange, ...] | None = None
    layers_problem: str = ""


def training_diffs(
    repo: Repository,
    before: Mapping[str, TreeFile],
    after: Mapping[str, TreeFile],
    wanted: Callable[[str], bool] = lambda _path: True,
    *,
    layers: bool = False,
) -> tuple[TrainingDiff, ...]:
    """Compare the trainings of two Git trees, or of one and the index.

    A record that cannot be read, on either side, is left to whoever compares ordinary files.

    Args:
        repo: The repository.
        before: The files of the first.
        after: The files of the second.
        wanted: Tells whether a path is asked for.
        layers: Compare checkpoints, too; that reads the tensors that differ.
    """
    found = []
    for pair in changed_records(repo, TRAINING, before, after, wanted):
        one = training_diff(pair.name, pair.old, pair.new)
        if layers and pair.old is not None and pair.new is not None:
            one = with_layers(repo, one, pair.old, pair.new)
        found.append(one)
    return tuple(found)


def training_diff(
    name: str, old: TrainingRecord | None, new: TrainingRecord | None
) -> TrainingDiff:
    """Compare two records of a training; None is none."""
    return TrainingDiff(
        name, TRAINING.path(name), Pair(name, old, new).change,
        tuple(one for one in TRAINING.compare_facts(old, new) if one.differs),
        tuple(one for one in compare_metrics(old, new) if one.differs),
        compare_configs({} if old is None else old.config, {} if new is None else new.config),
    )  # fmt: skip


def with_layers(
    repo: Repository, one: TrainingDiff, old: TrainingRecord, new: TrainingRecord
) -> TrainingDiff:
    """Return a difference with the layers of the checkpoints, or why they cannot be told."""
    try:
        layers = layers_between(repo, old, new)
    except VemlError as error:  # a clone without the data still tells the rest
        return replace(one, layers_problem=error.message)
    return replace(one, layers=layers)


def layers_between(
    repo: Repository, old: TrainingRecord, new: TrainingRecord
) -> tuple[LayerChange, ...]:
    """Return the layers by which the checkpoints of two trainings differ.

    Raises:
        NotFoundError: This clone's store does not have one of them.
        DamagedError: What is stored is no checkpoint.
    """
    from veml_vcs.samples.tensors import compare_checkpoints, layer_changes

    trees = old.checkpoint.tree, new.checkpoint.tree
    if trees[0] == trees[1]:
        return ()
    return layer_changes(compare_checkpoints(repo.store, repo.catalog, *trees))
