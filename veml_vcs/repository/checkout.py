"""``veml checkout`` and ``veml switch``: bring work tree, index and HEAD to another commit.

Data folders first, then ordinary files and the index, HEAD last: a checkout that is killed leaves
HEAD where it was, and the same command, run again, goes on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from dulwich.objects import ObjectID
from dulwich.refs import HEADREF, Ref, check_ref_format

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.absent import is_here, require_here
from veml_vcs.repository.git.repo import Head, TreeFile
from veml_vcs.repository.merging.sequence import end_step
from veml_vcs.repository.merging.state import refuse_under_way
from veml_vcs.repository.merging.waiting import WaitingKind, waiting
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.refs import refuse_nested_name
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import FolderChanges, folder_changes, scan_dataset
from veml_vcs.repository.worktree.follow import FolderBehind, folders_behind
from veml_vcs.repository.worktree.held import note_held
from veml_vcs.repository.worktree.materialize import (
    file_changes,
    keep_shared,
    note_gaps,
    refuse_lost_changes,
    remember,
    remember_changes,
    require_contents,
    write_changes,
)
from veml_vcs.repository.worktree.plain_files import (
    drop_conflicts,
    in_the_way,
    move_plain,
    refuse_hostile_paths,
    restore_modified,
    same_on_disk,
    unstaged_paths,
)
from veml_vcs.samples.facts import Facts
from veml_vcs.samples.tree import Change, Gap, Tree, diff_trees
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord

_DOING: dict[WaitingKind, str] = {
    "merge": "merging", "cherry-pick": "cherry-picking", "revert": "reverting",
    "rebase": "rebasing", "am": "in the middle of an am session",
}  # fmt: skip


@dataclass(frozen=True)
class CheckoutResult:
    """What a checkout did.

    Attributes:
        branch: The branch HEAD is on now; None when detached.
        commit: The commit HEAD is at now; None on a branch without commits.
        created: Whether the branch was created.
        written: Data set -> number of files written or removed.
        carried: Data sets whose uncommitted changes were carried over.
        absent: Data sets that have no folder because their data is not in this clone.
    """

    branch: str | None
    commit: CommitId | None
    created: bool
    written: dict[str, int]
    carried: tuple[str, ...] = ()
    absent: tuple[FolderBehind, ...] = ()


@dataclass
class _DataMove:
    """What has to happen to one data set's folder."""

    path: str
    old: DataRecord | None
    new: DataRecord | None
    changes: list[Change]
    dirty: FolderChanges
    gaps: list[Gap] = field(default_factory=list)
    touched: int = 0


def checkout(
    repo: Repository,
    target: str,
    *,
    create: bool = False,
    start: str | None = None,
    detach: bool = False,
    force: bool = False,
    while_waiting: bool = True,
    progress: Progress = silent,
) -> CheckoutResult:
    """Switch to a branch or a commit.

    Where a cherry-pick or revert waits between two steps, what is still to be replayed goes on
    waiting, as with ``git checkout``.

    Args:
        repo: The repository.
        target: A branch, or any revision (then HEAD is detached); with ``create`` the new branch.
        create: Create the branch first, at ``start``.
        start: A revision; None is HEAD.
        detach: Detach HEAD even if ``target`` is a branch.
        force: Throw away uncommitted changes that are in the way, and the step of a merge, a
            cherry-pick or a revert that waits to be committed.
        while_waiting: Also between two steps of a cherry-pick or revert, and in a rebase, as
            ``git checkout``; False refuses whatever waits, as ``git switch``.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is no such revision, or the store lacks contents.
        ConflictError: Uncommitted changes would be lost.
        InvalidInputError: The new branch exists, or its name is not one.
    """
    with repo.lock("veml checkout"), repo.git.batch():
        if not while_waiting:
            _refuse_waiting(repo)
        if not force:
            refuse_under_way(repo)
        head = repo.git.head()
        branches = repo.git.branches()
        created = create
        if create:
            check_new_branch(repo, target)
            if head.commit is None and start is None:
                ref = Ref(b"refs/heads/" + target.encode())
                repo.git.dulwich.refs.set_symbolic_ref(HEADREF, ref)
                return CheckoutResult(target, None, True, {})
            commit_id = repo.resolve(start or "HEAD")
            branch: str | None = target
        elif target in branches and not detach:
            commit_id, branch = branches[target], target
        elif not detach and (remote := remote_branch(repo, target)) is not None:
            commit_id, branch, created = remote, target, True
        else:
            commit_id, branch = repo.resolve(target), None
        moves = move_work_tree(repo, head.commit, commit_id, "checkout", force, progress)
        if force:
            drop_conflicts(repo)
            end_step(repo)
            repo.unfinished.forget()
        _move_head(repo, head, branch, commit_id, created)
        repo.git.write_state("SQUASH_MSG", None)  # as Git: what it speaks of stays behind
    return CheckoutResult(
        branch,
        commit_id,
        created,
        {move.path: move.touched for move in moves if move.touched},
        tuple(move.path for move in moves if move.dirty and not force),
        tuple(one for one in folders_behind(repo).values() if one.kind == "absent"),
    )


