"""``veml clone``: a Git clone with a store, and the data of the commit that is checked out.

C git clones where it is installed, because it knows every transport, credential and safety rule;
else dulwich does. Nothing that the clone brings is executed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from dulwich.errors import GitProtocolError, NotGitRepository

from veml_vcs.errors import InvalidInputError, NotFoundError, StorageError
from veml_vcs.repository.absent import fetch_command
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.source import common_folder, local_path
from veml_vcs.repository.sparse.left_out import DEFAULT, NONE, save_rules
from veml_vcs.repository.sync import FetchResult, fetch_data
from veml_vcs.repository.worktree.follow import FollowResult, follow

_NAME = re.compile(r"([^/:]+?)(?:/*\.git)?/*$")


@dataclass(frozen=True)
class CloneResult:
    """What a clone brought.

    Attributes:
        root: The new work tree.
        fetched: The data that came along; None if none was fetched.
        followed: The folders that were written; None if none was.
        hint: How to get data that did not come; None if it did.
    """

    root: str
    fetched: FetchResult | None = None
    followed: FollowResult | None = None
    hint: str | None = None


def clone_git(source: str, folder: str | None = None, *, branch: str | None = None) -> str:
    """Clone the Git side, and make a store; return the new work tree.

    Args:
        source: A path or URL.
        folder: Where to; None takes the source's last name, as Git does.
        branch: The branch to check out; None is the source's own.

    Raises:
        InvalidInputError: The folder is there and not empty, or has no name.
        NotFoundError: There is no such repository, or no such branch.
        StorageError: The clone failed for another reason.
    """
    target = folder or _name_of(source)
    if os.path.lexists(target) and (not os.path.isdir(target) or os.listdir(target)):
        raise InvalidInputError(
            f"{target}: exists and is not an empty folder", hint="veml clone SOURCE OTHER-NAME"
        )
    path = local_path(source)
    if path is not None:
        common_folder(path)  # a better message than git's where there is nothing
    if shutil.which("git") is not None:
        command = ["git", "clone", *(["--branch", branch] if branch else []), "--", source, target]
        if subprocess.run(command, check=False).returncode != 0:
            raise NotFoundError(f"git could not clone {source}", kind="clone-failed")
    else:
        _clone_with_dulwich(source, target, branch)
    with Repository(target) as repo:
        repo.create_store()
        return repo.root


def bring_data(
    repo: Repository, source: str, *, no_data: bool = False, progress: Progress = silent
) -> CloneResult:
    """Fetch the data of HEAD from where the clone came from, and write the folders.

    Args:
        repo: The new clone.
        source: What was cloned.
        no_data: Leave the data where it is.
        progress: Is told how far it is.
    """
    records = repo.datasets_at(repo.git.head().commit)
    if not records:
        return CloneResult(repo.root)
    path = local_path(source)
    if no_data:
        with repo.lock("veml clone"):
            save_rules(repo, {DEFAULT: NONE})
            follow(repo)  # notes that the folders are as they are wanted
        return CloneResult(
            repo.root, hint=f"{fetch_command(repo, 'HEAD')}, then veml sparse disable"
        )
    if path is None:
        return CloneResult(repo.root, hint=fetch_command(repo))
    try:
        fetched = fetch_data(repo, path, progress=progress)
    except NotFoundError as error:
        return CloneResult(repo.root, hint=f"{error.message}; {fetch_command(repo)}")
    with repo.lock("veml clone"):
        followed = follow(repo, progress=progress)
    hint = fetch_command(repo) if fetched.missing else None
    return CloneResult(repo.root, fetched, followed, hint)


def _name_of(source: str) -> str:
    text = source.rstrip("/")
    if os.path.basename(text) == ".git":
        text = os.path.dirname(text)
    found = _NAME.search(text)
    if found is None or found.group(1) in (".", ".."):
        raise InvalidInputError(f"{source}: no name for the new folder in it", hint="name a folder")
    return found.group(1)


def _clone_with_dulwich(source: str, target: str, branch: str | None) -> None:
    from dulwich import porcelain

    try:
        porcelain.clone(source, target, branch=branch).close()
    except (NotGitRepository, GitProtocolError, KeyError, ValueError) as error:
        raise NotFoundError(
            f"{source} could not be cloned: {error}", kind="clone-failed"
        ) from error
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error.strerror}") from error
