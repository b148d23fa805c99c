"""Which git command is under way and waits for the user."""

from __future__ import annotations

import os
from typing import Literal

from veml_vcs.repository.git import GitRepo

Operation = Literal["merge", "rebase", "cherry-pick", "revert", "stash"]
"""The git command that joins two versions; ``stash`` also where there is none."""

_STATES: tuple[tuple[str, Operation], ...] = (
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
)


def operation_of(git: GitRepo) -> Operation:
    """Return the git command under way; ``git stash pop`` leaves no trace of itself."""
    if any(os.path.isdir(os.path.join(git.control_folder, name))
           for name in ("rebase-merge", "rebase-apply")):  # fmt: skip
        return "rebase"
    return next((word for name, word in _STATES if git.read_state(name) is not None), "stash")