def _refuse_waiting(repo: Repository) -> None:
    """Refuse to leave what waits for the user; a bisect is of no branch, so it may be left.

    Raises:
        ConflictError: It would be left.
    """
    for one in waiting(repo):
        if one.kind == "bisect":
            continue
        finish, drop = one.how_to_end
        raise ConflictError(
            f"cannot switch branch while {_DOING[one.kind]}",
            hint=f"{finish} finishes it, {drop} drops it; git worktree add makes room beside it",
            kind="switching-while-waiting",
        )


def move_work_tree(
    repo: Repository,
    old: CommitId | None,
    new: CommitId,
    command: str,
    force: bool,
    progress: Progress,
) -> list[_DataMove]:
    """Bring data folders, ordinary files and the index from one commit to another.

    The caller holds the lock and moves HEAD afterwards.
    """
    before, after = repo.git.files(old), repo.git.files(new)
    refuse_hostile_paths(repo, after.keys())
    if not force:
        _refuse_plain(repo, before, after, command)
    moves = _plan_data(repo, old, new, command, force)
    for move in moves:
        require_contents(repo, move.path, move.changes)
    for move in moves:
        _move_data(repo, move, force, progress)
    _move_plain(repo, old, new, force)
    return moves


def _plan_data(
    repo: Repository, old: CommitId | None, new: CommitId, command: str, force: bool
) -> list[_DataMove]:
    committed, wanted = repo.datasets_at(old), repo.datasets_at(new)
    staged = repo.staged_datasets()
    moves = []
    for path in sorted(committed.keys() | wanted.keys() | staged.keys()):
        here = staged.get(path)
        target = wanted.get(path)
        if committed.get(path) == target and not force:
            continue  # staged or loose changes of this data set are carried over
        if here == target and not force and target is None:
            continue
        dirty = FolderChanges()
        if _has_no_folder(repo, path, here):
            here = None
            if target is not None and not is_here(repo, target):
                continue  # neither before nor after: the folder stays away, and status says so
        require_here(repo, path, here)
        require_here(repo, path, target)
        gaps: list[Gap] = []
        if here is not None:
            dirty = folder_changes(repo, path, here, gaps=[])
        elif target is not None:
            dirty = folder_changes(repo, path, empty_version(target))
        if dirty.missing and target is not None:
            here, dirty = None, FolderChanges()  # nothing to lose: write the whole folder
        changes = keep_shared(file_changes(repo, here, target, gaps), path, wanted)
        if force:
            changes = _with_restored(repo, path, here, target, changes, dirty, gaps)
        else:
            refuse_lost_changes(path, changes, dirty, command)
        moves.append(_DataMove(path, here, target, changes, dirty, gaps))
    return moves


def _has_no_folder(repo: Repository, path: str, here: DataRecord | None) -> bool:
    """Tell whether a data set is not in the work tree because its data is not in this clone."""
    return here is not None and not is_here(repo, here) and not scan_dataset(repo, path, here)


def _with_restored(
    repo: Repository,
    path: str,
    here: DataRecord | None,
    target: DataRecord | None,
    changes: list[Change],
    dirty: FolderChanges,
    gaps: list[Gap],
) -> list[Change]:
    """Add the keys that differ on disk only, so that a forced checkout restores them."""
    if target is None or here is None:
        return changes
    if dirty.missing:
        return diff_trees(repo.store, None, target.tree, gaps)
    differs = [*dirty.changed, *dirty.removed]
    if not differs:
        return changes
    listed = {change.key for change in changes}
    found: list[Gap] = []
    entries = Tree(repo.store, target.tree).find(differs, found)
    gaps += [gap for gap in found if gap not in gaps]
    extra = [Change(key, None, entries.get(key)) for key in differs if key not in listed]
    return changes + [change for change in extra if change.new is not None]


def empty_version(like: DataRecord | None) -> DataRecord:
    """Return a version without entries, to find untracked files that stand in the way."""
    outside = like.annotations if like else ()
    from veml_vcs.objects.memory import MemoryObjectStore
    from veml_vcs.samples.tree import build_tree

    with MemoryObjectStore().write() as writer:
        return DataRecord(build_tree([], writer), Facts("files"), annotations=outside)


