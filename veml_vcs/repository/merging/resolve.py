"""``veml resolve``: settle conflicts of a merge, each to one side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.merge import settle
from veml_vcs.repository.merging.operation import Operation
from veml_vcs.repository.merging.state import MergeState, load_merge_state, sides_of
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.plain_files import write_plain
from veml_vcs.samples.annotations import Choice
from veml_vcs.versions.data import RECORD_SUFFIX


@dataclass(frozen=True)
class ResolveResult:
    """What was settled, and what is left.

    Attributes:
        settled: Number of conflicts settled now.
        left: Conflicts in data sets that are still open.
        files: Ordinary files that are still in conflict.
        kind: What is to be finished: a merge, a cherry-pick...
        by_git: Whether a plain git command began it.
    """

    settled: int
    left: tuple[DataConflict, ...] = ()
    files: tuple[str, ...] = ()
    kind: Operation = "merge"
    by_git: bool = False


def resolve(
    repo: Repository, keys: Sequence[str], choice: Choice, *, progress: Progress = silent
) -> ResolveResult:
    """Settle conflicts to one side; changes that do not conflict stay merged.

    Args:
        repo: The repository.
        keys: ``DATASET`` (all its conflicts), ``DATASET/KEY``, ``KEY`` where it is unambiguous, or
            an ordinary file.
        choice: ``ours``, ``theirs`` or ``base``.
        progress: Is told how far it is.

    Raises:
        NotFoundError: No merge is under way, or there is no such conflict.
    """
    with repo.lock("veml resolve"), repo.git.batch():
        state = load_merge_state(repo)
        if state is None:
            raise NotFoundError("no merge is under way", kind="not-merging")
        files = _plain_conflicts(repo, state)
        choices: dict[str, dict[str, Choice]] = {}
        settled = 0
        for text in keys:
            if text in files:
                _settle_file(repo, text, choice)
                settled += 1
                continue
            found = _matching(state, text)
            if not found and _is_settled_so(repo, state, text, choice):
                continue  # by a run of this very command that was killed
            if not found:
                raise NotFoundError(
                    f"no conflict at {text}", hint="veml status lists them", kind="no-conflict"
                )
            settled += len(found)
            for one in found:
                choices.setdefault(one.dataset, {})[one.key] = choice
        if choices:
            state = settle(repo, choices, progress=progress)
        files = _plain_conflicts(repo, state)
        return ResolveResult(settled, state.open_conflicts, files, state.kind, state.by_git)


def _matching(state: MergeState, text: str) -> list[DataConflict]:
    """Return the conflicts that a text names."""
    name = text.rstrip("/")
    whole = [one for one in state.conflicts if one.dataset == name]
    exact = [one for one in state.conflicts if f"{one.dataset}/{one.key}" == name]
    loose = [one for one in state.conflicts if one.key == name]
    if len({one.dataset for one in loose}) > 1:
        loose = []
    return whole or exact or loose


def _plain_conflicts(repo: Repository, state: MergeState) -> tuple[str, ...]:
    data = {one.dataset + RECORD_SUFFIX for one in state.conflicts}
    return tuple(path for path in repo.git.conflicted_paths() if path not in data)


def _is_settled_so(repo: Repository, state: MergeState, path: str, choice: Choice) -> bool:
    """Tell whether an ordinary file is staged as the side that is asked for has it."""
    if not state.ours:
        return False
    ours = CommitId(state.ours)
    bases, theirs = sides_of(repo, state, ours)
    sides: dict[Choice, list[CommitId | None]] = {"ours": [ours], "theirs": [theirs], "base": bases}
    here = {name: [repo.git.files(one).get(path) for one in side] for name, side in sides.items()}
    known = any(file is not None for side in here.values() for file in side)
    return known and repo.git.staged_files().get(path) in here[choice]


def _settle_file(repo: Repository, path: str, choice: Choice) -> None:
    three = repo.git.conflict_stages(path)
    chosen: TreeFile | None = dict(zip(("base", "ours", "theirs"), three, strict=True))[choice]
    full = repo.absolute(path)
    if chosen is None:
        if os.path.lexists(full):
            repo.files.remove(full)
        repo.git.unstage([path])
        return
    write_plain(repo, path, chosen)
    repo.git.stage_file(path, chosen)
