"""Pathspecs as Git has them: patterns, paths from the root, exclusions; data sets included.

``images/*.jpg`` (``*`` also matches ``/``, as in Git), ``:/images`` and ``:(top)images`` from the
root of the repository, ``:!images/old`` and ``:(exclude)images/old`` to leave out. A path that is
there as it is written is taken as it is written.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator, Sequence

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.datasets import owner_of, selector
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Tree
from veml_vcs.versions.data import RECORD_SUFFIX

_MAGIC = re.compile(r":\((top|exclude|top,exclude|exclude,top|literal|glob)\)")
_PATTERN = re.compile(r"[*?\[]")


def expand(
    repo: Repository,
    specs: Sequence[str],
    *,
    commit: CommitId | None = None,
    on_disk: bool = False,
) -> list[str]:
    """Return the paths that pathspecs name; plain paths are returned as they are.

    Args:
        repo: The repository.
        specs: What the user typed, relative to the current folder.
        commit: Also match what this commit has.
        on_disk: Also match untracked files.

    Returns:
        Paths on disk, of files and data sets; they need not exist.

    Raises:
        NotFoundError: A pattern matches nothing.
        InvalidInputError: The magic word of a pathspec is not known, or a path is outside.
    """
    if any("\0" in one for one in specs):
        raise InvalidInputError("no path holds a NUL character")
    if not any(_is_magic(one) for one in specs):
        return list(specs)
    wanted: list[str] = []
    excluded: list[str] = []
    for spec in specs:
        path, exclude = _parse(repo, spec)
        (excluded if exclude else wanted).append(path)
    if not wanted:
        wanted = [repo.root]
    if excluded:
        return _without(repo, wanted, excluded, commit, on_disk)
    found: dict[str, None] = {}
    for path in wanted:
        if _literal(path):
            found[path] = None
        else:
            found.update(dict.fromkeys(_matches(repo, path, commit, on_disk)))
    return list(found)


def _is_magic(spec: str) -> bool:
    return spec.startswith(":") or not _literal(spec)


def _literal(path: str) -> bool:
    return not _PATTERN.search(path) or os.path.lexists(path)


def _parse(repo: Repository, spec: str) -> tuple[str, bool]:
    """Return the path on disk, and whether it is to be left out."""
    top = exclude = False
    if spec.startswith(":("):
        found = _MAGIC.match(spec)
        if found is None:
            raise InvalidInputError(
                f"{spec}: unknown magic of a pathspec", hint="known are top, exclude and glob"
            )
        top, exclude = "top" in found[1], "exclude" in found[1]
        spec = spec[found.end() :]
    elif spec.startswith(":"):
        mark = re.match(r":([/!^]*):?", spec)
        assert mark is not None
        top, exclude = "/" in mark[1], "!" in mark[1] or "^" in mark[1]
        spec = spec[mark.end() :]
    return (os.path.join(repo.root, spec.lstrip("/")) if top else spec or os.curdir), exclude


def _without(
    repo: Repository,
    wanted: list[str],
    excluded: list[str],
    commit: CommitId | None,
    on_disk: bool,
) -> list[str]:
    inside = [_matcher(repo, path) for path in wanted]
    outside = [_matcher(repo, path) for path in excluded]
    every = list(_known(repo, commit, on_disk))
    chosen = [
        path
        for path in every
        if any(one(path) for one in inside) and not any(one(path) for one in outside)
    ]
    if not chosen:
        raise NotFoundError("the pathspecs leave nothing over", kind="no-such-path")
    # A data set none of whose files is left out is named as a whole.
    whole: dict[str, None] = {}
    for dataset in repo.staged_datasets():
        below = [path for path in every if path.startswith(dataset + "/")]
        if below and set(below) <= set(chosen):
            whole[dataset] = None
    kept = [path for path in chosen if owner_of(whole, path) is None]
    return [repo.absolute(path) for path in [*whole, *kept]]


def _matches(repo: Repository, path: str, commit: CommitId | None, on_disk: bool) -> Iterator[str]:
    matches = _matcher(repo, path)
    found = False
    for known in _known(repo, commit, on_disk):
        if matches(known):
            found = True
            yield repo.absolute(known)
    if not found:
        raise NotFoundError(f"{path}: matches no file", kind="no-such-path")


def _matcher(repo: Repository, path: str) -> Callable[[str], bool]:
    relative = repo.relative(path)
    if _literal(path):
        return selector([relative])
    pattern = re.compile(fnmatch.translate(relative))
    # As in Git, a file of that very name is meant too, whatever its characters would stand for.
    return lambda known: (
        known == relative or known.startswith(relative + "/") or pattern.match(known) is not None
    )


def _known(repo: Repository, commit: CommitId | None, on_disk: bool) -> Iterator[str]:
    """List all files there are, from the root: ordinary ones, and those of data sets."""
    files = repo.git.staged_files() | (repo.git.files(commit) if commit else {})
    trees = [repo.staged_datasets(), *([repo.datasets_at(commit)] if commit else [])]
    records = {path + RECORD_SUFFIX for datasets in trees for path in datasets}
    seen = {path for path in files if path not in records}
    for datasets in trees:
        for path, record in datasets.items():
            entries = Tree(repo.store, record.tree).items()
            seen.update(_path_of(path, key) for key, _ in entries)
    if on_disk:
        from veml_vcs.repository.worktree.changes import scan_dataset
        from veml_vcs.repository.worktree.plain import untracked_files

        seen.update(untracked_files(repo, list(trees[0])))
        for path, record in trees[0].items():
            seen.update(_path_of(path, key) for key in scan_dataset(repo, path, record) or {})
    yield from sorted(seen)


def _path_of(dataset: str, key: str) -> str:
    return key[1:] if key.startswith("/") else f"{dataset}/{key}"
