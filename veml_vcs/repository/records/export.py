"""Write what a version holds as a file of the user's: all of it, or nothing."""

from __future__ import annotations

import os

from veml_vcs.errors import ConflictError
from veml_vcs.repository.repository import Repository


def export_bytes(repo: Repository, data: bytes, target: str, *, force: bool = False) -> None:
    """Write a file.

    Args:
        repo: The repository.
        data: What it shall hold.
        target: The file.
        force: Replace a file that is there.

    Raises:
        ConflictError: The file is there already.
        StorageError: The system says no; nothing half-written is left.
    """
    refuse_existing(target, force=force)
    repo.files.make_folder(os.path.dirname(os.path.abspath(target)))
    repo.files.write_atomic(target, data)


def refuse_existing(target: str, *, force: bool) -> None:
    """Refuse to replace a file; ask before long reading.

    Raises:
        ConflictError: It is there already.
    """
    if os.path.lexists(target) and not force:
        raise ConflictError(
            f"{target}: is there already", hint="choose another name, or --force to replace it"
        )
