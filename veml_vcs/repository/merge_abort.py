"""``veml merge --abort``: undo what a merge did, and leave alone what it did not touch."""

from __future__ import annotations

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.materialize import (
    file_changes,
    remember,
    require_contents,
    write_changes,
)
from veml_vcs.repository.merge_state import MergeState, forget_merge, load_merge_state
from veml_vcs.repository.plain_files import drop_conflicts, move_plain
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.unfinished import MERGE
from veml_vcs.repository.worktree import folder_changes
from veml_vcs.samples.tree import Change, Tree
from veml_vcs.versions.data import DataRecord


def abort(repo: Repository, *, progress: Progress = silent) -> CommitId:
    """Give up the merge under way and return to HEAD.

    Files that the merge, or a settlement by hand, wrote get HEAD's bytes again; changes that were
    not committed before the merge stay, as with ``git merge --abort``.

    Raises:
        NotFoundError: No merge is under way.
    """
    with repo.lock("veml merge --abort"), repo.git.batch():
        state = load_merge_state(repo) or _half_a_merge(repo)
        if state is None:
            raise NotFoundError("no merge is under way", kind="not-merging")
        if not state.theirs:
            raise NotFoundError(
                f"no merge is under way, but git {state.operation} is",
                hint="git reset --merge"
                if state.operation == "stash"
                else f"git {state.operation} --abort",
                kind="not-merging",
            )
        head = repo.git.head().commit
        if head is None:
            raise NotFoundError("HEAD has no commits", kind="unborn")
        theirs = repo.datasets_at(repo.resolve(state.theirs))
        committed, staged = repo.datasets_at(head), repo.staged_datasets()
        for path in sorted(committed.keys() | staged.keys()):
            here, target = staged.get(path), committed.get(path)
            if here != target or _in_conflict(state, path) or not state.conflicts:
                _undo(repo, path, here, target, theirs.get(path), progress)
        tree = repo.git.commit(head).tree
        move_plain(repo, repo.git.write_tree(repo.git.staged_files()), tree, committed)
        drop_conflicts(repo)
        forget_merge(repo)
        repo.unfinished.forget()
    return head


def _half_a_merge(repo: Repository) -> MergeState | None:
    """Return the state of a merge that was killed before it had one."""
    about = repo.unfinished.interrupted or ""
    if not about.startswith(MERGE):
        return None
    ours, theirs = about.split()[-2:]
    return MergeState(theirs, ours, theirs)


def _in_conflict(state: MergeState, path: str) -> bool:
    return any(one.dataset == path for one in state.conflicts)


def _undo(
    repo: Repository,
    path: str,
    here: DataRecord | None,
    target: DataRecord | None,
    theirs: DataRecord | None,
    progress: Progress,
) -> None:
    changes = {change.key: change for change in file_changes(repo, here, target)}
    like = here or target
    left = False
    if like is not None and target is not None:
        dirty = folder_changes(repo, path, like)
        touched = {change.key for change in file_changes(repo, target, theirs)}
        tree = Tree(repo.store, target.tree)
        for key in (*dirty.changed, *dirty.removed):
            if key in touched and key not in changes:
                changes[key] = Change(key, None, tree.get(key))
        left = bool(dirty.keys() - changes.keys())
    todo = [changes[key] for key in sorted(changes)]
    require_contents(repo, path, todo)
    written = write_changes(repo, path, todo, progress=progress)
    if target is not None:
        remember(repo, path, target, written, clean=not left)
