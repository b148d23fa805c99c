"""Write the record of a version that was made: into the work tree, and staged.

What the record names is in the store before. Killed in between, there is no version, and what was
stored is taken by ``gc``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from veml_vcs.errors import ConflictError, FormatError, InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.plain import ignored_paths
from veml_vcs.versions.kinds import R, RecordKind


@dataclass(frozen=True)
class StoredVersion(Generic[R]):
    """A version whose heavy parts are in the store, and whose record is nowhere yet.

    Attributes:
        record: What it is.
        data: The record's text.
        new_bytes: Bytes that the store did not have.
    """

    record: R
    data: bytes
    new_bytes: int


@dataclass(frozen=True)
class WrittenVersion(Generic[R]):
    """A version that was written and staged.

    Attributes:
        name: Its name.
        path: Its record, from the repository's root.
        version: Its version id.
        new: Whether there was none of that name.
        same: Whether the very same version was there already.
        record: What it is.
        new_bytes: Bytes that the store did not have.
    """

    name: str
    path: str
    version: VersionId
    new: bool
    same: bool
    record: R
    new_bytes: int


def free_path(repo: Repository, kind: RecordKind[Any], name: str, *, force: bool = False) -> str:
    """Refuse a name that a version cannot be written under; ask before hours of computing.

    Args:
        repo: The repository.
        kind: Of the version.
        name: Its name.
        force: Let a record be overwritten that no commit has.

    Returns:
        Where the record will lie, from the repository's root.

    Raises:
        InvalidInputError: The name cannot be one, or Git would not hold the record.
        ConflictError: Something else is there, or a record that no commit has.
    """
    path = kind.path(name)
    refuse_outsiders(repo, [path])
    full = repo.absolute(path)
    if not os.path.lexists(full):
        return path
    if os.path.islink(full) or not os.path.isfile(full):
        raise _taken(kind, path, "something else is")
    data = bytes(repo.files.read(full))
    if not kind.is_record(data):
        raise _taken(kind, path, "another file is")
    if force:
        return path
    committed = repo.git.files(repo.git.head().commit).get(path)
    if committed is None or committed.blob != blob_id(data):
        raise ConflictError(
            f"{path}: {kind.a_name} version that no commit has is here, and would be lost",
            hint='veml commit -m "..." first, or choose another name with --name, or --force',
            kind="would-lose-changes",
        )
    return path


def _taken(kind: RecordKind[Any], path: str, what: str) -> ConflictError:
    return ConflictError(
        f"{path}: the record of the {kind.name} belongs here, but {what}",
        hint="choose another name with --name",
        kind="would-lose-changes",
    )


def refuse_outsiders(repo: Repository, files: list[str]) -> None:
    """Refuse files that a commit would not hold: of data sets, beyond a link, ignored by Git.

    Raises:
        InvalidInputError: One is such a file.
    """
    datasets = list(repo.staged_datasets())
    for path in files:
        folder = os.path.join(repo.root, os.path.dirname(path)).rstrip(os.sep)
        if os.path.realpath(folder) != folder:
            raise InvalidInputError(f"{path} is beyond a symbolic link, where Git holds nothing")
        owner = owner_of(datasets, path)
        if owner is not None:
            raise InvalidInputError(
                f"{path} belongs to the data set {owner}, and Git does not hold it",
                hint="choose a place that is in no data set",
            )
    ignored = ignored_paths(repo, files)
    if ignored:
        raise InvalidInputError(
            f"{ignored[0]} is ignored by Git (.gitignore), so that no commit would hold it",
            hint=f"git add -f {ignored[0]}, then the same command again",
        )


def write_version(
    repo: Repository,
    kind: RecordKind[R],
    name: str,
    store: Callable[[str], StoredVersion[R]],
    *,
    force: bool = False,
    keep: Callable[[R, R], bool] | None = None,
) -> WrittenVersion[R]:
    """Store what was made, and write and stage its record.

    A version of that name that a commit has becomes this one, as a data set becomes what its folder
    is.

    Args:
        repo: The repository, whose lock the caller holds.
        kind: Of the version.
        name: Its name.
        store: Puts the heavy parts into the store; is told where the record will lie.
        force: Overwrite a record that no commit has.
        keep: Tells whether the record that is there says what the new one says, so that it stays;
            None: it does not.

    Raises:
        InvalidInputError: What was made contradicts itself, or the name cannot be one.
        ConflictError: The name's place is taken; see ``free_path``.
        StorageError: The system says no.
    """
    path = free_path(repo, kind, name, force=True)
    full = repo.absolute(path)
    before = bytes(repo.files.read(full)) if os.path.isfile(full) else None
    stored = store(path)
    if before is not None and before != stored.data:
        old = _sound(kind, before, path)
        if old is not None and keep is not None and keep(old, stored.record):
            stored = StoredVersion(old, before, stored.new_bytes)
    if before != stored.data:  # the same again is what a command does that was killed at its end
        free_path(repo, kind, name, force=force)
    stage_record(repo, path, stored.data)
    return WrittenVersion(
        name, path, blob_id(stored.data), before is None, before == stored.data, stored.record,
        stored.new_bytes,
    )  # fmt: skip


def stage_record(repo: Repository, path: str, data: bytes) -> None:
    """Write a record into the work tree, and stage it."""
    full = repo.absolute(path)
    if not os.path.isfile(full) or bytes(repo.files.read(full)) != data:
        repo.files.make_folder(os.path.dirname(full))
        repo.write_file(path, data)
    repo.git.stage_blobs({path: data})


def checked(kind: RecordKind[R], record: R, path: str) -> bytes:
    """Return the text of a record, which a reader takes as it is.

    Raises:
        InvalidInputError: A reader would refuse it.
    """
    try:
        data = record.to_bytes()
        if kind.parse(data, path).to_bytes() != data:
            raise FormatError("it would not be read back as it was written")
    except (FormatError, InvalidInputError, TypeError, ValueError, UnicodeEncodeError) as error:
        raise InvalidInputError(f"no {kind.name} version can say this: {error!s:.300}") from error
    return data


def _sound(kind: RecordKind[R], data: bytes, path: str) -> R | None:
    """Return a record that is as veml writes it; None if it is not."""
    try:
        found = kind.parse(data, path)
    except FormatError:
        return None
    return found if found.to_bytes() == data else None
