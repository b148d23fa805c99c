"""``veml rm``: stop tracking data sets, samples or ordinary files, and remove them from disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.repository.add import add
from veml_vcs.repository.datasets import (
    owner_of,
    remove_empty_folders,
    selector,
    unstage_record,
)
from veml_vcs.repository.pathspec import expand
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.sparse.left_out import has_no_data, left_out, take_off
from veml_vcs.repository.sparse.rule import present
from veml_vcs.repository.worktree.changes import entries_of, folder_changes
from veml_vcs.repository.worktree.held import note_held
from veml_vcs.repository.worktree.materialize import write_changes
from veml_vcs.repository.worktree.plain_files import unstaged_paths
from veml_vcs.samples.tree import Change, Entry
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord


@dataclass(frozen=True)
class RmResult:
    """What was removed.

    Attributes:
        datasets: Data sets that are no longer tracked.
        samples: Data set -> number of files removed from it.
        files: Ordinary files.
    """

    datasets: tuple[str, ...] = ()
    samples: dict[str, int] | None = None
    files: tuple[str, ...] = ()


def rm(
    repo: Repository,
    paths: Sequence[str],
    *,
    cached: bool = False,
    force: bool = False,
    recursive: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> RmResult:
    """Remove paths from the next commit and, without ``cached``, from disk.

    The bytes of every committed version stay in the store.

    Args:
        repo: The repository.
        paths: Data sets, files in them, or ordinary files, on disk.
        cached: Leave the files on disk.
        force: Remove files with uncommitted changes too.
        recursive: Allow folders of ordinary files.
        dry_run: Tell what would be done, and do nothing.
        progress: Is told how far it is.

    Raises:
        NotFoundError: A path is not tracked.
        ConflictError: A file has changes that no version has.
        InvalidInputError: A folder without ``recursive``, or part of a data set with ``cached``.
    """
    with nullcontext() if dry_run else repo.lock("veml rm"):
        tracked = repo.staged_datasets()
        plain_files = repo.git.staged_files()
        whole: list[str] = []
        parts: dict[str, list[str]] = {}
        plain: list[str] = []
        for path in expand(repo, paths):
            relative = repo.relative(path)
            owner = owner_of(tracked, relative)
            if owner == relative and owner is not None:
                whole.append(owner)
            elif owner is not None:
                parts.setdefault(owner, []).append(relative[len(owner) + 1 :])
            else:
                plain += _plain(path, relative, plain_files, tracked, recursive)
        if cached and parts:
            raise InvalidInputError(
                f"--cached: {next(iter(parts))} tracks everything in its folder, so a file cannot "
                "stay in it untracked",
                hint="move the file out of the folder, then veml add",
            )
        if dry_run:
            counts = {name: len(keys) for name, keys in parts.items()}
            return RmResult(tuple(whole), counts, tuple(plain))
        samples = {}
        # All refusals first, so that a command that is refused has removed nothing.
        for name in whole:
            _refuse_dirty_dataset(repo, name, tracked[name], cached, force)
        chosen = {
            name: _choose(repo, name, tracked[name], keys, force) for name, keys in parts.items()
        }
        _refuse_dirty_plain(repo, plain, cached, force)
        for name in whole:
            _remove_dataset(repo, name, tracked[name], cached)
        for name, entries in chosen.items():
            samples[name] = len(entries)
            _remove_keys(repo, name, tracked[name], entries)
        _remove_plain(repo, plain, cached)
    for name, keys in parts.items():
        if os.path.isdir(repo.absolute(name)) or left_out(repo, name):
            add(repo, [repo.absolute(f"{name}/{key}") for key in keys], progress=progress)
    return RmResult(tuple(whole), samples, tuple(plain))


def _plain(
    path: str,
    relative: str,
    files: object,
    tracked: dict[str, DataRecord],
    recursive: bool,
) -> list[str]:
    assert isinstance(files, dict)
    records = {name + RECORD_SUFFIX: name for name in tracked}
    if relative in records:
        raise InvalidInputError(
            f"{path}: the record of a data set", hint=f"veml rm {records[relative]}"
        )
    if relative in files:
        return [relative]
    below = [one for one in files if one.startswith(relative + "/") and one not in records]
    if not below:
        raise NotFoundError(f"{path}: not tracked", kind="no-such-path")
    if not recursive:
        raise InvalidInputError(f"{path}: a folder; not removed without -r")
    return below


def _refuse_dirty_dataset(
    repo: Repository, name: str, record: DataRecord, cached: bool, force: bool
) -> None:
    if cached or force:
        return
    changes = folder_changes(repo, name, record)
    if changes.changed or changes.added:
        keys = [*changes.changed, *changes.added]
        raise ConflictError(
            f"{name} has files that no version has: {', '.join(keys[:5])}",
            hint=f"veml rm --cached {name} keeps the folder; --force removes what is tracked",
            kind="would-lose-changes",
        )


def _remove_dataset(repo: Repository, name: str, record: DataRecord, cached: bool) -> None:
    if not cached:
        gone = [Change(key, entry, None) for key, entry in entries_of(repo, record).items()]
        write_changes(repo, name, gone)
    unstage_record(repo, name, record)
    note_held(repo, name, None)
    cache = repo.statcache_path(name)
    if os.path.exists(cache):
        repo.files.remove(cache)


def _choose(
    repo: Repository, name: str, record: DataRecord, keys: list[str], force: bool
) -> dict[str, Entry]:
    """Return the entries of a data set that some paths in it mean."""
    entries = entries_of(repo, record)
    inside = selector(keys)
    chosen = {key: entry for key, entry in entries.items() if inside(key)}
    above = {key[:i] for key in chosen for i, char in enumerate(key) if char == "/"}
    for one in keys:
        if one not in entries and one not in above:
            raise NotFoundError(f"{name}/{one}: not tracked", kind="no-such-path")
    if has_no_data(repo, name) and len(present(repo, name, chosen)) < len(chosen):
        raise ConflictError(
            f"{name}: no data is in this work tree, so a file that is not there is not removed",
            hint=f"veml sparse disable --data {name} first; or veml data filter {name} makes a "
            "version of fewer samples",
        )
    dirty = set() if force else {*folder_changes(repo, name, record).changed} & chosen.keys()
    if dirty:
        raise ConflictError(
            f"{name} has uncommitted changes: {', '.join(sorted(dirty)[:5])}",
            hint="--force removes them all the same",
            kind="would-lose-changes",
        )
    return chosen


def _remove_keys(repo: Repository, name: str, record: DataRecord, chosen: dict[str, Entry]) -> None:
    take_off(repo, name, chosen)  # else their absence would mean nothing
    write_changes(repo, name, [Change(key, entry, None) for key, entry in chosen.items()])
    if not os.path.isdir(repo.absolute(name)) and not left_out(repo, name):
        _remove_dataset(repo, name, record, cached=True)  # that was its last file


def _refuse_dirty_plain(repo: Repository, plain: list[str], cached: bool, force: bool) -> None:
    if cached or force or not plain:
        return
    dirty = sorted(
        path
        for path in set(unstaged_paths(repo)) & set(plain)
        if os.path.lexists(repo.absolute(path))
    )
    if dirty:
        raise ConflictError(
            f"uncommitted changes in {', '.join(dirty[:5])}",
            hint="--cached keeps the files, --force removes them",
            kind="would-lose-changes",
        )


def _remove_plain(repo: Repository, plain: list[str], cached: bool) -> None:
    if not cached:
        for path in plain:
            if os.path.lexists(repo.absolute(path)):
                repo.files.remove(repo.absolute(path))
                remove_empty_folders(repo, os.path.dirname(path))
    repo.git.unstage(plain)
