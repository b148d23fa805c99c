"""The deployed file of an inference version as a file on disk, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.ids import VersionId
from veml_vcs.repository.inferences.versions import open_inference
from veml_vcs.repository.records.export import export_bytes, refuse_existing
from veml_vcs.repository.repository import Repository


@dataclass(frozen=True)
class ExportedFile:
    """A deployed file that was written out.

    Attributes:
        inference: The inference version, as the user named it.
        version: Its version id.
        path: The file.
        sha256: SHA-256 of its bytes, in hex.
        size_bytes: Its length.
    """

    inference: str
    version: VersionId
    path: str
    sha256: str
    size_bytes: int


def export_file(repo: Repository, spec: str, target: str, *, force: bool = False) -> ExportedFile:
    """Write the deployed file of an inference version.

    Args:
        repo: The repository.
        spec: ``NAME`` (as staged) or ``NAME@REV``.
        target: The file.
        force: Replace a file that is there.

    Raises:
        NotFoundError: There is no such inference version, or this clone does not have its file.
        ConflictError: The file is there already.
        StorageError: The system says no; nothing half-written is left.
    """
    found = open_inference(repo, spec)
    refuse_existing(target, force=force)
    data = found.file()
    export_bytes(repo, data, target, force=force)
    return ExportedFile(spec, found.id, target, found.record.file.sha256.hex(), len(data))
