"""``veml merge``: join another line of history, three-way, by sample and by box.

Everything the merge makes is in the store before the work tree is touched; HEAD and the merge's
state come last. A merge that is killed leaves HEAD where it was, and the same command runs again.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.checkout import empty_version, move_work_tree
from veml_vcs.repository.commit import Signature, commit
from veml_vcs.repository.git.identity import identity_of
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.abort import abort
from veml_vcs.repository.merging.conflict import DataConflict, refuse_both
from veml_vcs.repository.merging.data import DataMerge
from veml_vcs.repository.merging.paths import TreeMerge, TreeMerger
from veml_vcs.repository.merging.pending_settle import bring_settled, plan_settlement
from veml_vcs.repository.merging.rules import ConflictName, Settlement, rules_at
from veml_vcs.repository.merging.sequence import refuse_sequence
from veml_vcs.repository.merging.squash import SQUASH_FILE, squash_message
from veml_vcs.repository.merging.state import (
    MergeState,
    forget_merge,
    load_merge_state,
    refuse_under_way,
    save_merge_state,
)
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.place import any_stale_records
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import is_ancestor, merge_bases
from veml_vcs.repository.worktree.changes import (
    FolderChanges,
    folder_changes,
    touched_changes,
)
from veml_vcs.repository.worktree.held import note_held
from veml_vcs.repository.worktree.materialize import (
    file_changes,
    keep_shared,
    refuse_lost_changes,
    remember,
    remember_changes,
    require_contents,
    write_changes,
)
from veml_vcs.repository.worktree.plain_files import (
    in_the_way,
    move_plain,
    refuse_hostile_paths,
    same_on_disk,
    unstaged_paths,
    write_plain,
)
from veml_vcs.repository.worktree.unfinished import MERGE
from veml_vcs.samples.annotations import Choice, Resolution
from veml_vcs.samples.annotations.conflicts import RESOLUTIONS
from veml_vcs.samples.tree import Change
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord

if TYPE_CHECKING:
    from veml_vcs.repository.records.stale import StaleRecord


@dataclass(frozen=True)
class MergeResult:
    """What a merge did.

    Attributes:
        kind: ``up-to-date``, ``fast-forward``, ``merged``, ``stopped`` (``no_commit``) or
            ``conflicts``.
        commit: Where HEAD is now.
        data: The data sets that were merged.
        conflicts: Open conflicts in data sets.
        files: Ordinary files in conflict.
        squash: All is in index and work tree, and the next commit is no merge.
        stale: Trainings and inference versions that this merge made to be of other versions than
            are here: a metric is never merged.
    """

    kind: str
    commit: CommitId
    data: tuple[DataMerge, ...] = ()
    conflicts: tuple[DataConflict, ...] = ()
    files: tuple[str, ...] = ()
    squash: bool = False
    stale: tuple[StaleRecord, ...] = ()


def merge(
    repo: Repository,
    revision: str,
    *,
    message: str | None = None,
    no_ff: bool = False,
    ff_only: bool = False,
    no_commit: bool = False,
    squash: bool = False,
    favour: Choice | None = None,
    unrelated: bool = False,
    committer: Signature | None = None,
    progress: Progress = silent,
) -> MergeResult:
    """Merge a revision into HEAD.

    Args:
        repo: The repository.
        revision: What to merge.
        message: The merge commit's message.
        no_ff: Make a merge commit even where HEAD could simply move.
        ff_only: Refuse where HEAD could not simply move.
        no_commit: Stop before the commit.
        squash: Stop before the commit, and let it be no merge: HEAD does not move.
        favour: Side that settles all conflicts in data sets.
        unrelated: Merge even where there is no common ancestor.
        committer: Who commits; None asks Git's configuration.
        progress: Is told how far it is.

    Raises:
        ConflictError: Uncommitted changes are in the way, a merge is under way, or the sides cannot
            be merged. Conflicts of the merge itself are no error: they are in the result.
        NotFoundError: There is no such revision.
    """
    with ExitStack() as whole:
        with repo.lock("veml merge"), repo.git.batch():
            head = repo.git.head()
            theirs = repo.resolve(revision)
            about = f"{MERGE}{head.commit} {theirs}"
            if repo.unfinished.interrupted != about:
                refuse_under_way(repo)
            if head.commit is None:
                raise NotFoundError("HEAD has no commits yet", hint=f"veml checkout {revision}")
            ours = head.commit
            if is_ancestor(repo.git, theirs, ours):
                return MergeResult("up-to-date", ours, squash=squash)
            if is_ancestor(repo.git, ours, theirs) and not (no_ff or squash):
                refuse_staged(repo, ours, repo.git.files(theirs))
                move_work_tree(repo, ours, theirs, "merge", force=False, progress=progress)
                _move_branch(repo, ours, theirs, revision)
                return MergeResult("fast-forward", theirs)
            if ff_only and not is_ancestor(repo.git, ours, theirs):
                raise ConflictError(
                    f"{revision}: not possible to fast-forward, HEAD has commits of its own",
                    hint="veml merge without --ff-only",
                )
            if not unrelated and not merge_bases(repo.git, ours, theirs):
                raise ConflictError(
                    f"{revision} has no commit in common with HEAD: unrelated histories",
                    hint="veml merge --allow-unrelated-histories merges them over nothing",
                    kind="unrelated",
                )
            refuse_sequence(repo)
            if committer is None or not committer.identity:
                identity_of(repo.git.config, "COMMITTER")  # refuses before anything is touched
            with repo.store.write() as writer:
                names = ("HEAD", revision)
                settlement = Settlement(rules=rules_at(repo, ours), default=favour)
                merger = TreeMerger(repo, writer, settlement, progress, names)
                merged = merger.merge(ours, theirs)
            repo.catalog.refresh()
            refuse_staged(repo, ours, merged.files, merged.conflicts)
            state = MergeState(
                revision, ours, theirs, all_conflicts(merged), favour=favour, original=ours
            )
            # Until the merge is committed, or its state complete: killed in between, the same
            # command goes on, and no commit takes half a merge for changes of the user's.
            whole.enter_context(repo.unfinished.about(about))
            apply_merge(repo, merged, repo.datasets_at(ours), ours, progress)
            if squash:
                text = squash_message(repo, ours, theirs)
                repo.git.write_state(SQUASH_FILE, text.encode("utf-8", "replace"))
                return replace(_squashed(ours, merged, state), stale=_stale(repo, ours, merged))
            text = message or _message(repo, revision, head.branch)
            repo.git.write_state("MERGE_MSG", text.encode() + b"\n")
            save_merge_state(repo, state)
            repo.git.write_state("MERGE_HEAD", theirs.encode() + b"\n")
        left = state.open_conflicts
        files = plain_conflicts(merged)
        stale = _stale(repo, ours, merged)
        if left or files:
            return MergeResult("conflicts", ours, tuple(merged.data), left, files, stale=stale)
        if no_commit:
            return MergeResult("stopped", ours, tuple(merged.data), stale=stale)
        done = commit(repo, text, committer=committer, author=committer)
    return MergeResult("merged", done.id, tuple(merged.data), stale=stale)


def _stale(repo: Repository, ours: CommitId, merged: TreeMerge) -> tuple[StaleRecord, ...]:
    """Return the versions that were of what is here before the merge, and are not after it."""
    before = any_stale_records(repo, repo.git.files(ours))
    after = any_stale_records(repo, merged.files, merged.conflicts)
    return tuple(one for one in after if one not in before)


def _squashed(ours: CommitId, merged: TreeMerge, state: MergeState) -> MergeResult:
    files = plain_conflicts(merged)
    kind = "conflicts" if state.open_conflicts or files else "stopped"
    return MergeResult(kind, ours, tuple(merged.data), state.open_conflicts, files, squash=True)


def settle(
    repo: Repository,
    choices: Mapping[str, Mapping[str, Resolution]],
    *,
    chosen: Mapping[str, Mapping[ConflictName, Resolution]] | None = None,
    progress: Progress = silent,
) -> MergeState:
    """Repeat the merge under way with conflicts settled, and bring the work tree to the result.

    Args:
        repo: The repository, whose lock the caller holds.
        choices: Data set -> key -> side or both, for all conflicts of a sample or file.
        chosen: Data set -> conflict -> side or both, for single ones.
        progress: Is told how far it is.

    Raises:
        NotFoundError: No merge is under way, or nothing in it has such a key.
        ConflictError: The folder has changes that would be lost.
        InvalidInputError: Both are asked for where that has no meaning; nothing is settled then.
    """
    state = load_merge_state(repo)
    if state is None:
        raise NotFoundError("no merge is under way", kind="not-merging")
    if not state.ours:
        return _settle_pending(repo, state, choices, chosen or {}, progress)
    known = {(one.dataset, one.key) for one in state.conflicts}
    one_by_one = {name: dict(sides) for name, sides in (chosen or {}).items()}
    asked = {name: {*keys} for name, keys in choices.items()}
    for name, sides in one_by_one.items():
        asked.setdefault(name, set()).update(key for key, _, _ in sides)
    for dataset, keys in asked.items():
        for key in sorted(keys):
            if (dataset, key) not in known:
                raise NotFoundError(
                    f"no conflict at {dataset}/{key}",
                    hint="veml status lists them",
                    kind="no-conflict",
                )
    ours = CommitId(state.ours)
    settlement = Settlement(
        _chosen(state.conflicts, choices, one_by_one), choices, rules_at(repo, ours), state.favour
    )
    with repo.store.write() as writer:
        # The names that the conflict marks have already, so that texts in conflict stay the same.
        merger = TreeMerger(repo, writer, settlement, progress, ("HEAD", state.label))
        if state.base is None:
            merged = merger.merge(ours, CommitId(state.theirs))
        else:
            base, theirs = (CommitId(one) if one else None for one in (state.base, state.theirs))
            merged = merger.merge_over(base, ours, theirs)
    for one_set in merged.data:
        path = one_set.path
        refuse_both(one_set.conflicts, choices.get(path, {}), one_by_one.get(path, {}))
    repo.catalog.refresh()
    here = repo.staged_datasets()
    touched = [one_set for one_set in merged.data if one_set.path in asked]
    plans = [
        _plan_data(repo, one_set.path, here.get(one_set.path), one_set.record)
        for one_set in touched
    ]  # a folder in which something would be lost refuses before any is written
    for one_set, plan in zip(touched, plans, strict=True):
        path = one_set.path
        _write_data(repo, path, here.get(path), one_set.record, *plan, one_set.hints, progress)
        _stage_settled(repo, one_set, merged)
    manual = {(c.dataset, c.key, c.kind, c.path): c.choice for c in state.conflicts}
    again = tuple(
        DataConflict(**{**one.as_dict(), "choice": one.choice or _kept(manual, one)})
        for data in merged.data
        for one in data.conflicts
    )
    new = replace(state, conflicts=again)
    save_merge_state(repo, new)
    return new


def _settle_pending(
    repo: Repository,
    state: MergeState,
    choices: Mapping[str, Mapping[str, Resolution]],
    chosen: Mapping[str, Mapping[ConflictName, Resolution]],
    progress: Progress,
) -> MergeState:
    """Settle conflicts that a plain git command left, and bring the folders along."""
    asked = dict.fromkeys([*choices, *chosen])
    settled = [
        plan_settlement(repo, dataset, choices.get(dataset, {}), chosen.get(dataset, {}))
        for dataset in asked
    ]
    bring_settled(repo, settled, progress=progress)
    return load_merge_state(repo) or replace(state, conflicts=())


def _kept(manual: Mapping[tuple[str, str, str, str], str | None], one: DataConflict) -> str | None:
    return manual.get((one.dataset, one.key, one.kind, one.path))


def _stage_settled(repo: Repository, data: DataMerge, merged: TreeMerge) -> None:
    path = data.path + RECORD_SUFFIX
    if data.record is None:
        repo.git.unstage([path])
        repo.files.remove(repo.absolute(path))
        return
    text = data.record.to_bytes()
    repo.write_file(path, text)
    if any(one.choice is None for one in data.conflicts):
        repo.git.stage_conflicts({path: merged.conflicts[path]})
    else:
        repo.git.stage_blobs({path: text})


def _chosen(
    conflicts: Iterable[DataConflict],
    keys: Mapping[str, Mapping[str, Resolution]],
    chosen: dict[str, dict[ConflictName, Resolution]],
) -> dict[str, dict[ConflictName, Resolution]]:
    """Return the conflicts that are settled one by one: those of before, unless chosen anew."""
    found: dict[str, dict[ConflictName, Resolution]] = {}
    for one in conflicts:
        anew = one.key in keys.get(one.dataset, {})
        if one.choice in RESOLUTIONS and not anew:
            found.setdefault(one.dataset, {})[one.name] = one.choice
    for dataset, sides in chosen.items():
        found.setdefault(dataset, {}).update(sides)
    return found


def all_conflicts(merged: TreeMerge) -> tuple[DataConflict, ...]:
    """Return the conflicts in data sets, settled ones too."""
    return tuple(one for data in merged.data for one in data.conflicts)


def plain_conflicts(merged: TreeMerge) -> tuple[str, ...]:
    """Return the ordinary files in conflict."""
    return tuple(path for path in merged.conflicts if not _is_data(path, merged))


def refuse_staged(
    repo: Repository,
    ours: CommitId,
    new: Mapping[str, TreeFile],
    conflicts: Collection[str] = (),
) -> None:
    """Refuse an index that is neither HEAD's nor what this merge, killed before, left behind."""
    old = repo.git.files(ours)
    staged = repo.git.staged_files()
    open_paths = repo.git.conflicted_paths()
    foreign = [path for path in open_paths if path not in conflicts] + [
        path
        for path in sorted(old.keys() | staged.keys())
        if path not in open_paths and staged.get(path) not in (old.get(path), new.get(path))
    ]
    if foreign:
        raise ConflictError(
            f"there are staged changes; a merge needs an index like HEAD: {', '.join(foreign[:5])}",
            hint="veml commit -m MESSAGE first",
            kind="would-lose-changes",
        )


