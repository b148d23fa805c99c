"""The checkpoint of a training version as a safetensors file."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.ids import VersionId
from veml_vcs.repository.records.export import export_bytes, refuse_existing
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.samples.tensors import write_safetensors


@dataclass(frozen=True)
class ExportedCheckpoint:
    """A checkpoint that was written into a file.

    Attributes:
        training: The training, as the user named it.
        version: Its version id.
        path: The file.
        tensors: Number of tensors.
        size_bytes: Length of the file.
    """

    training: str
    version: VersionId
    path: str
    tensors: int
    size_bytes: int


def export_checkpoint(
    repo: Repository, spec: str, target: str, *, force: bool = False
) -> ExportedCheckpoint:
    """Write the weights of a training version; equal weights give equal bytes.

    Args:
        repo: The repository.
        spec: ``NAME`` (as staged) or ``NAME@REV``.
        target: The file.
        force: Replace a file that is there.

    Raises:
        NotFoundError: There is no such training, or this clone does not have its checkpoint.
        ConflictError: The file is there already.
        StorageError: The system says no; nothing half-written is left.
    """
    found = open_training(repo, spec)
    refuse_existing(target, force=force)
    data = write_safetensors(found.checkpoint())
    export_bytes(repo, data, target, force=force)
    return ExportedCheckpoint(spec, found.id, target, found.record.checkpoint.tensors, len(data))
