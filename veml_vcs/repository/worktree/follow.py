"""Bring data folders to the records that Git put into the work tree, whatever command Git ran.

The record in the work tree says what a folder shall hold, ``held.json`` what it holds. What differs
between the two is written, nothing else is looked at, and a folder in which that would overwrite an
uncommitted change stays as it is, whole. Nothing here reads HEAD, writes the index or a record.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Literal

from veml_vcs.errors import ConflictError, FormatError, NotFoundError, StorageError
from veml_vcs.ids import TreeId
from veml_vcs.repository.absent import absent_error
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import has_no_data
from veml_vcs.repository.worktree.changes import (
    FolderChanges,
    folder_changes,
    scan_dataset,
    touched_changes,
)
from veml_vcs.repository.worktree.held import (
    Held,
    held_as,
    load_held,
    note_held,
    record_stamp,
    save_held,
)
from veml_vcs.repository.worktree.materialize import (
    file_changes,
    keep_shared,
    refuse_lost_changes,
    remember,
    remember_changes,
    require_contents,
    write_changes,
)
from veml_vcs.versions.data import (
    RECORD_SUFFIX,
    DataRecord,
    dataset_path,
    is_data_record,
    parse_data_record,
)

Behind = Literal["behind", "gone", "absent", "unknown", "unreadable"]


@dataclass(frozen=True)
class FolderBehind:
    """A folder that does not hold what the record beside it says.

    Attributes:
        path: The data set's folder.
        kind: ``behind`` (another version), ``gone`` (no data set any more), ``absent`` (the store
            lacks the data), ``unknown`` (nobody knows what the folder holds) or ``unreadable`` (the
            record is none).
        held: Tree of the version the folder holds, where that is known.
        wanted: Tree of the version it shall hold.
        reason: In words, where there is more to say.
        hint: What to type, where there is something special.
        refused: What the system said where it did not let the folder be written.
    """

    path: str
    kind: Behind
    held: TreeId | None = None
    wanted: TreeId | None = None
    reason: str = ""
    hint: str | None = None
    refused: StorageError | None = None


@dataclass(frozen=True)
class FollowResult:
    """What was brought along.

    Attributes:
        written: Data set -> number of files written or removed.
        left: Folders that stayed as they were, each with the reason.
    """

    written: dict[str, int]
    left: tuple[FolderBehind, ...] = ()


@dataclass(frozen=True)
class _Folder:
    """One data set as the work tree has it."""

    path: str
    held: Held | None
    wanted: DataRecord | None


def folders_behind(repo: Repository) -> dict[str, FolderBehind]:
    """Return the folders that do not hold what the records in the work tree say.

    Reads the records whose stamp is new, and no data.
    """
    held = load_held(repo)
    folders, unreadable = _folders(repo, held)
    found = {one.path: one for one in unreadable}
    for folder in folders:
        behind = _behind(repo, folder)
        if behind is not None:
            found[folder.path] = behind
    return found


def follow(repo: Repository, *, progress: Progress = silent) -> FollowResult:
    """Bring every data folder to the record in the work tree; leave those that would lose changes.

    The caller holds the repository's lock.

    Args:
        repo: The repository.
        progress: Is told how far it is.
    """
    held = load_held(repo)
    folders, unreadable = _folders(repo, held)
    _renew_stamps(repo, held, folders)
    written: dict[str, int] = {}
    left = list(unreadable)
    # What is gone first, so that another data set can take its place.
    for folder in sorted(folders, key=lambda one: one.wanted is not None):
        behind = _behind(repo, folder)
        if behind is None:
            continue
        if behind.kind == "absent":
            left.append(behind)
            continue
        try:
            written[folder.path] = _move(repo, folder, _wanted(held, folders), progress)
        except (ConflictError, NotFoundError, StorageError) as error:
            refused = error if isinstance(error, StorageError) else None
            left.append(replace(behind, reason=error.message, hint=error.hint, refused=refused))
    return FollowResult({path: n for path, n in written.items() if n}, tuple(left))


def _wanted(held: dict[str, Held], folders: list[_Folder]) -> dict[str, DataRecord]:
    """Return the data sets that the work tree's records name, as far as they are known."""
    found = {path: one.as_record() for path, one in held.items()}
    for folder in folders:
        found.pop(folder.path, None)
        if folder.wanted is not None:
            found[folder.path] = folder.wanted
    return found


def _folders(
    repo: Repository, held: dict[str, Held]
) -> tuple[list[_Folder], tuple[FolderBehind, ...]]:
    """Return the data sets that the work tree's records, or ``held``, name."""
    found: list[_Folder] = []
    unreadable: list[FolderBehind] = []
    tracked = repo.git.tracked_paths(RECORD_SUFFIX)
    for file in sorted({*tracked, *(path + RECORD_SUFFIX for path in held)}):
        path = dataset_path(file)
        known = held.get(path)
        full = repo.absolute(file)
        stamp = record_stamp(full)
        if known is not None and stamp is not None and known.stamp == stamp:
            continue  # nobody touched the record since
        if not os.path.lexists(full):
            # Deleted by hand, it is still in the index: that is for the user to settle.
            if known is not None and file not in tracked:
                found.append(_Folder(path, known, None))
            continue
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        data = bytes(repo.files.read(full))
        if not is_data_record(data):
            if known is not None or _conflicted(data):
                unreadable.append(_unreadable(path, f"{file} is not the record of a data version"))
            continue
        try:
            found.append(_Folder(path, known, parse_data_record(data, file)))
        except FormatError as error:
            unreadable.append(_unreadable(path, error.message))
    return found, tuple(unreadable)


