"""Both sides of a merge changed one training: a conflict of the whole record, and its settling.

A metric belongs to one checkpoint, on one data version. A record in which a merge by line had put
the metrics of one side beside the checkpoint of the other would lie, so nothing of it is merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veml_vcs.errors import ConflictError, FormatError, InvalidInputError
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.operation import how_to_end
from veml_vcs.repository.merging.state import load_merge_state
from veml_vcs.repository.merging.waiting import waiting
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.average import averaged
from veml_vcs.repository.trainings.changes import TrainingDiff, training_diff
from veml_vcs.repository.trainings.place import may_be_training
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.repository.trainings.write import stage_training, store_training
from veml_vcs.versions.trainings import (
    NAMES,
    TrainingRecord,
    is_training_record,
    parse_training_record,
)

Three = tuple[TreeFile | None, TreeFile | None, TreeFile | None]


@dataclass(frozen=True)
class TrainingConflict:
    """A training that both sides of a merge changed, and differently.

    Attributes:
        name: The training.
        path: Its record, from the repository's root.
        ours: What we did to it, since the common ancestor.
        theirs: What they did.
    """

    name: str
    path: str
    ours: TrainingDiff
    theirs: TrainingDiff


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


def are_trainings(repo: Repository, path: str, three: Three) -> bool:
    """Tell whether our and their file at a path are records of a training that can be read."""
    return may_be_training(path) and all(
        file is not None and _record(repo, path, file) is not None for file in three[1:]
    )


def training_conflicts(repo: Repository) -> dict[str, TrainingConflict]:
    """Return the records of trainings that are in conflict in the index, by path."""
    found = {}
    for path in repo.git.conflicted_paths():
        if not may_be_training(path):
            continue
        base, ours, theirs = (
            None if file is None else _record(repo, path, file)
            for file in repo.git.conflict_stages(path)
        )
        if ours is not None and theirs is not None:
            name = NAMES.name(path)
            sides = training_diff(name, base, ours), training_diff(name, base, theirs)
            found[path] = TrainingConflict(name, path, *sides)
    return found


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
        conflicts = training_conflicts(repo)
        wanted = [path if path in conflicts else f"trainings/{path}.veml" for path in paths]
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
            stage_training(repo, path, stored.data)
            done.append(AveragedTraining(NAMES.name(path), path, stored.record))
        left = tuple(repo.git.conflicted_paths())
    return AveragedResult(tuple(done), left, _finish(repo))


def _finish(repo: Repository) -> str:
    """Return what to type to finish what is under way."""
    state = load_merge_state(repo)
    if state is not None:
        return how_to_end(state.kind, by_git=state.by_git)[0]
    rebased = any(one.kind == "rebase" for one in waiting(repo))
    return how_to_end("rebase" if rebased else "merge", by_git=True)[0]


def refuse_both(repo: Repository, path: str, three: Three) -> None:
    """Refuse to keep the lines of both sides of a training's record.

    Raises:
        InvalidInputError: It is one.
    """
    if are_trainings(repo, path, three):
        raise InvalidInputError(
            f"{path}: two versions of a training cannot both be one; it is still in conflict",
            hint=f"veml resolve {path} --ours (or --theirs, --base, --average)",
            kind="not-both",
        )


def _sides(repo: Repository, path: str) -> tuple[TrainingVersion, TrainingVersion]:
    name = NAMES.name(path)
    found = []
    for label, file in zip(("ours", "theirs"), repo.git.conflict_stages(path)[1:], strict=True):
        record = None if file is None else _record(repo, path, file)
        assert record is not None  # training_conflicts looked
        found.append(TrainingVersion(repo, name, label, record))
    return found[0], found[1]


def _record(repo: Repository, path: str, file: TreeFile) -> TrainingRecord | None:
    data = repo.git.read_blob(file.blob)
    if not is_training_record(data):
        return None
    try:
        NAMES.name(path)
        return parse_training_record(data, path)
    except FormatError:
        return None
