"""``veml cherry-pick`` and ``veml revert``: do, or undo, here what a commit did elsewhere.

Both are three-way merges over another base than the common ancestor: a cherry-pick takes the
commit's parent as base and the commit as theirs, a revert the other way round. So boxes that
somebody else changed meanwhile stay, and what contradicts is a typed conflict as in any merge.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Literal

from veml_vcs.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StorageError,
    VemlError,
)
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.checkout import move_work_tree
from veml_vcs.repository.commit import CommitResult, Signature, author_of, commit
from veml_vcs.repository.git.walk import reachable, walk
from veml_vcs.repository.merging.abort import abort, state_to_give_up
from veml_vcs.repository.merging.conflict import DataConflict
from veml_vcs.repository.merging.merge import (
    all_conflicts,
    apply_merge,
    plain_conflicts,
    refuse_staged,
)
from veml_vcs.repository.merging.operation import HEAD_FILES
from veml_vcs.repository.merging.paths import TreeMerge, TreeMerger
from veml_vcs.repository.merging.rules import Settlement, rules_at
from veml_vcs.repository.merging.sequence import (
    Begun,
    about_replay,
    begun,
    end_step,
    git_sequencer,
    half_done,
    has_moved,
    is_committed,
    load_sequence,
    refuse_git_sequence,
    refuse_half_done,
    refuse_sequence,
)
from veml_vcs.repository.merging.state import (
    MergeState,
    forget_heads,
    forget_merge,
    label_of,
    load_merge_state,
    refuse_under_way,
    replayed,
    save_merge_state,
    under_way,
)
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.ranges import parse_range, parse_ranges
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import is_ancestor
from veml_vcs.samples.annotations import Choice

Kind = Literal["cherry-pick", "revert"]


@dataclass(frozen=True)
class Options:
    """How commits are replayed.

    Attributes:
        no_commit: Bring the changes into index and work tree, and commit nothing.
        mainline: Number of the parent, from 1, against which a merge commit is taken; 0 is none.
        favour: Side that settles all conflicts.
        note_origin: Add the commit's id to a cherry-pick's message.
    """

    no_commit: bool = False
    mainline: int = 0
    favour: Choice | None = None
    note_origin: bool = False


@dataclass(frozen=True)
class ReplayResult:
    """What was replayed.

    Attributes:
        kind: ``done``, ``stopped`` (``no_commit``), ``conflicts`` or ``aborted``.
        commit: Where HEAD is now.
        commits: The new commits, oldest first.
        empty: Commits whose changes are here already; they made no commit.
        at: The commit that has conflicts.
        todo: Commits that come after it.
        conflicts: Open conflicts in data sets.
        files: Ordinary files in conflict.
    """

    kind: str
    commit: CommitId
    commits: tuple[CommitResult, ...] = ()
    empty: tuple[CommitId, ...] = ()
    at: CommitId | None = None
    todo: tuple[CommitId, ...] = ()
    conflicts: tuple[DataConflict, ...] = ()
    files: tuple[str, ...] = ()


def replay(
    repo: Repository,
    kind: Kind,
    revisions: Sequence[str],
    *,
    options: Options | None = None,
    committer: Signature | None = None,
    progress: Progress = silent,
) -> ReplayResult:
    """Cherry-pick or revert commits, one after the other.

    Args:
        repo: The repository.
        kind: ``cherry-pick`` or ``revert``.
        revisions: Commits, or ranges ``A..B`` of them.
        options: How.
        committer: Who commits; None asks Git's configuration.
        progress: Is told how far it is.

    Raises:
        ConflictError: Uncommitted changes are in the way, or something else is under way.
        InvalidInputError: A merge commit without ``mainline``, or nothing to replay.
    """
    todo = _commits(repo, kind, revisions)
    chosen = options or Options()
    for one in todo:
        _parent_of(repo, one, chosen.mainline)
    with ExitStack() as whole:
        with repo.lock(f"veml {kind}"):
            original = head = _head(repo)
            rest: list[CommitId] | None = None
            killed = begun(repo)
            if killed is not None and killed.kind == kind and [*killed.commits] == todo:
                rest = _left_of(repo, killed, todo, chosen)
            if rest is not None and killed is not None:
                original = killed.original
            else:
                refuse_half_done(repo)
                refuse_under_way(repo)
                refuse_sequence(repo)
                refuse_git_sequence(repo)
                repo.unfinished.forget()
                rest = todo
            about = about_replay(kind, original, todo)
            whole.enter_context(repo.unfinished.about(about))
            if not rest:
                save_merge_state(repo, None)
                return ReplayResult("done", head)
        return _run(repo, kind, rest, original, chosen, committer, progress)


def _left_of(
    repo: Repository, killed: Begun, todo: list[CommitId], options: Options
) -> list[CommitId] | None:
    """Return what the same command did not do before it was killed; None: HEAD was moved since."""
    state, head = load_sequence(repo), _head(repo)
    if state is not None:
        forget_heads(repo)
        return [
            *(() if is_committed(repo, state) else (replayed(state),)),
            *map(CommitId, state.todo),
        ]
    if head == killed.original:
        return todo  # nothing was touched yet
    last = _message(repo, killed.kind, todo[-1], options)  # type: ignore[arg-type]
    made = repo.git.commit(head).message.decode("utf-8", "replace")
    if made.strip() == last.strip() and is_ancestor(repo.git, killed.original, head):
        return []
    return None


def go_on(
    repo: Repository,
    kind: Kind,
    *,
    skip: bool = False,
    message: str | None = None,
    author: Signature | None = None,
    committer: Signature | None = None,
    progress: Progress = silent,
) -> ReplayResult:
    """Commit what had conflicts, or drop it (``skip``), and replay the rest.

    Raises:
        NotFoundError: Nothing of the kind is under way.
        ConflictError: Conflicts are not settled.
    """
    with repo.lock(f"veml {kind}"):
        state = load_merge_state(repo)
        _refuse_git_s(repo, kind, state, "--skip" if skip else "--continue")
        half = half_done(repo)
        # Killed when all but the commit was done: nobody has seen a conflict to skip.
        skip = skip and begun(repo) is None
        between = load_sequence(repo, kind, moved=True) if state is None else None
    done: tuple[CommitResult, ...] = ()
    if state is not None and state.kind == kind:
        todo = [*state.todo]
        if skip:
            abort(repo, kind=kind, goes_on=True, progress=progress)
        else:
            done = (commit(repo, message, author=author, committer=committer, progress=progress),)
    elif between is not None and (between.todo or half is not None):
        state, todo = between, [*between.todo]
        if half is not None:  # with ``skip`` too: it is not known to have conflicts
            todo.insert(0, replayed(half))
    else:
        if state is None:
            _forget_ended(repo, kind)
        raise NotFoundError(f"no {kind} is under way", kind="not-merging")
    original = CommitId(state.original) if state.original else _head(repo)
    options = Options(favour=state.favour)
    rest = [CommitId(one) for one in todo]
    with repo.unfinished.about(about_replay(kind, original, rest)):
        ended = _run(repo, kind, rest, original, options, committer, progress)
    if not rest:
        with repo.lock(f"veml {kind}"):
            save_merge_state(repo, None)
    return replace(ended, commits=done + ended.commits)


def give_up(repo: Repository, kind: Kind, *, progress: Progress = silent) -> CommitId:
    """Give up, and return to where HEAD was before the first commit.

    Raises:
        NotFoundError: Nothing of the kind is under way.
        ConflictError: Changes that were not committed before are in the way.
    """
    with repo.lock(f"veml {kind} --abort"):
        state = state_to_give_up(repo)
        _refuse_git_s(repo, kind, state, "--abort")
        between = load_sequence(repo, kind, moved=True) if state is None else None
        head = _head(repo)
        back = between is not None and head == between.original  # by an --abort that was killed
        if between is not None and has_moved(repo, between) and not back:
            there = f"; veml reset --hard {short(between.original, 7)} goes back to where it began"
            on_it = is_ancestor(repo.git, CommitId(between.original), head)
            raise ConflictError(
                f"HEAD has moved since the {kind} stopped: it is not taken back",
                hint=f"veml {kind} --quit forgets the rest and leaves HEAD"
                + (there if on_it else ""),
                kind="moved",
            )
        if between is not None and not (between.todo or between.ours == head):
            between = None  # its last commit was made: nothing is left to give up
    if state is None and between is None:
        _forget_ended(repo, kind)
    if between is None:
        head = abort(repo, kind=kind, goes_on=True, progress=progress)
        known = state
    else:
        known = between
    original = CommitId(known.original) if known and known.original else head
    with repo.lock(f"veml {kind} --abort"):
        if original != head:
            move_work_tree(repo, head, original, kind, force=False, progress=progress)
            if not repo.git.move_head(head, original, f"{kind}: aborted".encode()):
                raise ConflictError("HEAD moved meanwhile", hint="veml status")
        forget_merge(repo)
        repo.unfinished.forget()
    return original


def _refuse_git_s(repo: Repository, kind: Kind, state: MergeState | None, how: str) -> None:
    """Refuse what plain git began, and say what to type.

    Raises:
        NotFoundError: Git's own file says that it waits, and no state of veml's is beside it, or
            git's list of what is still to be replayed is there.
    """
    begun_by_git = under_way(repo) == kind and (state is None or state.by_git)
    if begun_by_git or (state is None and git_sequencer(repo.git)[0] == kind):
        raise NotFoundError(
            f"no {kind} of veml's is under way, but git's is",
            hint=f"git {kind} {how}",
            kind="not-merging",
        )


def leave_off(repo: Repository, kind: Kind) -> CommitId:
    """Forget what is under way, and leave HEAD, index and work tree as they are (``--quit``).

    Raises:
        NotFoundError: Nothing of the kind is under way.
    """
    with repo.lock(f"veml {kind} --quit"):
        state = load_merge_state(repo) if under_way(repo) == kind else None
        _refuse_git_s(repo, kind, state, "--quit")
        if state is None and load_sequence(repo, kind, moved=True) is None:
            raise NotFoundError(f"no {kind} is under way", kind="not-merging")
        forget_merge(repo)
        repo.unfinished.forget()
        return _head(repo)


def _forget_ended(repo: Repository, kind: Kind) -> None:
    """Remove what is left of a replay that was killed when all but this was done."""
    with repo.lock(f"veml {kind}"):
        if under_way(repo) is None:
            save_merge_state(repo, None)
            repo.unfinished.forget()


def _commits(repo: Repository, kind: Kind, revisions: Sequence[str]) -> list[CommitId]:
    """Return the commits in order: as given; those of a range oldest first, reverted last first."""
    if any(one.startswith("^") for one in revisions):  # ^A B: one means nothing without the other
        ranges = [parse_ranges(repo.git, revisions)]
    else:
        ranges = [parse_range(repo.git, one) for one in revisions]
    found: list[CommitId] = []
    for one in ranges:
        if not one.walked:
            found += one.include
            continue
        known = reachable(repo.git, one.exclude)
        reached = walk(repo.git, one.include)
        inside = [CommitId(commit.id.decode()) for commit in reached if commit.id not in known]
        found += reversed(inside) if kind == "cherry-pick" else inside
    if not found:
        raise InvalidInputError(
            f"no commit to {kind}: {' '.join(revisions) or 'none was named'}",
            hint=f"veml {kind} REV",
        )
    return found


def _head(repo: Repository) -> CommitId:
    head = repo.git.head().commit
    if head is None:
        raise NotFoundError("HEAD has no commits yet", kind="unborn")
    return head


def _parent_of(repo: Repository, one: CommitId, mainline: int) -> CommitId | None:
    parents = repo.git.parents(one)
    if len(parents) > 1 and not mainline:
        raise InvalidInputError(
            f"{short(one)} is a merge of {len(parents)} parents",
            hint="-m 1 takes what it brought into its first parent",
        )
    if mainline > max(1, len(parents)) or (mainline and not parents):
        raise InvalidInputError(f"{short(one)} has no parent {mainline}")
    return parents[max(mainline - 1, 0)] if parents else None


def _run(
    repo: Repository,
    kind: Kind,
    todo: list[CommitId],
    original: CommitId,
    options: Options,
    committer: Signature | None,
    progress: Progress,
) -> ReplayResult:
    done: list[CommitResult] = []
    empty: list[CommitId] = []
    for place, one in enumerate(todo):
        rest = tuple(todo[place + 1 :])
        merged, state = _step(repo, kind, one, rest, original, options, progress)
        files = plain_conflicts(merged)
        if state.open_conflicts or files:
            return ReplayResult(
                "conflicts", _head(repo), tuple(done), tuple(empty), one, rest,
                state.open_conflicts, files,
            )  # fmt: skip
        if merged.files == repo.git.files(_head(repo)):
            end_step(repo)
            empty.append(one)
        elif options.no_commit:
            for name in (*HEAD_FILES.values(),):
                repo.git.write_state(name, None)
            save_merge_state(repo, None)
        else:
            author = author_of(repo, one) if kind == "cherry-pick" else committer
            done.append(commit(repo, None, author=author, committer=committer, progress=progress))
    outcome = "stopped" if options.no_commit else "done"
    return ReplayResult(outcome, _head(repo), tuple(done), tuple(empty))


def _step(
    repo: Repository,
    kind: Kind,
    one: CommitId,
    rest: tuple[CommitId, ...],
    original: CommitId,
    options: Options,
    progress: Progress,
) -> tuple[TreeMerge, MergeState]:
    """Bring one commit's change, or its opposite, into index and work tree."""
    parent = _parent_of(repo, one, options.mainline)
    base, theirs = (parent, one) if kind == "cherry-pick" else (one, parent)
    subject = repo.git.commit(one).message.decode("utf-8", "replace").splitlines() or [""]
    name = f"{short(one, 7)} ({subject[0]})"
    with repo.lock(f"veml {kind}"):
        refuse_under_way(repo)
        ours = _head(repo)
        with repo.store.write() as writer:
            settlement = Settlement(rules=rules_at(repo, ours), default=options.favour)
            merger = TreeMerger(repo, writer, settlement, progress, ("HEAD", label_of(kind, name)))
            merged = merger.merge_over(base, ours, theirs)
        repo.catalog.refresh()
        refuse_staged(repo, ours, merged.files, merged.conflicts)
        state = MergeState(
            name, ours, theirs or "", all_conflicts(merged), kind, base or "",
            rest, original, options.favour,
        )  # fmt: skip
        before = load_sequence(repo, kind)
        # Before anything is touched: killed from here on, it is known what may be half done.
        save_merge_state(repo, state)
        try:
            apply_merge(repo, merged, repo.datasets_at(ours), ours, progress)
        except StorageError:
            raise  # as good as killed
        except VemlError:
            # Refused: nothing was touched, and what came before this step still waits.
            save_merge_state(repo, before if before is not None and before.todo else None)
            raise
        repo.git.write_state("MERGE_MSG", _message(repo, kind, one, options).encode() + b"\n")
        repo.git.write_state(HEAD_FILES[kind], one.encode() + b"\n")
    return merged, state


def _message(repo: Repository, kind: Kind, one: CommitId, options: Options) -> str:
    text: str = repo.git.commit(one).message.decode("utf-8", "replace").rstrip()
    if kind == "cherry-pick":
        origin = f"\n\n(cherry picked from commit {one})" if options.note_origin else ""
        return text + origin
    subject = (text.splitlines() or [""])[0]
    against = ""
    if options.mainline:
        parent = _parent_of(repo, one, options.mainline)
        against = f", reversing\nchanges made to {parent}"
    return f'Revert "{subject}"\n\nThis reverts commit {one}{against}.'
