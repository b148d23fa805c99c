"""Write a run that ended as a training version: bytes into the store, then the record, staged."""

from __future__ import annotations

from dataclasses import fields, replace

from veml_vcs.ids import TreeId
from veml_vcs.repository.records.predictions import write_predictions
from veml_vcs.repository.records.write import (
    StoredVersion,
    WrittenVersion,
    checked,
    free_path,
    write_version,
)
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.log import write_log
from veml_vcs.samples.tensors import write_checkpoint
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import (
    CheckpointFacts,
    TrainingFacts,
    TrainingOutcome,
    TrainingRecord,
)

_NOTHING = TreeId(bytes(32))

WrittenTraining = WrittenVersion[TrainingRecord]


def require_free(repo: Repository, name: str, *, force: bool = False) -> str:
    """Refuse a name that a training version cannot be written under; see ``free_path``."""
    return free_path(repo, TRAINING, name, force=force)


def write_training(
    repo: Repository, outcome: TrainingOutcome, name: str, *, force: bool = False
) -> WrittenTraining:
    """Store what a run made, and write and stage its record as ``trainings/NAME.veml``.

    The record comes last: killed before, or with the disk full, there is no training version, and
    what was stored is taken by ``gc``. A training of that name that a commit has becomes this one,
    as a data set becomes what its folder is.

    Args:
        repo: The repository.
        outcome: What the run knows.
        name: The training's name.
        force: Overwrite a record that no commit has.

    Raises:
        InvalidInputError: The outcome contradicts itself, or the name cannot be one.
        ConflictError: The name's place is taken; see ``require_free``.
        StorageError: The system says no.
    """
    with repo.lock("veml train"):
        return write_version(
            repo, TRAINING, name, lambda path: store_training(repo, outcome, path), force=force
        )


def store_training(
    repo: Repository, outcome: TrainingOutcome, path: str
) -> StoredVersion[TrainingRecord]:
    """Put checkpoint, log and predictions of a run into the store.

    Args:
        repo: The repository, whose lock the caller holds.
        outcome: What the run knows.
        path: Where the record will lie, for messages.

    Raises:
        InvalidInputError: The outcome contradicts itself.
        StorageError: The system says no.
    """
    shared = {one.name: getattr(outcome, one.name) for one in fields(TrainingFacts)}
    facts = CheckpointFacts(_NOTHING, 0, 0, outcome.parameters)
    # What no reader would take is refused before anything is stored.
    checked(TRAINING, TrainingRecord(**shared, checkpoint=facts), path)
    log = write_log(repo, outcome.log)
    predictions = write_predictions(repo, outcome.predictions)
    stored = write_checkpoint(repo.store, repo.catalog, outcome.checkpoint)
    facts = replace(
        facts, tree=stored.tree, tensors=stored.tensors, content_bytes=stored.content_bytes
    )
    record = TrainingRecord(**shared, checkpoint=facts, log=log, predictions=predictions)
    return StoredVersion(record, checked(TRAINING, record, path), stored.new_bytes)