def _is_data(path: str, merged: TreeMerge) -> bool:
    return any(path == data.path + RECORD_SUFFIX for data in merged.data)


def apply_merge(
    repo: Repository,
    merged: TreeMerge,
    here: dict[str, DataRecord],
    ours: CommitId,
    progress: Progress,
) -> None:
    """Bring work tree and index to the merged tree; touch nothing if something would be lost."""
    refuse_hostile_paths(repo, merged.files.keys())
    old_files = repo.git.files(ours)
    changed = {
        path
        for path in old_files.keys() | merged.files.keys()
        if old_files.get(path) != merged.files.get(path)
    }
    lost = [
        path
        for path in sorted(changed & set(unstaged_paths(repo)))
        if not same_on_disk(repo, path, merged.files.get(path))
        and not same_on_disk(repo, path, old_files.get(path))
    ]
    lost += [
        path
        for path in sorted(changed - old_files.keys())
        if path not in lost and in_the_way(repo, path, merged.files[path], old_files)
    ]
    if lost:
        raise ConflictError(
            f"merge would overwrite uncommitted changes: {', '.join(lost[:5])}",
            hint="commit or stash them first",
            kind="would-lose-changes",
        )
    tree = repo.git.write_tree(merged.files)
    wanted = repo.datasets_in(merged.files)
    moves = {
        path: _plan_data(repo, path, here.get(path), wanted.get(path))
        for path in sorted(here.keys() | wanted.keys())
        if here.get(path) != wanted.get(path)
    }
    hints = {one.path: one.hints for one in merged.data}
    for path, (changes, dirty) in moves.items():
        shared = keep_shared(changes, path, wanted)
        told = hints.get(path, {})
        _write_data(repo, path, here.get(path), wanted.get(path), shared, dirty, told, progress)
    if merged.conflicts:
        # Before any file holds conflict marks, so that no commit can take them for settled.
        repo.git.stage_conflicts(merged.conflicts)
    for path in merged.conflicts:
        if path in merged.files:
            write_plain(repo, path, merged.files[path])
    move_plain(repo, repo.git.commit(ours).tree, tree, wanted, skip=merged.conflicts)


