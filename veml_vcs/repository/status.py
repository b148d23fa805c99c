"""``veml status``: what the next commit would hold, and what it would not."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from veml_vcs.repository.absent import is_here
from veml_vcs.repository.damage import Unreadable, unreadable
from veml_vcs.repository.data_changes import StagedData, staged_data_changes
from veml_vcs.repository.git.repo import Head, TreeFile
from veml_vcs.repository.merging.state import MergeState, load_merge_state
from veml_vcs.repository.merging.waiting import Waiting, waiting
from veml_vcs.repository.models.place import any_model_conflicts, any_stale_here
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.rebuilds import PendingRebuild, pending_rebuilds
from veml_vcs.repository.records.place import (
    any_record_conflicts,
    any_stale_records,
    record_diffs,
)
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.runs import PendingTraining, pending_trainings
from veml_vcs.repository.sparse.left_out import left_out
from veml_vcs.repository.worktree.changes import FolderChanges, folder_changes
from veml_vcs.repository.worktree.follow import FolderBehind, folders_behind
from veml_vcs.repository.worktree.held import load_held
from veml_vcs.repository.worktree.plain import untracked_paths
from veml_vcs.repository.worktree.plain_files import unstaged_paths
from veml_vcs.samples.tree import Gap
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord

if TYPE_CHECKING:
    from veml_vcs.repository.inferences.changes import InferenceDiff
    from veml_vcs.repository.models.changes import ModelDiff
    from veml_vcs.repository.models.stale import StaleModel
    from veml_vcs.repository.records.merging import RecordConflict
    from veml_vcs.repository.records.stale import StaleRecord
    from veml_vcs.repository.trainings.changes import TrainingDiff
    from veml_vcs.versions.models.merge import KeyConflict


@dataclass(frozen=True)
class Status:
    """The state of a repository.

    Attributes:
        head: Where HEAD stands.
        merge: The merge under way, if there is one.
        staged_data: Data sets whose staged version differs from HEAD's.
        staged_files: Ordinary files that differ: path -> ``new``, ``modified`` or ``deleted``.
        changed_data: Data sets whose folder differs from the staged version.
        changed_files: Ordinary files whose bytes differ from the index (or ``deleted``).
        conflicted: Paths in conflict (merge stages in the index).
        untracked: Files that Git neither tracks nor ignores; a folder ends with ``/``.
        untracked_data: Untracked folders that look like data sets.
        behind: Data sets whose folder does not hold what their record says, because Git moved the
            record, or because the data is not in this clone.
        sparse: Data sets of which this work tree leaves out files, and how many; None is all.
        waiting: What waits for the user: a merge, rebase, bisect, a sequence of cherry-picks.
        models: Models whose staged record differs from HEAD's (``staged_files`` has the records'
            paths, too).
        stale_models: Records of models in the work tree that are not what their configs say.
        model_conflicts: Records of models in conflict, and the keys of their configs that are.
        trainings: Trainings whose staged record differs from HEAD's, as ``models``.
        inferences: Inference versions whose staged record differs from HEAD's, as ``models``.
        record_conflicts: Trainings and inference versions in conflict, by the path of their record.
        stale_records: Trainings and inference versions that are of other versions than are staged.
        rebuilds: Rebuilds that are begun and not done: they wait for labels, or were interrupted.
        pending_trainings: Trainings that are begun and not done: they run, or were interrupted.
        unreadable: What cannot be read of the versions that folders are compared with; what the
            folders hold there is told neither as added nor as the same.
    """

    head: Head
    merge: MergeState | None = None
    staged_data: tuple[StagedData, ...] = ()
    staged_files: dict[str, str] = field(default_factory=dict)
    changed_data: dict[str, FolderChanges] = field(default_factory=dict)
    changed_files: dict[str, str] = field(default_factory=dict)
    conflicted: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    untracked_data: tuple[str, ...] = ()
    behind: tuple[FolderBehind, ...] = ()
    sparse: dict[str, int | None] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    models: tuple[ModelDiff, ...] = ()
    stale_models: tuple[StaleModel, ...] = ()
    model_conflicts: dict[str, tuple[KeyConflict, ...]] = field(default_factory=dict)
    trainings: tuple[TrainingDiff, ...] = ()
    inferences: tuple[InferenceDiff, ...] = ()
    record_conflicts: dict[str, RecordConflict] = field(default_factory=dict)
    stale_records: tuple[StaleRecord, ...] = ()
    rebuilds: tuple[PendingRebuild, ...] = ()
    pending_trainings: tuple[PendingTraining, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether there is nothing to commit and nothing to add, untracked files aside."""
        return not (
            self.merge
            or self.staged_data
            or self.staged_files
            or self.changed_data
            or self.changed_files
            or self.conflicted
            or self.behind
            or self.unreadable
        )

    @property
    def all_unreadable(self) -> tuple[Unreadable, ...]:
        """What could not be read at all, of folders and of staged versions."""
        return self.unreadable + tuple(one for data in self.staged_data for one in data.unreadable)


