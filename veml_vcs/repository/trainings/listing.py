"""``veml training ls``, ``compare`` and ``rm``: the trainings of a commit, two side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veml_vcs.errors import InvalidInputError, VemlError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.rm import RmResult, rm
from veml_vcs.repository.trainings.changes import layers_between
from veml_vcs.repository.trainings.stale import StaleTraining, stale_trainings
from veml_vcs.repository.trainings.versions import open_training, parse_training_spec, trainings_in
from veml_vcs.samples.tensors import LayerChange
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.models import ConfigChange, FactChange, compare_configs
from veml_vcs.versions.trainings import NAMES, TRAININGS, TrainingRecord
from veml_vcs.versions.trainings.compare import (
    MetricChange,
    compare_metrics,
    compare_training_facts,
)


@dataclass(frozen=True)
class ListedTraining:
    """One training in a list.

    Attributes:
        name: The training.
        version: Its version id; None if its record cannot be read.
        record: What it is; None if its record cannot be read.
        problem: Why it cannot be.
        stale: How its data or its model moved on since.
    """

    name: str
    version: VersionId | None
    record: TrainingRecord | None = None
    problem: str = ""
    stale: tuple[str, ...] = ()


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


def list_trainings(repo: Repository, revision: str | None = None) -> tuple[ListedTraining, ...]:
    """Return the trainings of a commit, or those that are staged (None), by name.

    Raises:
        NotFoundError: There is no such revision.
    """
    if revision is None:
        files = repo.git.staged_files()
    else:
        files = repo.git.files(repo.resolve(revision))
    found = trainings_in(repo, files)
    stale: dict[str, list[StaleTraining]] = {}
    for one in stale_trainings(repo, files):
        stale.setdefault(one.name, []).append(one)
    listed = [
        ListedTraining(_name(path), None, problem=error.message)
        for path, error in found.unreadable.items()
    ]
    for name, record in found.records.items():
        why = tuple(one.reason for one in stale.get(name, ()))
        listed.append(ListedTraining(name, blob_id(record.to_bytes()), record, stale=why))
    return tuple(sorted(listed, key=lambda one: one.name))


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
        compare_training_facts(left.record, right.record),
        compare_metrics(left.record, right.record),
        compare_configs(left.record.config, right.record.config),
        layers, problem,
    )  # fmt: skip


def remove_trainings(
    repo: Repository,
    names: Sequence[str],
    *,
    cached: bool = False,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> RmResult:
    """Remove the records of trainings, as ``veml rm`` removes files.

    Raises:
        NotFoundError: There is no such training.
        ConflictError: A record has changes that no commit has.
    """
    paths = [NAMES.path(parse_training_spec(name).name) for name in names]
    staged = repo.git.staged_files()
    for name, path in zip(names, paths, strict=True):
        if "@" in name:
            raise InvalidInputError(f"{name}: a version stays in its commit; only NAME is removed")
        if path not in staged:
            open_training(repo, name)  # says which there are
    return rm(
        repo, [repo.absolute(path) for path in paths], cached=cached, force=force, dry_run=dry_run,
        progress=progress,
    )  # fmt: skip


def _name(path: str) -> str:
    return path.removeprefix(TRAININGS).removesuffix(RECORD_SUFFIX)
