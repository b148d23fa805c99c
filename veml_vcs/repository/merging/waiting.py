"""What waits for the user at one of its steps, or between two: what ``git status`` names.

A merge, cherry-pick, revert, rebase, ``git am`` or bisect, begun by veml or by plain git. Which
conflicts are open is another question (``state``): a sequence of cherry-picks still waits when the
step that had conflicts was committed by hand. Nothing is changed here, and no lock is needed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from veml_vcs.errors import DamagedError
from veml_vcs.repository.git.repo import GitRepo
from veml_vcs.repository.merging.operation import HEAD_FILES, how_to_end
from veml_vcs.repository.merging.sequence import git_sequencer, load_sequence
from veml_vcs.repository.merging.state import load_merge_state
from veml_vcs.repository.repository import Repository

WaitingKind = Literal["merge", "cherry-pick", "revert", "rebase", "am", "bisect"]

_REBASE_FOLDERS = ("rebase-merge", "rebase-apply")


@dataclass(frozen=True)
class Waiting:
    """A command that goes on when the user says so.

    Attributes:
        kind: What it is.
        by_git: Whether plain git began it, so that ``git``, not ``veml``, goes on with it.
        commit: The commit whose change waits to be committed; None between two steps.
        todo: How many commits come after that.
        branch: Of a rebase the branch that is rebased, of a bisect the one it started from.
        onto: Of a rebase, the commit on which the branch is put.
        editing: Of a rebase, that it stopped for the user to amend a commit.
    """

    kind: WaitingKind
    by_git: bool
    commit: str | None = None
    todo: int = 0
    branch: str | None = None
    onto: str | None = None
    editing: bool = False

    @property
    def how_to_end(self) -> tuple[str, str]:
        """What to type to finish it, and to give it up."""
        if self.kind == "bisect":
            return "git bisect good|bad", "git bisect reset"
        if self.kind == "am":
            return "git am --continue", "git am --abort"
        return how_to_end(self.kind, by_git=self.by_git)


def waiting(repo: Repository) -> tuple[Waiting, ...]:
    """Return what waits for the user, in the order in which ``git status`` tells it."""
    git = repo.git
    found: list[Waiting] = []
    rebase = _rebase(git)
    merge = _first_word(git, HEAD_FILES["merge"])
    if merge is not None:
        found.append(Waiting("merge", _is_of_git(repo), merge))
    if rebase is not None:
        found.append(rebase)
    pick = _first_word(git, HEAD_FILES["cherry-pick"])
    if pick is not None and merge is None and rebase is None:
        found.append(_step(repo, "cherry-pick", pick))
    if (bisect := _bisect(git)) is not None:
        found.append(bisect)
    undone = _first_word(git, HEAD_FILES["revert"])
    if undone is not None:
        found.append(_step(repo, "revert", undone))
    if all(one.kind not in ("cherry-pick", "revert") for one in found):
        found += _between(repo)
    return tuple(found)


def _between(repo: Repository) -> list[Waiting]:
    """Return the sequence that waits though no step of it does."""
    state = load_sequence(repo, moved=True)
    if state is not None and state.todo and state.kind in ("cherry-pick", "revert"):
        return [Waiting(state.kind, by_git=False, todo=len(state.todo))]
    kind, left = git_sequencer(repo.git)
    # Git strikes a step off its list when it begins the next one.
    return [] if kind is None else [Waiting(kind, by_git=True, todo=left - 1)]


def _step(repo: Repository, kind: Literal["cherry-pick", "revert"], commit: str) -> Waiting:
    if not _is_of_git(repo):
        state = load_sequence(repo, kind)
        return Waiting(kind, by_git=False, commit=commit, todo=len(state.todo) if state else 0)
    _, left = git_sequencer(repo.git)
    return Waiting(kind, by_git=True, commit=commit, todo=max(0, left - 1))


def _is_of_git(repo: Repository) -> bool:
    try:
        state = load_merge_state(repo)
    except DamagedError:
        return False  # there is one of veml's, and whoever needs it says what is wrong
    return state is None or state.by_git


def _rebase(git: GitRepo) -> Waiting | None:
    folder = next((one for one in _REBASE_FOLDERS if _is_folder(git, one)), None)
    if folder is None:
        return None
    if git.read_state(f"{folder}/applying") is not None:
        return Waiting("am", by_git=True)
    branch = _first_word(git, f"{folder}/head-name") or ""
    todo = (git.read_state(f"{folder}/git-rebase-todo") or b"").splitlines()
    stopped = git.read_state("MERGE_MSG") is not None or folder == "rebase-apply"
    return Waiting(
        "rebase",
        by_git=True,
        commit=_first_word(git, f"{folder}/stopped-sha"),
        todo=sum(bool(one.strip()) and not one.startswith(b"#") for one in todo),
        branch=branch.removeprefix("refs/heads/") if branch.startswith("refs/heads/") else None,
        onto=_first_word(git, f"{folder}/onto"),
        editing=not (stopped or git.conflicted_paths()),
    )


def _bisect(git: GitRepo) -> Waiting | None:
    if git.read_state("BISECT_LOG") is None:
        return None
    start = _first_word(git, "BISECT_START")
    return Waiting("bisect", by_git=True, branch=start and start.removeprefix("refs/heads/"))


def _is_folder(git: GitRepo, name: str) -> bool:
    return os.path.isdir(os.path.join(git.control_folder, name))


def _first_word(git: GitRepo, name: str) -> str | None:
    """Return the first word of a file in the control folder; None if there is no such file."""
    found = git.read_state(name)
    return None if found is None else (found.decode("utf-8", "replace").split() or [""])[0]
