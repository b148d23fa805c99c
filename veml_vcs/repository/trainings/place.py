"""Whether there are trainings at all: asked by every command before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from veml_vcs.errors import FormatError
from veml_vcs.versions.data import RECORD_SUFFIX

if TYPE_CHECKING:
    from veml_vcs.ids import VersionId
    from veml_vcs.repository.git.repo import TreeFile
    from veml_vcs.repository.repository import Repository
    from veml_vcs.repository.trainings.changes import TrainingDiff
    from veml_vcs.repository.trainings.merging import TrainingConflict
    from veml_vcs.repository.trainings.stale import StaleTraining
    from veml_vcs.versions.trainings import TrainingRecord

TRAININGS_FOLDER = "trainings/"


def may_be_training(path: str) -> bool:
    """Tell by its path alone whether a file can be the record of a training."""
    return path.startswith(TRAININGS_FOLDER) and path.endswith(RECORD_SUFFIX)


def is_training(data: bytes) -> bool:
    """Tell cheaply whether a file describes a training version, as ``is_training_record`` does."""
    return b'\n "kind": "training",\n' in data


def any_training_diffs(
    repo: Repository,
    before: Mapping[str, TreeFile],
    after: Mapping[str, TreeFile],
    wanted: Callable[[str], bool] = lambda _path: True,
    *,
    layers: bool = False,
) -> tuple[TrainingDiff, ...]:
    """Return ``training_diffs`` where a file that may be a training's record differs."""
    paths = [path for path in {*before, *after} if may_be_training(path)]
    if all(before.get(path) == after.get(path) for path in paths):
        return ()
    from veml_vcs.repository.trainings.changes import training_diffs

    return training_diffs(repo, before, after, wanted, layers=layers)


def any_stale_trainings(
    repo: Repository, files: Mapping[str, TreeFile], conflicted: Collection[str] = ()
) -> tuple[StaleTraining, ...]:
    """Return ``stale_trainings`` where a file may be a training's record.

    Args:
        repo: The repository.
        files: The Git tree, or the index.
        conflicted: Paths in conflict: what they will be is not known yet.
    """
    if not any(map(may_be_training, files)):
        return ()
    from veml_vcs.repository.trainings.stale import stale_trainings

    return tuple(one for one in stale_trainings(repo, files) if one.needs not in conflicted)


def any_training_conflicts(
    repo: Repository, conflicted: Iterable[str]
) -> dict[str, TrainingConflict]:
    """Return ``training_conflicts`` where a path in conflict may be a training's record."""
    if not any(map(may_be_training, conflicted)):
        return {}
    from veml_vcs.repository.trainings.merging import training_conflicts

    return training_conflicts(repo)


def training_problem(data: bytes, where: str) -> str | None:
    """Return ``check.training_problem``."""
    from veml_vcs.repository.trainings.check import training_problem as problem

    return problem(data, where)


def blocked_records(repo: Repository, changed: Mapping[str, VersionId]) -> list[tuple[str, str]]:
    """Return ``check.blocked_trainings`` where a record among what changed is a training's."""
    records = {path: blob for path, blob in changed.items() if path.endswith(RECORD_SUFFIX)}
    if not any(is_training(repo.git.read_blob(blob)) for blob in records.values()):
        return []
    from veml_vcs.repository.trainings.check import blocked_trainings

    return list(blocked_trainings(repo, records))


def readable_training(data: bytes) -> TrainingRecord | None:
    """Return what the record of a training says; None if it is none, or cannot be read."""
    if not is_training(data):
        return None
    from veml_vcs.versions.trainings import parse_training_record

    try:
        return parse_training_record(data, "")
    except FormatError:
        return None
