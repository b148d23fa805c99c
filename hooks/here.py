"""Run veml's part of a commit's hooks in the process that commits, instead of starting another one.

``veml commit`` is to do what ``git commit`` does, hooks included, and the hook that veml installed
would start the same Python once more. Only a file that is byte for byte what this veml installs,
with no hook of the user's own beside it, is replaced by the function it would come to; any other is
run as the program it is.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from veml_hooks.__main__ import guarded
from veml_hooks.shim import AFTER_COMMIT, USER_SUFFIX, guard_of, hook_text
from veml_vcs.repository.repository import Repository


def run_hooks_here(repo: Repository) -> None:
    """Make commits in this repository object run veml's hooks without starting programs."""
    if os.environ.get("VEML_HOOKS") == "0":
        return
    name = "pre-commit"
    path = repo.git.hook_path(name)
    if path is not None and _is_just_ours(name, path):
        repo.git.replace_hook(name, partial(guarded, name, partial(_pre_commit, repo)))
    # The mirror follows at the end of every command.
    path = repo.git.hook_path(AFTER_COMMIT)
    if path is not None and _is_just_ours(AFTER_COMMIT, path):
        repo.git.replace_hook(AFTER_COMMIT, lambda: 0)


def _is_just_ours(name: str, path: str) -> bool:
    if os.path.lexists(path + USER_SUFFIX) or guard_of(name) in os.environ:
        return False
    try:
        with open(path, "rb") as file:
            return file.read() == hook_text(name, sys.executable)
    except OSError:
        return False  # whatever it is, running it will say so


def _pre_commit(repo: Repository) -> int:
    from veml_hooks.pre_commit import pre_commit

    before, after = repo.git.files(repo.git.head().commit), repo.git.staged_files()
    changed = {path: file.blob for path, file in after.items() if before.get(path) != file}
    return pre_commit(repo, changed)
