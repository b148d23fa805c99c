"""``veml stash list, show, apply, pop, drop``: bring back what was put aside, data included.

In Git's own form: ``refs/stash`` and its reflog name commits whose first parent is HEAD, whose
second is the index, and whose third, if asked for, holds untracked files. So ``git stash list`` and
``git stash show`` know them. How they are made stands in ``stashing.push``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.refs import Ref
from dulwich.stash import Stash

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.diff import diff_commits
from veml_vcs.repository.diff_result import RepoDiff
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.merge import (
    all_conflicts,
    apply_merge,
    plain_conflicts,
    refuse_staged,
)
from veml_vcs.repository.merging.paths import TreeMerger
from veml_vcs.repository.merging.rules import Settlement, rules_at
from veml_vcs.repository.merging.state import refuse_under_way
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.reset import move_index
from veml_vcs.repository.worktree.plain_files import in_the_way, write_plain
from veml_vcs.versions.data import RECORD_SUFFIX

if TYPE_CHECKING:
    from veml_vcs.repository.git.repo import TreeFile

_REF = Ref(b"refs/stash")
_NAME = re.compile(r"(?:stash@\{(\d+)\}|(\d+))")


@dataclass(frozen=True)
class StashEntry:
    """One stash.

    Attributes:
        index: Its place, 0 is the newest.
        commit: The commit that holds the work tree.
        message: ``WIP on main: 1a2b3c4 subject``, or ``On main: `` and what the user said.
        time_seconds: When it was made, Unix time.
    """

    index: int
    commit: CommitId
    message: str
    time_seconds: int

    @property
    def name(self) -> str:
        """``stash@{0}``, as Git calls it."""
        return f"stash@{{{self.index}}}"


@dataclass(frozen=True)
class StashResult:
    """What ``apply`` or ``pop`` did.

    Attributes:
        entry: The stash.
        dropped: Whether it is gone from the list.
        conflicts: Open conflicts in data sets.
        files: Ordinary files in conflict.
    """

    entry: StashEntry
    dropped: bool
    conflicts: tuple[DataConflict, ...] = ()
    files: tuple[str, ...] = ()


def list_stashes(repo: Repository) -> list[StashEntry]:
    """Return the stashes, newest first."""
    return [
        StashEntry(
            i, CommitId(one.new_sha.decode()), one.message.decode("utf-8", "replace"), one.timestamp
        )
        for i, one in enumerate(Stash.from_repo(repo.git.dulwich).stashes())
    ]


def find_stash(repo: Repository, name: str | None) -> StashEntry:
    """Return a stash by name (``stash@{1}``, ``1``); None is the newest.

    Raises:
        NotFoundError: There is no such stash.
        InvalidInputError: It is no name of one.
    """
    found = _NAME.fullmatch(name or "0")
    if found is None:
        raise InvalidInputError(f"{name!r} is not a stash", hint="veml stash list")
    entries = list_stashes(repo)
    index = int(found.group(1) or found.group(2))
    if index >= len(entries):
        what = f"stash@{{{index}}} is not there; there are {len(entries)}"
        raise NotFoundError(
            what if entries else "there is no stash", hint="veml stash list", kind="unknown-stash"
        )
    return entries[index]


def show(repo: Repository, name: str | None = None) -> RepoDiff:
    """Return how a stash differs from the commit it was made on."""
    entry = find_stash(repo, name)
    return diff_commits(repo, repo.git.parents(entry.commit)[0], entry.commit)


def apply(
    repo: Repository,
    name: str | None = None,
    *,
    drop_it: bool = False,
    index: bool = False,
    progress: Progress = silent,
) -> StashResult:
    """Bring a stash back, three-way: by sample, by box, by line.

    Args:
        repo: The repository.
        name: Which; None is the newest.
        drop_it: Drop it if there are no conflicts (``pop``).
        index: Stage again what was staged; only where HEAD is what it was.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such stash.
        ConflictError: Uncommitted changes are in the way.
    """
    with repo.lock("veml stash"):
        entry = find_stash(repo, name)
        parents = repo.git.parents(entry.commit)
        if len(parents) < 2:
            raise InvalidInputError(f"{entry.name} ({short(entry.commit)}) is not a stash")
        refuse_under_way(repo)
        ours = repo.git.head().commit
        if ours is None:
            raise NotFoundError("HEAD has no commits yet", kind="unborn")
        staged_then = repo.git.files(parents[1])
        if index and repo.git.files(ours) != repo.git.files(parents[0]):
            raise ConflictError(
                "--index: HEAD is no longer what it was", hint=f"veml stash apply {entry.name}"
            )
        untracked = repo.git.files(parents[2]) if len(parents) > 2 else {}
        _refuse_untracked(repo, untracked)
        with repo.store.write() as writer:
            settlement = Settlement(rules=rules_at(repo, ours))
            names = ("Updated upstream", "Stashed changes")
            merger = TreeMerger(repo, writer, settlement, progress, names)
            merged = merger.merge_over(parents[0], ours, entry.commit)
        repo.catalog.refresh()
        refuse_staged(repo, ours, merged.files, merged.conflicts)
        apply_merge(repo, merged, repo.datasets_at(ours), ours, progress)
        for path, file in untracked.items():
            write_plain(repo, path, file)
        files = plain_conflicts(merged)
        left = tuple(one for one in all_conflicts(merged) if one.choice is None)
        if left or files:
            # As in Git nothing but the index says so, by its stages; see ``pending``.
            return StashResult(entry, False, left, files)
        # As Git: what is new stays staged, or it would be untracked; the rest is not staged.
        before = repo.git.files(ours)
        new = {path: file for path, file in merged.files.items() if path not in before}
        # A data set that went (it was renamed, perhaps) stays staged as gone: unstaged, its record
        # would be back without a folder, which looks like a loss that no command shall commit.
        lost = repo.datasets_at(ours).keys() - repo.datasets_in(merged.files).keys()
        gone = {path + RECORD_SUFFIX for path in lost}
        kept = {path: file for path, file in before.items() if path not in gone}
        move_index(repo, staged_then if index else kept | new)
        if drop_it:
            _drop(repo, entry)
    return StashResult(entry, drop_it)


def drop(repo: Repository, name: str | None = None) -> StashEntry:
    """Forget a stash.

    Raises:
        NotFoundError: There is no such stash.
        ConflictError: ``git stash`` changed the list meanwhile.
    """
    with repo.lock("veml stash drop"):
        entry = find_stash(repo, name)
        _drop(repo, entry)
    return entry


def clear(repo: Repository) -> list[StashEntry]:
    """Forget all stashes; return them."""
    with repo.lock("veml stash clear"):
        found = list_stashes(repo)
        for entry in reversed(found):  # the places of the newer ones stay what they are
            _drop(repo, entry)
    return found


def _drop(repo: Repository, entry: StashEntry) -> None:
    """Take a stash off the list, and no other one; the caller holds the repository's lock."""
    if not repo.git.dulwich.drop_stash(entry.index, entry.commit.encode()):
        raise ConflictError(
            f"the list of stashes changed meanwhile; {short(entry.commit)} is no longer "
            f"{entry.name}, and nothing was dropped",
            hint="veml stash list",
        )


def _refuse_untracked(repo: Repository, files: dict[str, TreeFile]) -> None:
    blocked = [path for path, file in files.items() if in_the_way(repo, path, file, ())]
    if blocked:
        raise ConflictError(
            f"untracked files are in the way of the stash's: {', '.join(blocked[:5])}",
            hint="move them away",
            kind="would-lose-changes",
        )