def _move_data(repo: Repository, move: _DataMove, force: bool, progress: Progress) -> None:
    note_gaps(repo, move.path, move.gaps)
    written = write_changes(repo, move.path, move.changes, progress=progress)
    move.touched = written.touched
    if move.new is not None and move.old is not None and not move.dirty and not force:
        remember_changes(repo, move.path, move.old, move.new, move.changes, written)
    elif move.new is not None:
        clean = force or not move.dirty or move.old is None
        remember(repo, move.path, move.new, written, clean=clean)
    else:
        note_held(repo, move.path, None)
        cache = repo.statcache_path(move.path)
        if os.path.exists(cache):
            repo.files.remove(cache)


# -- ordinary files ----------------------------------------------------------------------------


def _refuse_plain(
    repo: Repository, before: dict[str, TreeFile], after: dict[str, TreeFile], command: str
) -> None:
    """Refuse to overwrite ordinary files, or records, with changes that no commit has."""
    staged = repo.git.staged_files()
    loose = set(unstaged_paths(repo))
    lost = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        here = staged.get(path)
        changed = path in loose and not same_on_disk(repo, path, new)
        if here == new:
            if changed and not path.endswith(RECORD_SUFFIX):
                lost.append(path)
            continue
        blocked = old is None and new is not None and in_the_way(repo, path, new, before)
        if here != old or changed or blocked:
            lost.append(path)
    if lost:
        names = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        raise ConflictError(
            f"{command} would overwrite uncommitted changes: {names}",
            hint="commit them, or use --force to throw them away",
            kind="would-lose-changes",
        )


def _move_plain(repo: Repository, old: CommitId | None, new: CommitId, force: bool) -> None:
    new_tree = repo.git.commit(new).tree
    old_tree = None if old is None else repo.git.commit(old).tree
    if force:
        # Start from the index, so that staged files which neither commit has go too.
        old_tree = repo.git.write_tree(repo.git.staged_files())
    move_plain(repo, old_tree, new_tree, repo.datasets_at(new))
    if force:
        restore_modified(repo, repo.git.files(new))


# -- HEAD --------------------------------------------------------------------------------------


def _move_head(
    repo: Repository, old: Head, branch: str | None, commit_id: CommitId, create: bool
) -> None:
    refs = repo.git.dulwich.refs
    name = branch if branch is not None else commit_id
    message = os.fsencode(f"checkout: moving from {old.branch or old.commit} to {name}")
    raw = ObjectID(commit_id.encode())
    if branch is None:
        repo.git.detach_head(commit_id, message)
        return
    ref = Ref(b"refs/heads/" + branch.encode())
    if not create:
        repo.git.attach_head(branch, old.commit, message)
        return
    with repo.unfinished.about(_about(branch, commit_id)):
        made = refs.add_if_new(ref, raw, message=b"branch: Created from HEAD")
        if not made and repo.git.branches().get(branch) != commit_id:
            raise ConflictError(f"the branch {branch} was created by someone else just now")
        repo.git.attach_head(branch, old.commit, message)


def _about(branch: str, commit: CommitId) -> str:
    """Say what making a branch and switching to it is about, for who finds it half done."""
    return f"switch -c {branch} {commit}"


def remote_branch(repo: Repository, name: str) -> CommitId | None:
    """Return the one remote-tracking branch with this name, as ``git checkout`` guesses."""
    found = {
        sha
        for ref, sha in repo.git.dulwich.refs.as_dict(Ref(b"refs/remotes/")).items()
        if ref.partition(b"/")[2] == name.encode()
    }
    if len(found) != 1:
        return None
    return CommitId(found.pop().decode())


def check_new_branch(repo: Repository, name: str) -> None:
    """Check that a branch of this name can be made.

    Raises:
        InvalidInputError: It exists, or the name is not one of a branch.
    """
    if not check_ref_format(Ref(b"refs/heads/" + name.encode())) or name.startswith("-"):
        raise InvalidInputError(f"{name!r} is not a valid branch name")
    refuse_nested_name(name, repo.git.branches())
    made = repo.git.branches().get(name)
    if made is not None and repo.unfinished.interrupted != _about(name, made):
        raise InvalidInputError(
            f"a branch named {name} exists already",
            hint=f"veml checkout {name}",
            kind="branch-exists",
        )


__all__ = ["CheckoutResult", "NotFoundError", "check_new_branch", "checkout", "move_work_tree"]