def status(
    repo: Repository,
    *,
    untracked: bool = True,
    verify: bool = False,
    progress: Progress = silent,
) -> Status:
    """Compare HEAD, the index and the work tree.

    Args:
        repo: The repository.
        untracked: List untracked files too.
        verify: Read every file of every data set, whatever the stat cache says.
        progress: Is told how far it is.
    """
    head = repo.git.head()
    committed = repo.git.files(head.commit)
    staged = repo.git.staged_files()
    old, new = repo.datasets_at(head.commit), repo.staged_datasets()
    records = {path + RECORD_SUFFIX for path in {*old, *new}}
    changed_data = {}
    unread: list[Unreadable] = []
    behind = {
        path: one
        for path, one in folders_behind(repo).items()
        if one.kind != "behind"
        or one.held is not None
        or not os.path.lexists(repo.absolute(path))  # never brought here, so nobody deleted it
    }
    for path, record in new.items():
        expected = _expected_folder(repo, record, behind.get(path))
        if expected is None:
            continue
        gaps: list[Gap] = []
        changes = folder_changes(repo, path, expected, verify=verify, gaps=gaps, progress=progress)
        unread += unreadable(path, expected.tree, gaps)
        changes.forget(gaps)
        if changes:
            changed_data[path] = changes
    conflicted = repo.git.conflicted_paths()
    known = {*staged, *conflicted}
    loose, folders = _untracked(repo, list(new), known) if untracked else ((), ())
    named = record_diffs(repo, committed, staged)
    return Status(
        head=head,
        merge=load_merge_state(repo),
        staged_data=staged_data_changes(repo, old, new),
        staged_files={
            path: kind
            for path, kind in _file_changes(committed, staged).items()
            if path not in records
        },
        changed_data=changed_data,
        changed_files={
            path: "modified" if os.path.lexists(repo.absolute(path)) else "deleted"
            for path in unstaged_paths(repo)
            if path not in conflicted
        },
        conflicted=tuple(conflicted),
        untracked=loose,
        untracked_data=folders,
        behind=tuple(behind.values()),
        sparse=_left_out(repo, new),
        waiting=waiting(repo),
        models=named.models,
        stale_models=any_stale_here(repo, staged),
        model_conflicts=any_model_conflicts(repo, conflicted),
        trainings=named.trainings,
        inferences=named.inferences,
        record_conflicts=any_record_conflicts(repo, conflicted),
        stale_records=any_stale_records(repo, staged, conflicted),
        rebuilds=pending_rebuilds(repo),
        pending_trainings=pending_trainings(repo),
        unreadable=tuple(unread),
    )


def _left_out(repo: Repository, datasets: dict[str, DataRecord]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for path, record in datasets.items():
        out = left_out(repo, path)
        if out:
            found[path] = (
                None if out.everything else min(len(out.keys), record.samples + record.files)
            )
    return found


def _expected_folder(
    repo: Repository, record: DataRecord, behind: FolderBehind | None
) -> DataRecord | None:
    """Return the version to compare a folder with; None if there is none in this clone.

    A folder that Git has left behind is compared with what it was brought to, so that what the user
    changed stands apart from what Git moved.
    """
    if behind is not None and behind.kind in ("behind", "absent", "unreadable"):
        held = load_held(repo).get(behind.path)
        if held is None or held.tree not in repo.store:
            return None
        return held.as_record()
    return record if is_here(repo, record) else None


def _file_changes(old: dict[str, TreeFile], new: dict[str, TreeFile]) -> dict[str, str]:
    changes = {}
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path), new.get(path)
        if before is None:
            changes[path] = "new"
        elif after is None:
            changes[path] = "deleted"
        elif before != after:
            changes[path] = "modified"
    return changes


def _untracked(
    repo: Repository, datasets: list[str], known: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """List untracked paths, and apart from them the folders that look like data sets."""
    found = list(untracked_paths(repo, datasets, known))
    return (
        tuple(path for path, images in found if not images),
        tuple(path.rstrip("/") for path, images in found if images),
    )
