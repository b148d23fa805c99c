"""Which function runs which hook."""

from __future__ import annotations

import os
import sys

from veml_hooks.say import say
from veml_vcs.errors import LockedError, NotFoundError
from veml_vcs.repository.models.place import any_stale_here
from veml_vcs.repository.records.place import any_stale_records
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.follow import FollowResult, folders_behind, follow
from veml_vcs.versions.data import RECORD_SUFFIX

LOCK_SECONDS = 10.0
_LEFT_LISTED = 5


def hook(name: str, arguments: list[str]) -> int:
    """Run one hook in the repository that git started it in.

    Args:
        name: The hook.
        arguments: What git gave it.

    Returns:
        0, or 1 where git shall stop.

    Raises:
        VemlError: Something of veml's own is wrong; git shall go on.
    """
    try:
        repo = Repository(_work_tree())
    except NotFoundError:
        return 0  # no work tree here (git run with --git-dir alone): nothing to look after
    with repo:
        if name == "pre-commit":
            from veml_hooks.pre_commit import pre_commit

            return pre_commit(repo)
        if name == "pre-push":
            from veml_hooks.pre_push import pre_push

            remote, url = [*arguments, "", ""][:2]
            return pre_push(repo, remote, url, sys.stdin.buffer.read())
        if name.startswith("post-"):
            return _follow(repo, name)
    say(f"{name}: no such hook")
    return 0


def _work_tree() -> str:
    # The top of the work tree, or .git where git push was typed in there.
    here = os.getcwd()
    return os.path.dirname(here) if os.path.basename(here) == ".git" else here


def _follow(repo: Repository, name: str) -> int:
    if name in ("post-merge", "post-rewrite"):
        # Git merged the records one by one, and could not ask what the merged configs say.
        for one in any_stale_here(repo, repo.git.tracked_paths(RECORD_SUFFIX)):
            say(f"{one.path}: {one.reason}", f"hint: {one.hint}")
        for stale in any_stale_records(repo, repo.git.staged_files()):
            say(f"{stale.path}: {stale.reason}; its metrics say nothing of what is here")
    if not folders_behind(repo):
        return 0
    try:
        with repo.lock(f"git hook {name}", LOCK_SECONDS):
            done = follow(repo)
    except LockedError as error:
        say(f"data folders were not brought along: {error.message}", "hint: veml checkout")
        return 0
    _tell(done)
    return 0


def _tell(done: FollowResult) -> None:
    for path, count in done.written.items():
        say(f"{path}: {count:,} file{'s' if count != 1 else ''} written or removed")
    for one in done.left[:_LEFT_LISTED]:
        say(one.reason or f"{one.path}: not brought along", f"hint: {one.hint or 'veml status'}")
    if len(done.left) > _LEFT_LISTED:
        say(f"and {len(done.left) - _LEFT_LISTED} more; veml status lists them")
