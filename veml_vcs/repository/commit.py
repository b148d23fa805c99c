"""``veml commit``: make what is staged a commit, as Git would."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.errors import CommitError
from dulwich.objects import ObjectID
from dulwich.refs import HEADREF

from veml_vcs.errors import (
    ConflictError,
    DamagedError,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from veml_vcs.ids import CommitId, short
from veml_vcs.repository.damage import MEND
from veml_vcs.repository.data_changes import StagedData, staged_data_changes
from veml_vcs.repository.git.identity import identity_of
from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.merging.operation import HEAD_FILES
from veml_vcs.repository.merging.sequence import end_step, refuse_half_done
from veml_vcs.repository.merging.squash import SQUASH_FILE, prepared_message
from veml_vcs.repository.merging.state import load_merge_state
from veml_vcs.repository.models.place import any_refreshed, any_stale_staged
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.check import blocked_records
from veml_vcs.repository.records.place import record_diffs
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.changes import may_differ
from veml_vcs.repository.worktree.plain import add_plain
from veml_vcs.repository.worktree.plain_files import unstaged_paths
from veml_vcs.repository.worktree.unfinished import MERGE, SQUASH
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord

if TYPE_CHECKING:
    from veml_vcs.repository.inferences.changes import InferenceDiff
    from veml_vcs.repository.models.changes import ModelDiff
    from veml_vcs.repository.trainings.changes import TrainingDiff


@dataclass(frozen=True)
class CommitResult:
    """A new commit.

    Attributes:
        id: The commit.
        branch: The branch it was made on; None when HEAD is detached.
        subject: First line of its message.
        root: Whether it has no parents.
        data: What it does to data sets.
        files: Number of ordinary files it changes.
        models: What it does to models.
        trainings: What it does to trainings.
        inferences: What it does to inference versions.
    """

    id: CommitId
    branch: str | None
    subject: str
    root: bool
    data: tuple[StagedData, ...]
    files: int
    models: tuple[ModelDiff, ...] = ()
    trainings: tuple[TrainingDiff, ...] = ()
    inferences: tuple[InferenceDiff, ...] = ()


@dataclass(frozen=True)
class Signature:
    """Who made something, and when.

    Attributes:
        identity: ``Name <email>``.
        seconds: Unix time.
        offset_seconds: East of UTC.
    """

    identity: str
    seconds: int
    offset_seconds: int


def commit(
    repo: Repository,
    message: str | None,
    *,
    all: bool = False,  # noqa: A002 - the word of the command line
    amend: bool = False,
    allow_empty: bool = False,
    author: Signature | None = None,
    committer: Signature | None = None,
    no_verify: bool = False,
    progress: Progress = silent,
) -> CommitResult:
    """Make a commit of the index.

    Args:
        repo: The repository.
        message: The message; None takes the prepared one of a merge, or the amended commit's.
        all: First add every tracked data set and file that changed.
        amend: Replace the last commit.
        allow_empty: Make a commit even if nothing changed.
        author: Who wrote it; None asks Git's configuration.
        committer: Who commits it; None asks Git's configuration.
        no_verify: Do not run the pre-commit and commit-msg hooks, and take records of models that
            are not what their configs say.
        progress: Is told how far it is.

    Raises:
        ConflictError: A merge has open conflicts, a model's record is not what its config says,
            or a hook refused.
        InvalidInputError: There is nothing to commit, or no message.
    """
    if all:
        with repo.lock("veml commit"):
            _refuse_half_a_merge(repo)
        _add_changed(repo, progress)
    with repo.lock("veml commit"):
        head = repo.git.head()
        _refuse_conflicts(repo)
        merging = repo.git.read_state("MERGE_HEAD") is not None
        _refuse_half_a_merge(repo)
        if amend and head.commit is None:
            raise NotFoundError("there is no commit to amend", kind="unborn")
        if amend and merging:
            raise InvalidInputError("a merge is under way: commit it before amending")
        text = _message(repo, message, amend)
        before = repo.git.files(_parent(repo, amend))
        after = repo.git.staged_files()
        if before == after and not (allow_empty or amend or merging):
            raise InvalidInputError(
                "nothing to commit",
                hint="veml add FOLDER, or veml commit -a for tracked data that changed",
                kind="nothing-to-commit",
            )
        if not no_verify:
            _refuse_wrong_records(repo, before, after)
        named = record_diffs(repo, before, after)
        data = staged_data_changes(
            repo, repo.datasets_at(_parent(repo, amend)), repo.staged_datasets()
        )
        _refuse_damaged(data, repo.staged_datasets())
        squashed = repo.git.read_state(SQUASH_FILE) is not None
        note = repo.unfinished.about(f"{SQUASH}{head.commit}") if squashed else nullcontext()
        with note:
            with repo.git.batch():
                new = _write(repo, text, amend, author, committer, no_verify)
            end_step(repo)
        repo.unfinished.forget()
        repo.git.tidy()
        changed = {
            path
            for path in before.keys() | after.keys()
            if before.get(path) != after.get(path) and not path.endswith(RECORD_SUFFIX)
        }
    return CommitResult(
        new, head.branch, text.splitlines()[0], _is_root(repo, new), data, len(changed),
        named.models, named.trainings, named.inferences,
    )  # fmt: skip


def _parent(repo: Repository, amend: bool) -> CommitId | None:
    head = repo.git.head().commit
    if not amend or head is None:
        return head
    parents = repo.git.parents(head)
    return parents[0] if parents else None


def _is_root(repo: Repository, commit_id: CommitId) -> bool:
    return not repo.git.parents(commit_id)


def _add_changed(repo: Repository, progress: Progress) -> None:
    from veml_vcs.repository.add import add  # numpy comes with it: a tenth of a second

    changed = [
        repo.absolute(path)
        for path, record in repo.staged_datasets().items()
        if may_differ(repo, path, record)
    ]
    if changed:
        add(repo, changed, progress=progress)
    paths = unstaged_paths(repo)
    if paths:
        add_plain(repo, paths, repo.staged_datasets())
    any_refreshed(repo, lambda _path: True)


def _refuse_conflicts(repo: Repository) -> None:
    state = load_merge_state(repo)
    left = state.open_conflicts if state else ()
    paths = repo.git.conflicted_paths()
    if left or paths:
        names = [f"{one.dataset}/{one.key}" for one in left[:4]] or paths[:4]
        count = max(len(left), len(paths))
        raise ConflictError(
            f"{count} conflict{' is' if count == 1 else 's are'} not settled: {', '.join(names)}",
            hint="veml status lists them; veml resolve KEY --ours|--theirs|--base settles them",
            kind="unresolved",
        )


def _refuse_wrong_records(
    repo: Repository, before: dict[str, TreeFile], after: dict[str, TreeFile]
) -> None:
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    stale = any_stale_staged(repo, after, changed)
    if stale:
        more = f" (and {len(stale) - 1} more: veml status)" if len(stale) > 1 else ""
        raise ConflictError(
            f"{stale[0].path}: {stale[0].reason}{more}",
            hint=f"{stale[0].hint}; --no-verify commits all the same",
            kind="stale-model",
        )
    blobs = {path: after[path].blob for path in changed & after.keys()}
    for wrong in blocked_records(repo, blobs):
        raise ConflictError(
            wrong.reason,
            hint=f"{wrong.hint}; --no-verify commits all the same",
            kind=f"edited-{wrong.kind}",
        )


def _refuse_half_a_merge(repo: Repository) -> None:
    refuse_half_done(repo)
    about = repo.unfinished.interrupted or ""
    if about.startswith(MERGE) and repo.git.read_state("MERGE_HEAD") is None:
        theirs = short(about.split()[-1])
        raise ConflictError(
            f"a merge of {theirs} was interrupted before it was complete",
            hint=f"veml merge {theirs} goes on with it, veml merge --abort gives it up",
            kind="merging",
        )


def _refuse_damaged(data: Sequence[StagedData], staged: dict[str, DataRecord]) -> None:
    """Refuse to commit a version that cannot be read; an old one is only not counted.

    Raises:
        DamagedError: A part of what is staged cannot be read.
    """
    lost = [
        one
        for change in data
        for one in change.unreadable
        if change.path in staged and one.tree == staged[change.path].tree.hex()
    ]
    if lost:
        listed = "\n  ".join(map(str, lost))
        raise DamagedError(
            f"nothing was committed, because what is staged cannot be read:\n  {listed}",
            hint=f"{MEND}; veml restore --staged {lost[0].path} goes back to HEAD's version",
        )


def _message(repo: Repository, message: str | None, amend: bool) -> str:
    if message is None:
        message = prepared_message(repo.git)
        head = repo.git.head().commit
        if not message and amend and head is not None:
            message = repo.git.commit(head).message.decode("utf-8", "replace")
    text = clean_message(message)
    if not text:
        raise InvalidInputError("a commit needs a message", hint="veml commit -m MESSAGE")
    return text


def clean_message(message: str) -> str:
    """Return a message as Git keeps it: no blanks at the ends of lines, no two blank lines."""
    lines: list[str] = []
    for one in message.split("\n"):
        text = one.rstrip()
        if text or (lines and lines[-1]):
            lines.append(text)
    return "\n".join(lines).rstrip("\n") + "\n" if any(lines) else ""


def _write(
    repo: Repository,
    text: str,
    amend: bool,
    author: Signature | None,
    committer: Signature | None,
    no_verify: bool,
) -> CommitId:
    tree = repo.git.dulwich.get_worktree()
    now = committer or local_time()
    wrote = author or now
    who = now.identity or identity_of(repo.git.config, "COMMITTER")
    wrote_it = wrote.identity or identity_of(repo.git.config, "AUTHOR")
    old = repo.git.head().commit
    parents: list[ObjectID] | None = None
    if amend and old is not None:
        last = repo.git.commit(old)
        parents = [ObjectID(parent.encode()) for parent in repo.git.parents(old)]
        if author is None:
            wrote = Signature(
                last.author.decode("utf-8", "replace"), last.author_time, last.author_timezone
            )
    try:
        new = tree.commit(
            text.encode(),
            committer=who.encode("utf-8", "surrogateescape"),
            author=wrote_it.encode("utf-8", "surrogateescape"),
            commit_timestamp=now.seconds,
            commit_timezone=now.offset_seconds,
            author_timestamp=wrote.seconds,
            author_timezone=wrote.offset_seconds,
            ref=None if amend else HEADREF,
            merge_heads=parents,
            no_verify=no_verify,
            config=repo.git.config,
        )
    except CommitError as error:
        raise ConflictError(f"a Git hook refused the commit: {error}", kind="hook") from error
    except StorageError:
        raise  # says what and why already
    except OSError as error:
        raise StorageError(f"Git could not store the commit: {error}") from error
    done = CommitId(new.decode())
    subject = text.splitlines()[0].encode()
    if amend and old is not None:
        if not repo.git.move_head(old, done, b"commit (amend): " + subject):
            raise ConflictError(f"HEAD moved from {short(old)} while it was amended")
        return done
    return done


def local_time() -> Signature:
    """Return now, in the local time zone, with no identity."""
    seconds = int(time.time())
    return Signature("", seconds, time.localtime(seconds).tm_gmtoff)


def author_of(repo: Repository, one: CommitId) -> Signature:
    """Return who wrote a commit, and when."""
    found = repo.git.commit(one)
    author = found.author.decode("utf-8", "replace")
    return Signature(author, found.author_time, found.author_timezone)


def picked_author(repo: Repository) -> Signature | None:
    """Return who wrote the commit that is being cherry-picked; None if there is none."""
    state = repo.git.read_state(HEAD_FILES["cherry-pick"])
    return author_of(repo, CommitId(state.decode().split()[0])) if state else None
