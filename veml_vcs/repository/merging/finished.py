"""What is left of a merge, cherry-pick or revert by a process that died just after its commit.

Every command that takes the lock removes it first, so that nothing seems to wait for the user.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import NotFoundError, VemlError
from veml_vcs.ids import CommitId
from veml_vcs.repository.merging.operation import HEAD_FILES
from veml_vcs.repository.revisions import is_ancestor
from veml_vcs.repository.worktree.unfinished import MERGE, SQUASH

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

_TEXTS = ("MERGE_MSG", "MERGE_MODE")


def forget_finished(repo: Repository) -> None:
    """Remove the state of what is committed; commits still to be replayed are kept.

    Args:
        repo: The repository, whose lock the caller holds.
    """
    head = repo.git.head().commit
    if head is None:
        return
    _forget_merge(repo, head)
    about = repo.unfinished.interrupted or ""
    if about.startswith(SQUASH) and about.removeprefix(SQUASH) != head:
        _remove(repo, ("SQUASH_MSG",))  # committed, and killed before this was told
    path = os.path.join(repo.private_folder, "merge.json")
    if not repo.files.exists(path):
        return
    try:
        state: dict[str, Any] = json.loads(bytes(repo.files.read(path)))
        kind, ours, theirs = state.get("kind", "merge"), state["ours"], state["theirs"]
        todo = state.get("todo", ())
    except (NotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return  # damaged: whoever needs it says so
    here = [name for name in HEAD_FILES.values() if repo.git.read_state(name) is not None]
    if kind == "merge":
        if here or (repo.unfinished.interrupted or "").startswith(MERGE):
            return
        if repo.git.parents(head) == [ours, theirs]:
            _remove(repo, _TEXTS)
        repo.files.remove(path)  # of a merge that ended, whoever ended it
    elif here == [HEAD_FILES.get(kind)] and repo.git.parents(head) == [ours]:
        _remove(repo, (*_TEXTS, *here))
        if not todo:
            repo.files.remove(path)


def _forget_merge(repo: Repository, head: CommitId) -> None:
    heads = (repo.git.read_state("MERGE_HEAD") or b"").decode("utf-8", "replace").split()
    if heads and all(_reaches(repo, head, one) for one in heads):
        _remove(repo, (*_TEXTS, "MERGE_HEAD"))
    about = repo.unfinished.interrupted or ""
    if about.startswith(MERGE) and _reaches(repo, head, about.split()[-1]):
        repo.unfinished.forget()


def _remove(repo: Repository, names: tuple[str, ...]) -> None:
    for name in names:
        repo.git.write_state(name, None)


def _reaches(repo: Repository, head: CommitId, commit: str) -> bool:
    try:
        return is_ancestor(repo.git, CommitId(commit), head)
    except (VemlError, KeyError, ValueError, AssertionError):
        return False  # not a commit, or a damaged one
