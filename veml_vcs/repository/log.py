"""``veml log`` and ``veml show``: commits, and what each did to the data."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dulwich.objects import Commit
from dulwich.refs import Ref

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import CommitId
from veml_vcs.repository.data_changes import StagedData, staged_data_changes
from veml_vcs.repository.git.mailmap import Mailmap
from veml_vcs.repository.git.repo import Head
from veml_vcs.repository.git.walk import Order, by_date, difference, ordered
from veml_vcs.repository.ranges import parse_ranges
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import regular_expression

if TYPE_CHECKING:
    from veml_vcs.repository.diff_result import RepoDiff
    from veml_vcs.repository.log_reflog import Moved


@dataclass(frozen=True)
class LogEntry:
    """One commit of a log.

    Attributes:
        id: The commit.
        parents: Its parents.
        author: ``Name <email>``.
        time_seconds: When it was written, Unix time.
        offset_seconds: The author's time zone, east of UTC.
        message: The whole message.
        refs: Branches and tags that stand here, as Git decorates them (``HEAD -> main``).
        data: What the commit did to data sets, against its first parent; empty unless asked for.
        tree: Its Git tree.
        committer: ``Name <email>`` of whoever committed it.
        commit_time_seconds: When it was committed, Unix time.
        commit_offset_seconds: The committer's time zone, east of UTC.
        side: Of a range ``A...B`` the side it is on, ``left`` or ``right``; None elsewhere.
        moved: Of a walk through a reflog the move that brought the ref here.
    """

    id: CommitId
    parents: tuple[CommitId, ...]
    author: str
    time_seconds: int
    offset_seconds: int
    message: str
    refs: tuple[str, ...] = ()
    data: tuple[StagedData, ...] = ()
    tree: str = ""
    committer: str = ""
    commit_time_seconds: int = 0
    commit_offset_seconds: int = 0
    side: Literal["left", "right"] | None = None
    moved: Moved | None = None

    @property
    def subject(self) -> str:
        """First paragraph of the message on one line, as Git shows it."""
        return subject_of(self.message)


@dataclass(frozen=True)
class Shown:
    """One commit with everything it changed."""

    entry: LogEntry
    diff: RepoDiff


@dataclass(frozen=True)
class Filter:
    """Which commits to list; what is not given does not matter.

    Attributes:
        paths: Those that changed one of these: data sets, samples (``DATASET/KEY``), folders or
            files, from the repository's root. Merges that agree with one parent are left out, and
            the other parents are not followed, as Git does.
        author: Regular expressions, one of which ``Name <email>`` matches somewhere.
        committer: The same of whoever committed it.
        grep: The same of the message.
        ignore_case: For all three.
        fixed: They are plain texts.
        all_match: The message matches all of ``grep``.
        invert_grep: The message matches none of ``grep``.
        since: Committed at this Unix time or later.
        until: Committed at this Unix time or earlier.
        merges: True lists merges alone, False all others.
        first_parent: Follow the first parent of a merge alone.
    """

    paths: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    committer: tuple[str, ...] = ()
    grep: tuple[str, ...] = ()
    ignore_case: bool = False
    fixed: bool = False
    all_match: bool = False
    invert_grep: bool = False
    since: int | None = None
    until: int | None = None
    merges: bool | None = None
    first_parent: bool = False


def log(
    repo: Repository,
    revisions: Sequence[str] = (),
    *,
    all_refs: bool = False,
    limit: int | None = None,
    data: bool = True,
    wanted: Filter | None = None,
    order: Order = "date",
    mailmap: Mailmap | None = None,
    full_names: bool = False,
) -> Iterator[LogEntry]:
    """List commits as ``git log`` does.

    By date, history is read no further than commits are asked for (of a range, to where its ends
    forked).

    Args:
        repo: The repository.
        revisions: Where to start; none is HEAD. ``A..B`` leaves out what A reaches, ``A...B`` what
            both do; see ``ranges``.
        all_refs: Start at every ref too.
        limit: At most so many.
        data: Tell what each commit did to data sets.
        wanted: Which commits; None is all.
        order: Newest first, as they become known; or children before parents.
        mailmap: Who is who, for ``author`` and ``committer`` of ``wanted``; entries say what
            commits say.
        full_names: Decorate with full names of refs (``refs/heads/main``).

    Raises:
        NotFoundError: There is no such revision, or no commit yet.
        InvalidInputError: A regular expression is none.
    """
    asked = parse_ranges(repo.git, revisions)
    include = [*asked.include]
    if all_refs:
        include += repo.git.all_commits()
    if not (revisions or include):
        include.append(repo.resolve("HEAD"))
    if limit is not None and limit <= 0:
        return
    names = decorations(repo, full_names=full_names)
    count = 0
    within = difference(repo.git, include, asked.exclude) if asked.exclude else None
    left = {one.commit.id for one in by_date(repo.git, asked.left, within=within)}
    chosen = wanted or Filter()
    fits = commit_filter(chosen, mailmap)
    history = None
    if chosen.paths:
        from veml_vcs.repository.log_paths import PathHistory

        history = PathHistory(
            repo, chosen.paths, first_parent=chosen.first_parent, within=within,
            bounds=asked.exclude,
        )  # fmt: skip
    steps = by_date(
        repo.git,
        include,
        within=within,
        parents=None if history is None else history.parents,
        first_parent=chosen.first_parent,
    )
    for commit, _ in ordered(steps, order):
        if history is not None and commit.id not in history.changed:
            continue
        if not fits(commit):
            continue
        entry = _entry(repo, commit, names, _data_changes(repo, commit) if data else ())
        if asked.left:
            entry = replace(entry, side="left" if commit.id in left else "right")
        yield entry
        count += 1
        if limit is not None and count >= limit:
            return


def log_moves(
    repo: Repository,
    names: Sequence[str] = (),
    *,
    all_refs: bool = False,
    by_date: bool = False,
    data: bool = True,
    wanted: Filter | None = None,
    mailmap: Mailmap | None = None,
    full_names: bool = False,
) -> Iterator[LogEntry]:
    """List the commits that refs stood at, newest move first (``git log -g``).

    Args:
        repo: The repository.
        names: Refs; see ``log_reflog``.
        all_refs: Every ref's moves.
        by_date: Moves are named by date, not by number.
        data: Tell what each commit did to data sets.
        wanted: Which commits; None is all.
        mailmap: As in ``log``.
        full_names: As in ``log``.

    Raises:
        NotFoundError: There is no such ref, or no commit yet.
        InvalidInputError: A regular expression is none, or a name is not that of a ref.
    """
    from veml_vcs.repository.log_paths import changed_paths
    from veml_vcs.repository.log_reflog import walk_reflogs

    if not (names or all_refs):
        repo.resolve("HEAD")
    chosen = wanted or Filter()
    fits, touches = commit_filter(chosen, mailmap), changed_paths(repo, chosen.paths)
    refs = decorations(repo, full_names=full_names)
    for commit_id, moved in walk_reflogs(repo, names, all_refs=all_refs, by_date=by_date):
        try:
            commit = repo.git.commit(commit_id)
        except (NotFoundError, KeyError):
            continue  # pruned, or of a shallow clone: Git passes over it too
        if fits(commit) and touches(commit_id):
            entry = _entry(repo, commit, refs, _data_changes(repo, commit) if data else ())
            yield replace(entry, moved=moved)


def commit_filter(wanted: Filter, mailmap: Mailmap | None = None) -> Callable[[Commit], bool]:
    """Return a test whether a commit itself (not what it changed) is wanted.

    Args:
        wanted: Which are.
        mailmap: Who is who; None takes names as they stand.

    Raises:
        InvalidInputError: A regular expression is none.
    """
    author, committer, grep = (
        [_expression(one, wanted) for one in texts]
        for texts in (wanted.author, wanted.committer, wanted.grep)
    )
    enough = all if wanted.all_match else any
    proper = (mailmap or Mailmap()).person_bytes

    def says(commit: Commit) -> bool:
        found = enough(bool(one.search(commit.message)) for one in grep)
        return found is not wanted.invert_grep

    def fits(commit: Commit) -> bool:
        return (
            (not author or any(one.search(proper(commit.author)) for one in author))
            and (not committer or any(one.search(proper(commit.committer)) for one in committer))
            and (not grep or says(commit))
            and (wanted.since is None or commit.commit_time >= wanted.since)
            and (wanted.until is None or commit.commit_time <= wanted.until)
            and (wanted.merges is None or (len(commit.parents) > 1) is wanted.merges)
        )

    return fits


def _expression(text: str, wanted: Filter) -> re.Pattern[bytes]:
    flags = re.MULTILINE | (re.IGNORECASE if wanted.ignore_case else 0)
    return regular_expression(re.escape(text) if wanted.fixed else text, flags)


def subject_of(message: str) -> str:
    """Return the first paragraph of a message on one line, as Git's ``%s``."""
    return " ".join(_first_paragraph(message))


