"""Where a cherry-pick or revert of several commits stands, so that a killed one can go on.

``merge.json`` is written before a step touches anything, and kept between two steps; Git's own file
(``CHERRY_PICK_HEAD``) only says that one step waits for its commit. What may be half done at a kill
is told by the note in ``unfinished``, which stands until the command ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from veml_vcs.errors import ConflictError, DamagedError
from veml_vcs.ids import CommitId
from veml_vcs.repository.git.repo import GitRepo
from veml_vcs.repository.merging.state import (
    MergeState,
    forget_heads,
    read_merge_state,
    replayed,
    save_merge_state,
    under_way,
)
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.unfinished import REPLAYS


@dataclass(frozen=True)
class Begun:
    """A replay that was killed.

    Attributes:
        kind: ``cherry-pick`` or ``revert``.
        original: Where HEAD was before.
        commits: What was to be replayed.
    """

    kind: str
    original: CommitId
    commits: tuple[CommitId, ...]


def about_replay(kind: str, original: CommitId, commits: Sequence[CommitId]) -> str:
    """Say what a replay is about, for ``unfinished``."""
    return " ".join([kind, original, *commits])


def begun(repo: Repository) -> Begun | None:
    """Return the replay that was killed last, or None; the caller holds the lock."""
    kind, *ids = (repo.unfinished.interrupted or "").split() or [""]
    if kind not in REPLAYS or not ids:
        return None
    return Begun(kind, CommitId(ids[0]), tuple(CommitId(one) for one in ids[1:]))


def load_sequence(
    repo: Repository, kind: str | None = None, *, moved: bool = False
) -> MergeState | None:
    """Return the step that a replay did last, or was at; None if HEAD stands elsewhere by now.

    Args:
        repo: The repository.
        kind: ``cherry-pick`` or ``revert``; None is either.
        moved: Also if commits are still to be replayed and HEAD was moved since, by commits by
            hand or to another branch: as in Git, they wait until somebody goes on or gives up.
    """
    try:
        state = read_merge_state(repo)
    except DamagedError:
        return None
    if state is None or state.kind not in REPLAYS or kind not in (None, state.kind):
        return None
    head = repo.git.head().commit
    if head == state.ours or is_committed(repo, state):
        return state
    return state if moved and state.todo and has_moved(repo, state) else None


def has_moved(repo: Repository, state: MergeState) -> bool:
    """Tell whether HEAD is neither where a step began nor the one commit on top of it."""
    head = repo.git.head().commit
    return head not in (None, state.ours) and not is_committed(repo, state)


def is_committed(repo: Repository, state: MergeState) -> bool:
    """Tell whether HEAD is the commit that a step was to make."""
    head = repo.git.head().commit
    return head is not None and repo.git.parents(head) == [state.ours]


def half_done(repo: Repository) -> MergeState | None:
    """Return the step that a killed replay may have done half; the caller holds the lock.

    Its conflicts are left out: which data sets were reached is not known.
    """
    killed = begun(repo)
    if killed is None or under_way(repo) is not None:
        return None
    state = load_sequence(repo)
    if state is None or is_committed(repo, state) or replayed(state) not in killed.commits:
        return None  # done, or skipped
    return replace(state, conflicts=())


def refuse_half_done(repo: Repository) -> None:
    """Refuse to begin something else while a step of a killed replay may be half done.

    Raises:
        ConflictError: It may be.
    """
    state = half_done(repo)
    if state is not None:
        raise ConflictError(
            f"a {state.kind} of {state.theirs_name} was interrupted before it was complete",
            hint=f"veml {state.kind} --continue goes on with it, "
            f"veml {state.kind} --abort gives it up",
            kind="merging",
        )


def refuse_sequence(repo: Repository) -> None:
    """Refuse to begin something whose state would take the place of a sequence that waits.

    Raises:
        ConflictError: Commits are still to be replayed.
    """
    state = load_sequence(repo, moved=True)
    if state is not None and state.todo and repo.unfinished.interrupted is None:
        count = len(state.todo)
        raise ConflictError(
            f"a {state.kind} is in progress: {count} commit{'' if count == 1 else 's'} to go",
            hint=f"veml {state.kind} --continue goes on, --abort undoes it, --quit forgets it",
            kind="merging",
        )


def refuse_git_sequence(repo: Repository) -> None:
    """Refuse to begin a replay while one of plain git's waits, as git does.

    Raises:
        ConflictError: Git's list of what is still to be replayed is there.
    """
    kind, _ = git_sequencer(repo.git)
    if kind is not None:
        raise ConflictError(
            f"a {kind} of git's is in progress",
            hint=f"git {kind} --continue goes on, --abort undoes it, --quit forgets it",
            kind="merging",
        )


def git_sequencer(git: GitRepo) -> tuple[Literal["cherry-pick", "revert"] | None, int]:
    """Return what plain git's sequencer does, if anything, and how many lines its list has."""
    lines = [
        words
        for one in (git.read_state("sequencer/todo") or b"").splitlines()
        if (words := one.decode("utf-8", "replace").split()) and not words[0].startswith("#")
    ]
    first = lines[0][0] if lines else ""
    if first in ("pick", "p"):
        return "cherry-pick", len(lines)
    return ("revert", len(lines)) if first == "revert" else (None, 0)


def end_step(repo: Repository) -> None:
    """Forget what waited for a commit; the commits that are still to be replayed are kept."""
    kind = under_way(repo)
    try:
        state = read_merge_state(repo)
    except DamagedError:
        state = None
    forget_heads(repo)
    if kind is None and load_sequence(repo, moved=True) is not None:
        return  # a commit by hand between two steps
    if state is None or state.kind != kind or not state.todo:
        save_merge_state(repo, None)
