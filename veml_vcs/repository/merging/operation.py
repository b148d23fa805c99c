"""Which git command is under way and waits for the user."""

from __future__ import annotations

import os
from typing import Literal

from veml_vcs.repository.git.repo import GitRepo

Operation = Literal["merge", "rebase", "cherry-pick", "revert", "stash", "squash"]
"""The git command that joins two versions; ``stash`` also where there is none.

A squash is what ``merge --squash`` began and no commit ended."""

HEAD_FILES: dict[Operation, str] = {
    "merge": "MERGE_HEAD", "cherry-pick": "CHERRY_PICK_HEAD", "revert": "REVERT_HEAD",
}  # fmt: skip
"""Git's own files that say what waits for the user; each names a commit."""


def operation_of(git: GitRepo) -> Operation:
    """Return the git command under way; ``git stash pop`` leaves no trace of itself."""
    if any(os.path.isdir(os.path.join(git.control_folder, name))
           for name in ("rebase-merge", "rebase-apply")):  # fmt: skip
        return "rebase"
    found = (word for word, name in HEAD_FILES.items() if git.read_state(name) is not None)
    return next(found, "squash" if git.read_state("SQUASH_MSG") is not None else "stash")


def how_to_end(kind: Operation, *, by_git: bool = False) -> tuple[str, str]:
    """Return what to type to finish, and to drop, what is under way.

    Args:
        kind: What it is.
        by_git: Whether a plain git command began it.
    """
    if kind == "merge":
        return "veml commit", "veml merge --abort"
    if kind in ("stash", "squash"):
        return "veml commit", "veml reset --hard"
    tool = "git" if by_git else "veml"
    return f"{tool} {kind} --continue", f"{tool} {kind} --abort"
