"""``veml merge --squash``: what the next commit is to say, kept in Git's own ``SQUASH_MSG``.

A squash is a merge into index and work tree that leaves no ``MERGE_HEAD``: the next commit has one
parent. What is in conflict is told by the index alone, as with plain git and with a stash; see
``pending``.
"""

from __future__ import annotations

import time

from veml_vcs.ids import CommitId, short
from veml_vcs.repository.git.repo import GitRepo
from veml_vcs.repository.git.walk import reachable, walk
from veml_vcs.repository.merging.operation import HEAD_FILES
from veml_vcs.repository.repository import Repository

SQUASH_FILE = "SQUASH_MSG"
_SHORT_ID = 7


def squash_message(repo: Repository, ours: CommitId, theirs: CommitId) -> str:
    """Return Git's message of a squash: the commits that it joins, as ``git log`` shows them."""
    known = reachable(repo.git, [ours])
    told = [
        _told(repo, CommitId(one.id.decode()))
        for one in walk(repo.git, [theirs])
        if one.id not in known
    ]
    return "\n".join(["Squashed commit of the following:\n", *told])


def prepared_message(git: GitRepo) -> str:
    """Return the message that waits for the next commit; empty if none does.

    As in Git that of a squash comes before that of a merge, which holds the names of conflicts. A
    merge, cherry-pick or revert under way has a message of its own alone.
    """
    own = any(git.read_state(name) is not None for name in HEAD_FILES.values())
    names = ("MERGE_MSG",) if own else (SQUASH_FILE, "MERGE_MSG")
    found = (git.read_state(name) for name in names)
    return "\n".join(one.decode("utf-8", "replace") for one in found if one is not None)


def _told(repo: Repository, commit_id: CommitId) -> str:
    commit = repo.git.commit(commit_id)
    parents = repo.git.parents(commit_id)
    lines = [f"commit {commit_id}"]
    if len(parents) > 1:
        lines.append("Merge: " + " ".join(short(one, _SHORT_ID) for one in parents))
    lines.append("Author: " + commit.author.decode("utf-8", "replace"))
    lines.append("Date:   " + _date(commit.author_time, commit.author_timezone))
    message = commit.message.decode("utf-8", "replace").strip("\n")
    if message.strip():
        lines += ["", *(f"    {one}".rstrip() for one in message.rstrip().split("\n"))]
    return "\n".join(lines) + "\n"


def _date(seconds: int, offset_seconds: int) -> str:
    """Return a time as Git writes it, whatever the language of this machine."""
    sign = "-" if offset_seconds < 0 else "+"
    hours, minutes = divmod(abs(offset_seconds) // 60, 60)
    zone = f"{sign}{hours:02}{minutes:02}"
    try:
        local = time.gmtime(seconds + offset_seconds)
    except (OverflowError, ValueError, OSError):
        return f"{seconds} {zone}"
    day, month, number, clock, year = time.asctime(local).split()
    return f"{day} {month} {number} {clock} {year} {zone}"