def _plan_data(
    repo: Repository, path: str, old: DataRecord | None, new: DataRecord | None
) -> tuple[list[Change], FolderChanges]:
    changes = file_changes(repo, old, new)
    dirty = None
    if old is not None and new is not None and os.path.isdir(repo.absolute(path)):
        dirty = touched_changes(repo, path, changes)  # what can be lost lies where files change
    if dirty is None:
        dirty = folder_changes(repo, path, old if old is not None else empty_version(new))
    refuse_lost_changes(path, changes, dirty, "merge")
    require_contents(repo, path, changes)
    return changes, dirty


def _write_data(
    repo: Repository,
    path: str,
    old: DataRecord | None,
    new: DataRecord | None,
    changes: list[Change],
    dirty: FolderChanges,
    hints: Mapping[str, Any],
    progress: Progress,
) -> None:
    written = write_changes(repo, path, changes, progress=progress)
    if old is not None and new is not None and not dirty:
        remember_changes(repo, path, old, new, changes, written, hints)
    elif new is not None:
        remember(repo, path, new, written, clean=not dirty, hints=hints)
    else:
        note_held(repo, path, None)


def _move_branch(repo: Repository, old: CommitId, new: CommitId, name: str) -> None:
    if not repo.git.move_head(old, new, os.fsencode(f"merge {name}: Fast-forward")):
        raise ConflictError("HEAD moved while it was merged", hint="run the merge again")


def _message(repo: Repository, revision: str, branch: str | None) -> str:
    kind = "branch" if revision in repo.git.branches() else "commit"
    if revision in repo.git.tags():
        kind = "tag"
    into = f" into {branch}" if branch and branch not in ("main", "master") else ""
    return f"Merge {kind} '{revision}'{into}"


__all__ = ["InvalidInputError", "MergeResult", "abort", "forget_merge", "merge", "settle"]
