"""``veml init``: make a folder a Git repository with a veml store beside it."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass

from dulwich.ignore import IgnoreFilterManager
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from veml_vcs.errors import InvalidInputError, NotFoundError, StorageError
from veml_vcs.objects.files import TEMPORARY_PREFIX, Files
from veml_vcs.repository.git.repo import GitRepo
from veml_vcs.repository.repository import Repository

_UNBORN = "~git"


@dataclass(frozen=True)
class InitResult:
    """What ``init`` did.

    Attributes:
        root: The work tree.
        new_git: Whether the Git repository was made.
        new_store: Whether the store was made.
    """

    root: str
    new_git: bool
    new_store: bool


def init(path: str = ".", *, branch: str | None = None) -> InitResult:
    """Create a repository, or complete one that is there; doing it twice is harmless.

    Args:
        path: The folder; it is made if it is not there.
        branch: Name of the first branch; None asks Git's ``init.defaultBranch``, else ``main``.

    Raises:
        StorageError: The folder cannot be written.
        InvalidInputError: ``path`` is a file, or inside another repository's work tree.
    """
    if os.path.exists(path) and not os.path.isdir(path):
        raise InvalidInputError(f"{path}: not a folder")
    try:
        files = Files()
        files.make_folder(path)
        new_git = not os.path.exists(os.path.join(path, ".git"))
        if new_git:
            outer = _outer(path)
            if outer is not None and not _is_ignored(outer, path):
                raise InvalidInputError(
                    f"{os.path.abspath(path)} is inside the Git repository at {outer}",
                    hint=f"veml init {outer}; or git init here first, if one repository inside "
                    "another is meant",
                )
            name = (branch or "").encode() or _default_branch()
            if not check_ref_format(Ref(b"refs/heads/" + name)) or name.startswith(b"-"):
                raise InvalidInputError(f"{os.fsdecode(name)!r} is not a valid branch name")
            _make_git(path, name, files)
    except OSError as error:
        raise StorageError(f"{path}: cannot be made a repository: {error.strerror}") from error
    with Repository(path) as repo:
        new_store = not os.path.exists(os.path.join(repo.folder, "format"))
        repo.create_store()
        return InitResult(repo.root, new_git, new_store)


def _make_git(path: str, branch: bytes, files: Files) -> None:
    """Make the Git repository, whole or not at all: beside its place, and renamed to it."""
    for name in files.listdir(path):
        if name.startswith(TEMPORARY_PREFIX) and name.endswith(_UNBORN):
            files.remove_tree(os.path.join(path, name))  # of an init that was killed
    beside = files.temporary_path(path) + _UNBORN
    files.make_folder(beside, durable=False)
    try:
        Repo.init(beside, default_branch=branch).close()
        files.rename(os.path.join(beside, ".git"), os.path.join(path, ".git"))
        files.fsync_folder(path)
    finally:
        files.remove_tree(beside)


def _is_ignored(outer: str, path: str) -> bool:
    """Tell whether a repository ignores a folder of its work tree: then another may live there."""
    with closing(Repo(outer)) as repo:
        ignored = IgnoreFilterManager.from_repo(repo)
        relative = os.path.relpath(os.path.realpath(path), os.path.realpath(outer))
        parts = relative.split(os.sep)
        folders = ("/".join(parts[: i + 1]) + "/" for i in range(len(parts)))
        return any(ignored.is_ignored(folder) for folder in folders)


def _outer(path: str) -> str | None:
    try:
        git = GitRepo(path)
    except (NotFoundError, InvalidInputError):
        return None
    git.close()
    return git.root


def _default_branch() -> bytes:
    from dulwich.config import StackedConfig

    try:
        return bytes(StackedConfig.default().get((b"init",), b"defaultBranch"))
    except KeyError:
        return b"main"
