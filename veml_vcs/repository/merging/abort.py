"""``veml merge --abort``: undo what a merge did, and leave alone what it did not touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veml_vcs.errors import DamagedError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.merging.sequence import half_done
from veml_vcs.repository.merging.state import (
    MergeState,
    Sides,
    forget_heads,
    forget_merge,
    load_merge_state,
    save_merge_state,
    sides_of,
    under_way,
)
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import folder_changes
from veml_vcs.repository.worktree.materialize import (
    file_changes,
    note_gaps,
    remember,
    require_contents,
    write_changes,
)
from veml_vcs.repository.worktree.plain_files import (
    drop_conflicts,
    move_plain,
    remove_plain,
    same_on_disk,
    write_plain,
)
from veml_vcs.repository.worktree.unfinished import MERGE
from veml_vcs.samples.tree import Change, Entry, Gap, Tree
from veml_vcs.versions.data import DataRecord

_OF_GITS = {"stash": "what is left of a ", "squash": "a "}


def abort(
    repo: Repository,
    *,
    kind: str | None = None,
    goes_on: bool = False,
    progress: Progress = silent,
) -> CommitId:
    """Give up the merge under way and return to HEAD.

    Files that the merge, or a settlement by hand, wrote get HEAD's bytes again; changes that were
    not committed before the merge stay, as with ``git merge --abort``.

    Args:
        repo: The repository.
        kind: What is to be given up: ``merge``, ``cherry-pick``, ``revert``; None is any.
        goes_on: Other commits are to be replayed, or to be undone: keep what is known of them.
        progress: Is told how far it is.

    Raises:
        NotFoundError: No merge is under way.
    """
    with repo.lock("veml merge --abort"), repo.git.batch():
        state = state_to_give_up(repo)
        if state is None or (kind is not None and state.kind != kind and not state.by_git):
            raise NotFoundError(f"no {kind or 'merge'} is under way", kind="not-merging")
        if state.by_git and (state.kind != "merge" or kind not in (None, "merge")):
            raise NotFoundError(
                f"no {kind or 'merge'} is under way, but {_OF_GITS.get(state.kind, 'git ')}"
                f"{state.kind} is",
                hint=f"git {state.kind} --abort" if state.kind not in _OF_GITS else
                "git reset --merge, or veml reset --hard if all uncommitted changes may go",
                kind="not-merging",
            )  # fmt: skip
        head = repo.git.head().commit
        if head is None:
            raise NotFoundError("HEAD has no commits", kind="unborn")
        half = under_way(repo) is None  # killed before it had said so
        sides = sides_of(repo, state, head)
        bases, theirs = [repo.datasets_at(one) for one in sides[0]], repo.datasets_at(sides[1])
        committed, staged = repo.datasets_at(head), repo.staged_datasets()
        for path in sorted(committed.keys() | staged.keys()):
            here, target = staged.get(path), committed.get(path)
            if here != target or _in_conflict(state, path) or not state.conflicts:
                gaps: list[Gap] = []
                sources = [one.get(path) for one in bases], target, theirs.get(path)
                brought = _brought(repo, *sources, gaps)
                _undo(repo, path, here, target, brought, gaps, half, progress)
        if half:
            _undo_files(repo, sides, head)
        tree = repo.git.commit(head).tree
        move_plain(repo, repo.git.write_tree(repo.git.staged_files()), tree, committed)
        drop_conflicts(repo)
        if goes_on:
            forget_heads(repo)
        else:
            forget_merge(repo)
        repo.unfinished.forget()
    return head


def state_to_give_up(repo: Repository) -> MergeState | None:
    """Return what is to be given up; where its state is damaged, all that is known of it."""
    try:
        state = load_merge_state(repo)
    except DamagedError:
        save_merge_state(repo, None)
        return load_merge_state(repo)
    if state is None or (state.by_git and state.kind in _OF_GITS):
        # The index of a merge that was killed may hold conflicts already, as after a stash.
        return _half_a_merge(repo) or state
    return state


def _half_a_merge(repo: Repository) -> MergeState | None:
    """Return the state of a merge that was killed before it had one."""
    about = repo.unfinished.interrupted or ""
    if not about.startswith(MERGE):
        return half_done(repo)
    ours, theirs = about.split()[-2:]
    return MergeState(theirs, ours, theirs)


def _brought(
    repo: Repository,
    bases: list[DataRecord | None],
    ours: DataRecord | None,
    theirs: DataRecord | None,
    gaps: list[Gap],
) -> dict[str, Entry | None]:
    """Return what their side changed and ours has not: what the merge may have written.

    Args:
        repo: The repository.
        bases: The versions that both sides began as.
        ours: HEAD's version.
        theirs: The other side's.
        gaps: Takes what cannot be read of them, of which nothing is said.
    """
    differs = {one.key: one.new for one in file_changes(repo, ours, theirs, gaps, gaps)}
    changed = {
        change.key for base in bases for change in file_changes(repo, base, theirs, gaps, gaps)
    }
    return {key: entry for key, entry in differs.items() if key in changed}


def _undo_files(repo: Repository, sides: Sides, head: CommitId) -> None:
    """Bring back ordinary files and records that a killed merge wrote, of which no index knows."""
    bases = [repo.git.files(one) for one in sides[0]]
    ours, theirs = repo.git.files(head), repo.git.files(sides[1])
    for path in sorted({*ours, *theirs, *(path for one in bases for path in one)}):
        old, new = ours.get(path), theirs.get(path)
        if old == new or all(one.get(path) == new for one in bases):
            continue
        if old is not None and not same_on_disk(repo, path, old):
            write_plain(repo, path, old)
        elif old is None and new is not None and same_on_disk(repo, path, new):
            remove_plain(repo, path)


def _in_conflict(state: MergeState, path: str) -> bool:
    return any(one.dataset == path for one in state.conflicts)


def _undo(
    repo: Repository,
    path: str,
    here: DataRecord | None,
    target: DataRecord | None,
    touched: Mapping[str, Entry | None],
    gaps: Sequence[Gap],
    half: bool,
    progress: Progress,
) -> None:
    changes = {change.key: change for change in file_changes(repo, here, target)}
    like = here or target
    left = False
    if like is not None and target is not None:
        dirty = folder_changes(repo, path, like)
        tree = Tree(repo.store, target.tree)
        for key in (*dirty.changed, *dirty.removed):
            if key in touched and key not in changes:
                changes[key] = Change(key, None, tree.get(key))
        for key in dirty.added if half else ():
            entry = touched.get(key)
            if entry is not None and entry.content == dirty.contents[key]:
                changes[key] = Change(key, entry, None)
        rest = dirty.keys() - changes.keys()
        left = bool(rest)
        # Whether the merge wrote these, or the user, cannot be told: they stay, and are named.
        unsure = [one for one in dict.fromkeys(gaps) if any(map(one.covers, rest))]
        note_gaps(repo, path, unsure)
    todo = [changes[key] for key in sorted(changes)]
    require_contents(repo, path, todo)
    written = write_changes(repo, path, todo, progress=progress)
    if target is not None:
        remember(repo, path, target, written, clean=not left)
