"""Settle a conflict of trainings by the mean of both sides' checkpoints.

That there is a conflict, and that nothing of a record is merged, is of every measured kind
(``records/merging``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veml_vcs.errors import ConflictError
from veml_vcs.repository.merging.operation import how_to_end
from veml_vcs.repository.merging.state import load_merge_state
from veml_vcs.repository.merging.waiting import waiting
from veml_vcs.repository.records.merging import record_conflicts
from veml_vcs.repository.records.versions import record_of_file
from veml_vcs.repository.records.write import stage_record
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.average import averaged
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.repository.trainings.write import store_training
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import TrainingRecord


@dataclass(frozen=True)
class AveragedTraining:
    """A conflict that was settled by averaging.

    Attributes:
        name: The training.
        path: Its record, from the repository's root.
        record: What it is now; nothing was measured.
    """

    name: str
    path: str
    record: TrainingRecord


@dataclass(frozen=True)
class AveragedResult:
    """What was settled by averaging, and what is still in conflict.

    Attributes:
        trainings: The trainings that were.
        left: Paths that still are.
        finish: What to type when nothing is left.
    """

    trainings: tuple[AveragedTraining, ...]
    left: tuple[str, ...]
    finish: str


def resolve_by_average(
    repo: Repository, paths: Sequence[str], *, weight: float = 0.5
) -> AveragedResult:
    """Settle conflicts of trainings by the mean of both sides' checkpoints.

    Args:
        repo: The repository.
        paths: Records in conflict, or names of their trainings.
        weight: Of theirs, 0 to 1.

    Raises:
        ConflictError: One of them is no conflict of a training.
        InvalidInputError: Two sides are not of one network, or have no parent in common. Nothing is
            settled then.
    """
    with repo.lock("veml resolve"):
        conflicts = {path for path in record_conflicts(repo) if TRAINING.may_be(path)}
        wanted = [
            path if path in conflicts else f"{TRAINING.folder}{path}{RECORD_SUFFIX}"
            for path in paths
        ]
        for given, path in zip(paths, wanted, strict=True):
            if path not in conflicts:
                raise ConflictError(
                    f"{given}: not a training in conflict, and nothing else has a mean",
                    hint="veml status lists what is; veml resolve KEY --ours|--theirs",
                    kind="no-conflict",
                )
        outcomes = {path: averaged(*_sides(repo, path), weight) for path in wanted}
        done = []
        for path, outcome in outcomes.items():
            stored = store_training(repo, outcome, path)
            stage_record(repo, path, stored.data)
            done.append(AveragedTraining(TRAINING.name_of(path), path, stored.record))
        left = tuple(repo.git.conflicted_paths())
    return AveragedResult(tuple(done), left, _finish(repo))


def _finish(repo: Repository) -> str:
    """Return what to type to finish what is under way."""
    state = load_merge_state(repo)
    if state is not None:
        return how_to_end(state.kind, by_git=state.by_git)[0]
    rebased = any(one.kind == "rebase" for one in waiting(repo))
    return how_to_end("rebase" if rebased else "merge", by_git=True)[0]


def _sides(repo: Repository, path: str) -> tuple[TrainingVersion, TrainingVersion]:
    name = TRAINING.name_of(path)
    found = []
    for label, file in zip(("ours", "theirs"), repo.git.conflict_stages(path)[1:], strict=True):
        record = record_of_file(repo, TRAINING, path, file)
        assert record is not None  # record_conflicts looked
        found.append(TrainingVersion(repo, name, label, record))
    return found[0], found[1]
