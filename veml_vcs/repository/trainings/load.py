"""``veml training add``: a checkpoint that was made elsewhere, as a training version.

Whoever adds it says which model and data it is of; nothing here can check that, so the record says
that it was imported. A safetensors file is read by veml; a pickle is turned into tensors by the
training room, and only where the user trusts it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.models.versions import open_model
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import parse_data_spec
from veml_vcs.repository.trainings.write import (
    WrittenTraining,
    require_free,
    write_training,
)
from veml_vcs.samples.tensors import Checkpoint, read_safetensors
from veml_vcs.versions.trainings import DataUse, ModelUse, TrainingOutcome
from veml_vcs.versions.trainings.outcome import Task
from veml_vcs.versions.trainings.uses import Role

PICKLES = (".pth", ".pt", ".ckpt", ".bin", ".pkl")
"""Endings of files that are pickles, or archives of them."""


class ReadPickle(Protocol):
    """Turns a pickled checkpoint into tensors; the training room has it."""

    def __call__(self, path: str) -> Checkpoint:
        """Read the checkpoint at a path on disk."""


def add_training(
    repo: Repository,
    file: str,
    name: str,
    *,
    model: str,
    data: Sequence[str],
    val: Sequence[str] = (),
    metrics: Mapping[str, float] | None = None,
    task: Task = "detection",
    read_pickle: ReadPickle | None = None,
    force: bool = False,
) -> WrittenTraining:
    """Record a checkpoint that was made elsewhere.

    Args:
        repo: The repository.
        file: The checkpoint, on disk.
        name: The training's name.
        model: The model that it is of: ``NAME`` or ``NAME@REV``.
        data: The data versions that it was trained on: ``PATH``, ``REV:PATH`` or ``PATH@REV``.
        val: Those that it was measured on.
        metrics: What was measured there, as whoever adds it says.
        task: What it learnt.
        read_pickle: Reads pickles. Whoever passes this trusts the file.
        force: Overwrite a record that no commit has.

    Raises:
        NotFoundError: There is no such file, model or data version.
        FormatError: The file is no checkpoint, or a pickle that nobody trusts.
        ConflictError: The name's place is taken.
    """
    require_free(repo, name, force=force)
    version = open_model(repo, model)
    uses = [*(_use(repo, one, "train") for one in data), *(_use(repo, one, "val") for one in val)]
    if not any(use.role == "train" for use in uses):
        raise InvalidInputError("a training has data that it was trained on", hint="--data DATA")
    if metrics and not val:
        raise InvalidInputError(
            "metrics are measured on data: name it", hint="--val DATA beside --metric NAME=VALUE"
        )
    checkpoint = read_checkpoint_file(file, read_pickle)
    outcome = TrainingOutcome(
        task=task,
        model=ModelUse(version.name, version.id),
        data=tuple(uses),
        checkpoint=checkpoint,
        config=version.record.config,
        parameters=version.record.parameters,
        metrics=metrics or {},
        derived={"operation": "import", "arguments": {"file": os.path.basename(file)}},
    )
    return write_training(repo, outcome, name, force=force)


def read_checkpoint_file(file: str, read_pickle: ReadPickle | None = None) -> Checkpoint:
    """Return the tensors of a file.

    Args:
        file: A safetensors file, or a pickle.
        read_pickle: Reads pickles; None refuses them.

    Raises:
        NotFoundError: There is no such file.
        FormatError: It is no checkpoint, holds no tensor, or is a pickle that nobody trusts.
    """
    try:
        with open(file, "rb") as opened:
            head = opened.read(4)
            if not _is_pickle(file, head):
                data = head + opened.read()
    except OSError as error:
        raise NotFoundError(f"{file}: {error.strerror or error}", kind="no-such-path") from error
    if _is_pickle(file, head):
        if read_pickle is None:
            raise FormatError(
                f"{file}: a pickle, which can run whatever its author wrote when it is loaded",
                hint="a .safetensors file needs no trust; if you trust it: the same with --trust",
                kind="pickle",
            )
        found = read_pickle(file)
    else:
        found = read_safetensors(data, file)
    if not found.tensors:
        raise FormatError(f"{file}: no tensor in it")
    return found


def _is_pickle(file: str, head: bytes) -> bool:
    """Tell a pickle by its ending or its first bytes: a protocol, or the archive that torch makes.

    A safetensors file begins with the length of its header, which is never so long.
    """
    named = file.lower().endswith(PICKLES)
    return named or head[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")


def _use(repo: Repository, spec: str, role: Role) -> DataUse:
    path, revision = parse_data_spec(spec)
    path = path.rstrip("/")
    record = repo.record_at(path, revision)
    return DataUse(path, blob_id(record.to_bytes()), record.tree, role, record.samples)