def _first_paragraph(message: str) -> Iterator[str]:
    begun = False
    for one in message.split("\n"):
        text = one.rstrip()
        if not text and begun:
            return
        if text:
            begun = True
            yield text


def entry_of(repo: Repository, commit_id: CommitId) -> LogEntry:
    """Return one commit, without what it did to data sets."""
    return _entry(repo, repo.git.commit(commit_id), {}, ())


def show(
    repo: Repository, revision: str = "HEAD", *, layers: bool = False, full_names: bool = False
) -> Shown:
    """Return one commit and its difference to its first parent.

    Args:
        repo: The repository.
        revision: The commit.
        layers: Compare the checkpoints of trainings, too.
        full_names: As in ``log``.

    Raises:
        NotFoundError: There is no such revision.
    """
    commit_id = repo.resolve(revision)
    commit = repo.git.commit(commit_id)
    parents = repo.git.parents(commit_id)
    entry = _entry(
        repo, commit, decorations(repo, full_names=full_names), _data_changes(repo, commit)
    )
    from veml_vcs.repository.diff import diff_commits

    parent = parents[0] if parents else None
    return Shown(entry, diff_commits(repo, parent, commit_id, layers=layers))


def decorations(repo: Repository, *, full_names: bool = False) -> dict[CommitId, tuple[str, ...]]:
    """Return the names that Git decorates commits with, in its order."""
    head: Head = repo.git.head()
    found: dict[CommitId, list[str]] = {
        CommitId(one.decode()): ["grafted"] for one in repo.git.dulwich.get_shallow()
    }
    if head.commit is not None:
        branch = f"refs/heads/{head.branch}" if full_names else head.branch
        name = f"HEAD -> {branch}" if head.branch else "HEAD"
        found.setdefault(head.commit, []).append(name)
    refs = repo.git.dulwich.refs.as_dict(Ref(b"refs"))
    for raw in sorted(refs, reverse=True):
        name = os.fsdecode(raw)
        kind, _, rest = name.partition("/")
        shown = {"tags": f"tag: {rest}", "remotes": rest, "heads": rest}.get(kind)
        shown = "refs/stash" if name == "stash" else shown
        if shown is None or (kind == "heads" and rest == head.branch):
            continue
        try:
            commit = repo.resolve(refs[raw].decode())
        except (InvalidInputError, NotFoundError):
            continue  # a tag of a tree or a file, or of what a shallow clone lacks
        if full_names:
            shown = f"tag: refs/{name}" if kind == "tags" else f"refs/{name}"
        found.setdefault(commit, []).append(shown)
    return {commit: tuple(names) for commit, names in found.items()}


def _data_changes(repo: Repository, commit: Commit) -> tuple[StagedData, ...]:
    commit_id = CommitId(commit.id.decode())
    parents = repo.git.parents(commit_id)
    old = repo.datasets_at(parents[0]) if parents else {}
    return staged_data_changes(repo, old, repo.datasets_at(commit_id))


def _entry(
    repo: Repository,
    commit: Commit,
    names: dict[CommitId, tuple[str, ...]],
    data: tuple[StagedData, ...],
) -> LogEntry:
    commit_id = CommitId(commit.id.decode())
    return LogEntry(
        commit_id,
        tuple(repo.git.parents(commit_id)),
        _text(commit, commit.author),
        commit.author_time,
        commit.author_timezone,
        _text(commit, commit.message),
        names.get(commit_id, ()),
        data,
        commit.tree.decode(),
        _text(commit, commit.committer),
        commit.commit_time,
        commit.commit_timezone,
    )


def _text(commit: Commit, data: bytes) -> str:
    """Decode what a commit says, in the encoding that it names, as Git does."""
    name = (commit.encoding or b"utf-8").decode("ascii", "replace")
    try:
        return data.decode(name, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
