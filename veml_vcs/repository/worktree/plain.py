"""Ordinary files (code, configs, notes): staged and listed as Git does, data folders left out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from dulwich.ignore import IgnoreFilterManager

from veml_vcs.repository.datasets import owner_of
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.plain_files import stage_plain, unstaged_paths
from veml_vcs.samples.images import is_image

_PROBED_FOLDERS = 50
_PROBED_ENTRIES = 50


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
        stage_plain(repo, listed)
    return sorted(listed)


def ignored_paths(repo: Repository, paths: Iterable[str]) -> list[str]:
    """Return the paths, from the repository's root, that Git ignores and does not track."""
    ignored = IgnoreFilterManager.from_repo(repo.git.dulwich, config=repo.git.config)
    known = repo.git.staged_files()
    return [path for path in paths if path not in known and ignored.is_ignored(path)]


def untracked_files(
    repo: Repository,
    datasets: Sequence[str],
    below: str = "",
    known: Iterable[str] | None = None,
) -> Iterator[str]:
    """List files that Git neither tracks nor ignores; folders of data sets are not entered."""
    walk = _Walk(repo, datasets, repo.git.staged_files() if known is None else known)
    pending = [below]
    while pending:
        folders, files = walk.look(pending.pop())
        pending += folders
        yield from files


def untracked_paths(
    repo: Repository, datasets: Sequence[str], known: Iterable[str]
) -> Iterator[tuple[str, bool]]:
    """List untracked files; a folder with nothing tracked in it stands once, with ``/`` at its end.

    As ``git status`` does: such a folder is looked into only until a file is found in it.

    Returns:
        Path, and whether it is a folder with images near its top (a data set to be).
    """
    tracked = set(known)
    occupied = {
        path[:i] for path in (*tracked, *datasets) for i, char in enumerate(path) if char == "/"
    }
    walk = _Walk(repo, datasets, tracked)
    pending = [""]
    while pending:
        folders, files = walk.look(pending.pop())
        for path in files:
            yield path, False
        for folder in folders:
            if folder in occupied:
                pending.append(folder)
            elif (images := walk.probe(folder)) is not None:
                yield folder + "/", images


class _Walk:
    """Looks into folders of the work tree for what Git neither tracks nor ignores."""

    def __init__(self, repo: Repository, datasets: Iterable[str], known: Iterable[str]) -> None:
        self._repo = repo
        self._skipped = set(datasets)
        self._known = set(known)
        self._ignored = IgnoreFilterManager.from_repo(repo.git.dulwich, config=repo.git.config)

    def look(self, folder: str, limit: int | None = None) -> tuple[list[str], list[str]]:
        """Return the folders to go on with, and the untracked files, of one folder.

        Args:
            folder: From the repository's root.
            limit: Look at so many entries at most.
        """
        folders, files = [], []
        with os.scandir(self._repo.absolute(folder)) as entries:
            listed = list(islice(entries, limit))
        for entry in sorted(listed, key=lambda one: one.name):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                wanted = entry.name != ".git" and path not in self._skipped
                if wanted and not self._ignored.is_ignored(path + "/"):
                    folders.append(path)
            elif entry.name == ".git" or path in self._known:
                continue  # a linked work tree has a file of that name
            elif not self._ignored.is_ignored(path):
                files.append(path)
        return folders, files

    def probe(self, folder: str) -> bool | None:
        """Tell whether there are images near a folder's top; None if it holds no file at all."""
        found: bool | None = None
        pending = [folder]
        for _ in range(_PROBED_FOLDERS):
            if not pending:
                break
            folders, files = self.look(pending.pop(0), _PROBED_ENTRIES)
            if any(is_image(path) for path in files):
                return True
            if files:
                found = False
            pending += folders
        return found if found is not None or not pending else False
