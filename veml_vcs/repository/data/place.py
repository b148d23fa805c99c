"""Put a version that an operation made where it belongs: the index, and the folder on disk.

The folder first, then the record, as in a checkout: an operation that is killed in between leaves
the old version staged, and run again it goes on.
"""

from __future__ import annotations

import os

from veml_vcs.errors import ConflictError, InvalidInputError
from veml_vcs.repository.checkout import empty_version
from veml_vcs.repository.datasets import owner_of, refuse_foreign_record, stage_record
from veml_vcs.repository.progress import Progress
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import folder_changes
from veml_vcs.repository.worktree.materialize import (
    file_changes,
    refuse_lost_changes,
    remember,
    require_contents,
    write_changes,
)
from veml_vcs.versions.data import DataRecord


def target_path(
    repo: Repository, path: str, revision: str | None, to: str | None, *, force: bool
) -> str:
    """Return the data set that a result becomes, checked before any work is done.

    Args:
        repo: The repository.
        path: The source's folder.
        revision: The source's revision, None if it is the staged version.
        to: What the user wants, from the repository's root; None is the source itself.
        force: Replace another data set.

    Raises:
        InvalidInputError: A revision without ``to``, or a folder inside another data set.
        ConflictError: The data set is there already, or a merge is under way.
    """
    if repo.git.read_state("MERGE_HEAD") is not None:
        raise ConflictError(
            "a merge is under way",
            hint="veml commit finishes it, veml merge --abort drops it",
            kind="merging",
        )
    if to is None:
        if revision is not None:
            raise InvalidInputError(
                f"{revision}:{path} is not what is staged, so the result needs a place of its own",
                hint=f"--to NAME; or --to {path} --force to replace what is staged",
            )
        return path
    target = to.rstrip("/")
    tracked = repo.staged_datasets()
    if not target or target.startswith(("/", "../")) or os.path.normpath(target) != target:
        raise InvalidInputError(f"--to {to!r}: expected a folder, from the repository's root")
    inside = [name for name in tracked if name.startswith(target + "/")]
    owner = owner_of(tracked, target)
    if inside or owner not in (None, target):
        raise InvalidInputError(
            f"--to {target}: data sets cannot be nested, and {owner or inside[0]} is one",
            hint="choose another folder",
        )
    if owner == target and not force:
        raise ConflictError(
            f"{target} is a data set already",
            hint="choose another name, or --force to replace its staged version",
            kind="would-lose-changes",
        )
    if owner is None:
        refuse_foreign_record(repo, target)
    return target


def place_version(
    repo: Repository,
    target: str,
    record: DataRecord,
    *,
    checkout: bool,
    command: str,
    progress: Progress,
) -> bool:
    """Stage a version as a data set, and bring its folder to it.

    Args:
        repo: The repository, whose lock the caller holds.
        target: The data set's folder.
        record: The version.
        checkout: Write the folder. A tracked folder that is not there stays away all the same.
        command: What the user typed, for messages.
        progress: Is told how far it is.

    Returns:
        Whether the folder holds the version now.

    Raises:
        ConflictError: Uncommitted changes in the folder would be lost.
    """
    old = repo.staged_datasets().get(target)
    written = checkout
    if checkout:
        dirty = folder_changes(repo, target, old if old is not None else empty_version(record))
        if dirty.missing and old is not None:
            written = False
        else:
            changes = file_changes(repo, old, record)
            refuse_lost_changes(target, changes, dirty, command)
            if old is None and dirty.added:
                raise ConflictError(
                    f"the folder {target} is not empty",
                    hint="choose another name with --to, or --no-checkout to leave the disk alone",
                    kind="would-lose-changes",
                )
            require_contents(repo, target, changes)
            done = write_changes(repo, target, changes, progress=progress)
            remember(repo, target, record, done, clean=not dirty)
    stage_record(repo, target, record)
    return written
