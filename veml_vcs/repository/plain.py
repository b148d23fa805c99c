"""Ordinary files (code, configs, notes): staged and listed as Git does, data folders left out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from dulwich.ignore import IgnoreFilterManager
from dulwich.index import get_unstaged_changes

from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.repository import Repository


def add_plain(
    repo: Repository, paths: Sequence[str], datasets: Iterable[str], *, dry_run: bool = False
) -> list[str]:
    """Stage ordinary files and return those that changed the index.

    Args:
        repo: The repository.
        paths: Files and folders from the repository's root (``""`` is the root).
        datasets: Folders that belong to data sets; nothing below them is staged.
        dry_run: Stage nothing.
    """
    known = repo.git.staged_files()
    folders = list(datasets)
    changed = set(unstaged_paths(repo))
    wanted: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(repo.absolute(path)) and not os.path.islink(repo.absolute(path)):
            prefix = path + "/" if path else ""
            wanted.update(dict.fromkeys(p for p in changed if p.startswith(prefix)))
            wanted.update(dict.fromkeys(untracked_files(repo, folders, path, known)))
        elif path in changed or path not in known:
            wanted[path] = None
    listed = [path for path in wanted if owner_of(folders, path) is None]
    if listed and not dry_run:
        repo.git.dulwich.get_worktree().stage(
            [os.fsencode(path) for path in listed], config=repo.git.config
        )
    return sorted(listed)


def unstaged_paths(repo: Repository) -> list[str]:
    """Return files that Git tracks whose bytes on disk differ from the index, or are gone."""
    raw = get_unstaged_changes(repo.git.index(), os.fsencode(repo.root))
    return sorted(os.fsdecode(path) for path in raw)


def untracked_files(
    repo: Repository,
    datasets: Sequence[str],
    below: str = "",
    known: Iterable[str] | None = None,
) -> Iterator[str]:
    """List files that Git neither tracks nor ignores; folders of data sets are not entered."""
    tracked = set(repo.git.staged_files() if known is None else known)
    ignored = IgnoreFilterManager.from_repo(repo.git.dulwich, config=repo.git.config)
    skipped = set(datasets)
    pending = [below]
    while pending:
        folder = pending.pop()
        with os.scandir(repo.absolute(folder)) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if (
                    entry.name != ".git"
                    and path not in skipped
                    and not ignored.is_ignored(path + "/")
                ):
                    pending.append(path)
            elif path not in tracked and not ignored.is_ignored(path):
                yield path