def _conflicted(data: bytes) -> bool:
    return b"\n<<<<<<< " in data or data.startswith(b"<<<<<<< ")


def _unreadable(path: str, reason: str) -> FolderBehind:
    hint = f"veml status; veml resolve {path} --ours|--theirs, or git checkout -- {path}.veml"
    return FolderBehind(path, "unreadable", reason=reason, hint=hint)


def _behind(repo: Repository, folder: _Folder) -> FolderBehind | None:
    """Tell how a folder is behind its record; None if it is not."""
    path, held, wanted = folder.path, folder.held, folder.wanted
    tree = held.tree if held is not None else None
    if wanted is not None and _is_left_out(repo, path, wanted):
        return None
    if wanted is None:
        like = held.as_record() if held is not None else None
        there = like is not None and bool(scan_dataset(repo, path, like))
        return FolderBehind(path, "gone", tree) if there else None
    if held is not None and held.holds(wanted):
        return None
    if wanted.tree not in repo.store:
        error = absent_error(repo, path, wanted)
        return FolderBehind(path, "absent", tree, wanted.tree, error.message, error.hint)
    if held is None:
        # Nothing is known, as in a new clone or after an older veml: what it holds may prove it.
        return _unproved(repo, path, wanted)
    return FolderBehind(path, "behind", tree, wanted.tree)


def _is_left_out(repo: Repository, path: str, wanted: DataRecord) -> bool:
    """Tell whether a folder is rightly not there: no file of it is wanted in this work tree."""
    return has_no_data(repo, path) and not scan_dataset(repo, path, wanted)


def _unproved(repo: Repository, path: str, wanted: DataRecord) -> FolderBehind | None:
    if not scan_dataset(repo, path, wanted):
        return FolderBehind(path, "behind", None, wanted.tree)
    if not folder_changes(repo, path, wanted):
        return None
    return FolderBehind(
        path,
        "unknown",
        None,
        wanted.tree,
        "the folder holds files, and it is not known which version they began as",
        f"veml status; veml restore {path} replaces them, veml add {path} takes them",
    )


def _renew_stamps(repo: Repository, held: dict[str, Held], folders: list[_Folder]) -> None:
    """Note the records that were touched and say the same, so that the next look is cheap."""
    changed = False
    for folder in folders:
        wanted, known = folder.wanted, folder.held
        if wanted is None:
            continue
        settled = known is not None and known.holds(wanted)
        settled = settled or _is_left_out(repo, folder.path, wanted)
        if settled or (known is None and wanted.tree in repo.store
                       and _unproved(repo, folder.path, wanted) is None):  # fmt: skip
            new = held_as(repo, folder.path, wanted)
            if held.get(folder.path) != new:
                held[folder.path], changed = new, True
    if changed:
        save_held(repo, held)


def _move(
    repo: Repository, folder: _Folder, others: dict[str, DataRecord], progress: Progress
) -> int:
    """Bring one folder along; return the number of files written or removed.

    Raises:
        ConflictError: Uncommitted changes would be lost; nothing was touched.
        NotFoundError: The store lacks something; nothing was touched.
        StorageError: The disk says no.
    """
    path, wanted = folder.path, folder.wanted
    old = folder.held.as_record() if folder.held is not None else None
    if old is not None and not _is_there(repo, path, old):
        old = None  # nothing to lose: the whole folder is written
    elif old is None or old.tree not in repo.store:
        old = None
        _refuse_unknown(repo, path, wanted)
    changes = keep_shared(file_changes(repo, old, wanted), path, others)
    dirty = None if old is None else touched_changes(repo, path, changes)
    if dirty is None:
        dirty = FolderChanges() if old is None else folder_changes(repo, path, old)
    refuse_lost_changes(path, changes, dirty, "following Git")
    require_contents(repo, path, changes)
    written = write_changes(repo, path, changes, progress=progress)
    if wanted is None:
        note_held(repo, path, None)
        cache = repo.statcache_path(path)
        if os.path.exists(cache):
            repo.files.remove(cache)
    elif old is None:
        remember(repo, path, wanted, written, clean=True)
    else:
        remember_changes(repo, path, old, wanted, changes, written)
    return written.touched


def _is_there(repo: Repository, path: str, record: DataRecord) -> bool:
    """Tell whether a data set has any place on disk, without listing it."""
    return any(os.path.lexists(repo.absolute(one)) for one in (path, *record.annotations))


def _refuse_unknown(repo: Repository, path: str, wanted: DataRecord | None) -> None:
    """Refuse to touch a folder of which nobody knows what was changed in it.

    Raises:
        ConflictError: It holds files that are not what is wanted.
    """
    hint = f"veml restore {path} replaces what differs, veml add {path} takes it"
    if wanted is None:
        raise ConflictError(f"{path}: what the folder began as is gone; it stays", hint=hint)
    loose = folder_changes(repo, path, wanted)
    if not loose.missing and (loose.added or loose.changed):
        raise ConflictError(
            f"{path}: it is not known which version the folder began as; it stays as it is",
            hint=hint,
        )
