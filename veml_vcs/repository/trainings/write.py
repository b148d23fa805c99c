"""Write a run that ended as a training version: bytes into the store, then the record, staged."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from veml_vcs.errors import ConflictError, FormatError, InvalidInputError
from veml_vcs.ids import TreeId, VersionId
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.models.add import refuse_outsiders
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.stored import write_log, write_predictions
from veml_vcs.samples.tensors import write_checkpoint
from veml_vcs.versions.trainings import (
    NAMES,
    CheckpointFacts,
    TrainingOutcome,
    TrainingRecord,
    is_training_record,
    parse_training_record,
)

_NOTHING = TreeId(bytes(32))


@dataclass(frozen=True)
class WrittenTraining:
    """A training version that was written and staged.

    Attributes:
        name: The training.
        path: Its record, from the repository's root.
        version: Its version id.
        new: Whether there was no training of that name.
        same: Whether the very same version was there already.
        record: What it is.
        new_bytes: Bytes of tensors that the store did not have.
    """

    name: str
    path: str
    version: VersionId
    new: bool
    same: bool
    record: TrainingRecord
    new_bytes: int


def require_free(repo: Repository, name: str, *, force: bool = False) -> str:
    """Refuse a name that a training version cannot be written under; ask before hours of training.

    Args:
        repo: The repository.
        name: The training.
        force: Let a record be overwritten that no commit has.

    Returns:
        Where the record will lie, from the repository's root.

    Raises:
        InvalidInputError: The name cannot be one, or Git would not hold the record.
        ConflictError: Something else is there, or a record that no commit has.
    """
    path = NAMES.path(name)
    refuse_outsiders(repo, [path])
    full = repo.absolute(path)
    if not os.path.lexists(full):
        return path
    if os.path.islink(full) or not os.path.isfile(full):
        raise ConflictError(
            f"{path}: the record of the training belongs here, but something else is",
            hint="choose another name with --name",
            kind="would-lose-changes",
        )
    data = bytes(repo.files.read(full))
    if not is_training_record(data):
        raise ConflictError(
            f"{path}: the record of the training belongs here, but another file is",
            hint="choose another name with --name",
            kind="would-lose-changes",
        )
    if force:
        return path
    commit = repo.git.head().commit
    committed = repo.git.files(commit).get(path)
    if committed is None or committed.blob != blob_id(data):
        raise ConflictError(
            f"{path}: a training version that no commit has is here, and would be lost",
            hint='veml commit -m "..." first, or choose another name with --name, or --force',
            kind="would-lose-changes",
        )
    return path


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
        path = require_free(repo, name, force=True)
        full = repo.absolute(path)
        before = bytes(repo.files.read(full)) if os.path.isfile(full) else None
        stored = store_training(repo, outcome, path)
        if before != stored.data:  # the same again is what a run does that was killed at its end
            require_free(repo, name, force=force)
        stage_training(repo, path, stored.data)
    return WrittenTraining(
        name, path, blob_id(stored.data), before is None, before == stored.data, stored.record,
        stored.new_bytes,
    )  # fmt: skip


@dataclass(frozen=True)
class StoredTraining:
    """A training version whose heavy parts are in the store, and whose record is nowhere yet.

    Attributes:
        record: What it is.
        data: The record's text.
        new_bytes: Bytes of tensors that the store did not have.
    """

    record: TrainingRecord
    data: bytes
    new_bytes: int


def store_training(repo: Repository, outcome: TrainingOutcome, path: str) -> StoredTraining:
    """Put checkpoint, log and predictions of a run into the store.

    Args:
        repo: The repository, whose lock the caller holds.
        outcome: What the run knows.
        path: Where the record will lie, for messages.

    Raises:
        InvalidInputError: The outcome contradicts itself.
        StorageError: The system says no.
    """
    # What no reader would take is refused before anything is stored.
    _checked(_record(outcome, CheckpointFacts(_NOTHING, 0, 0, outcome.parameters)), path)
    log = write_log(repo, outcome.log)
    predictions = write_predictions(repo, outcome.predictions)
    stored = write_checkpoint(repo.store, repo.catalog, outcome.checkpoint)
    facts = CheckpointFacts(stored.tree, stored.tensors, stored.content_bytes, outcome.parameters)
    record = replace(_record(outcome, facts), log=log, predictions=predictions)
    return StoredTraining(record, _checked(record, path), stored.new_bytes)


def stage_training(repo: Repository, path: str, data: bytes) -> None:
    """Write the record of a training version into the work tree, and stage it."""
    full = repo.absolute(path)
    if not os.path.isfile(full) or bytes(repo.files.read(full)) != data:
        repo.files.make_folder(os.path.dirname(full))
        repo.write_file(path, data)
    repo.git.stage_blobs({path: data})


def _record(outcome: TrainingOutcome, checkpoint: CheckpointFacts) -> TrainingRecord:
    return TrainingRecord(
        task=outcome.task,
        model=outcome.model,
        data=outcome.data,
        checkpoint=checkpoint,
        config=outcome.config,
        initial=outcome.initial,
        status=outcome.status,
        seed=outcome.seed,
        determinism=outcome.determinism,
        libraries=outcome.libraries,
        epochs=outcome.epochs,
        iterations=outcome.iterations,
        metrics=outcome.metrics,
        per_class=outcome.per_class,
        transferred_from=outcome.transferred_from,
        rebuilt_from=outcome.rebuilt_from,
        derived=outcome.derived,
    )


def _checked(record: TrainingRecord, path: str) -> bytes:
    """Return the text of a record, which a reader takes as it is.

    Raises:
        InvalidInputError: A reader would refuse it.
    """
    try:
        data = record.to_bytes()
        if parse_training_record(data, path).to_bytes() != data:
            raise FormatError("it would not be read back as it was written")
    except (FormatError, TypeError, ValueError, UnicodeEncodeError) as error:
        raise InvalidInputError(f"no training version can say this: {error!s:.300}") from error
    return data
