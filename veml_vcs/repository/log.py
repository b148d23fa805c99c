"""``veml log`` and ``veml show``: commits, and what each did to the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.objects import Commit

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import CommitId
from veml_vcs.repository.git.repo import Head
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import merge_bases, regular_expression
from veml_vcs.repository.status import StagedData, staged_data_changes

if TYPE_CHECKING:
    from veml_vcs.repository.diff import RepoDiff


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
    """

    id: CommitId
    parents: tuple[CommitId, ...]
    author: str
    time_seconds: int
    offset_seconds: int
    message: str
    refs: tuple[str, ...] = ()
    data: tuple[StagedData, ...] = ()

    @property
    def subject(self) -> str:
        """First line of the message."""
        return self.message.splitlines()[0] if self.message else ""


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
        author: A regular expression that ``Name <email>`` matches somewhere.
        grep: One that the message matches somewhere.
        ignore_case: For both.
        since: Committed at this Unix time or later.
        until: Committed at this Unix time or earlier.
        merges: True lists merges alone, False all others.
        first_parent: Follow the first parent of a merge alone.
    """

    paths: tuple[str, ...] = ()
    author: str | None = None
    grep: str | None = None
    ignore_case: bool = False
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
) -> Iterator[LogEntry]:
    """List commits, children before parents.

    Args:
        repo: The repository.
        revisions: Where to start; none is HEAD. ``A..B`` leaves out what A reaches, ``A...B`` what
            both do.
        all_refs: Start at every ref too.
        limit: At most so many.
        data: Tell what each commit did to data sets.
        wanted: Which commits; None is all.

    Raises:
        NotFoundError: There is no such revision, or no commit yet.
        InvalidInputError: A regular expression is none.
    """
    include, exclude = _range(repo, revisions, all_refs)
    if limit is not None and limit <= 0:
        return
    names = _decorations(repo)
    count = 0
    hidden = _reachable(repo, exclude)
    chosen = wanted or Filter()
    fits = commit_filter(chosen)
    followed = None
    if chosen.paths or chosen.first_parent:
        from veml_vcs.repository.log_paths import follow

        followed = follow(repo, include, hidden, chosen.paths, chosen.first_parent)
    for commit in repo.git.walk(include):
        if commit.id in hidden or (followed is not None and commit.id not in followed):
            continue
        if not fits(commit):
            continue
        yield _entry(commit, names, _data_changes(repo, commit) if data else ())
        count += 1
        if limit is not None and count >= limit:
            return


def commit_filter(wanted: Filter) -> Callable[[Commit], bool]:
    """Return a test whether a commit itself (not what it changed) is wanted.

    Raises:
        InvalidInputError: A regular expression is none.
    """
    author, grep = (_expression(one, wanted) for one in (wanted.author, wanted.grep))

    def fits(commit: Commit) -> bool:
        return (
            (author is None or bool(author.search(commit.author)))
            and (grep is None or bool(grep.search(commit.message)))
            and (wanted.since is None or commit.commit_time >= wanted.since)
            and (wanted.until is None or commit.commit_time <= wanted.until)
            and (wanted.merges is None or (len(commit.parents) > 1) is wanted.merges)
        )

    return fits


def _expression(text: str | None, wanted: Filter) -> re.Pattern[bytes] | None:
    if text is None:
        return None
    flags = re.MULTILINE | (re.IGNORECASE if wanted.ignore_case else 0)
    return regular_expression(text, flags)


def entry_of(repo: Repository, commit_id: CommitId) -> LogEntry:
    """Return one commit, without what it did to data sets."""
    return _entry(repo.git.commit(commit_id), {}, ())


def show(repo: Repository, revision: str = "HEAD") -> Shown:
    """Return one commit and its difference to its first parent.

    Raises:
        NotFoundError: There is no such revision.
    """
    commit_id = repo.resolve(revision)
    commit = repo.git.commit(commit_id)
    parents = repo.git.parents(commit_id)
    entry = _entry(commit, _decorations(repo), _data_changes(repo, commit))
    from veml_vcs.repository.diff import diff_commits

    return Shown(entry, diff_commits(repo, parents[0] if parents else None, commit_id))


def _range(
    repo: Repository, revisions: Sequence[str], all_refs: bool
) -> tuple[list[CommitId], list[CommitId]]:
    include, exclude = [], []
    for revision in revisions:
        start, symmetric, end = revision.partition("...")
        if symmetric:
            sides = [repo.resolve(start or "HEAD"), repo.resolve(end or "HEAD")]
            include += sides
            exclude += merge_bases(repo.git, *sides)
            continue
        start, dots, end = revision.partition("..")
        if dots:
            exclude.append(repo.resolve(start or "HEAD"))
            include.append(repo.resolve(end or "HEAD"))
        elif revision.startswith("^"):
            exclude.append(repo.resolve(revision[1:]))
        else:
            include.append(repo.resolve(revision))
    if all_refs:
        include += repo.git.all_commits()
    if not include:
        include.append(repo.resolve("HEAD"))
    return include, exclude


def _reachable(repo: Repository, heads: list[CommitId]) -> set[bytes]:
    return {commit.id for commit in repo.git.walk(heads)} if heads else set()


def _decorations(repo: Repository) -> dict[CommitId, tuple[str, ...]]:
    head: Head = repo.git.head()
    found: dict[CommitId, list[str]] = {}
    if head.commit is not None:
        found[head.commit] = [f"HEAD -> {head.branch}" if head.branch else "HEAD"]
    for name in repo.git.tags():
        try:
            tagged = repo.resolve(f"refs/tags/{name}")
        except InvalidInputError:
            continue  # a tag of a tree or a file
        found.setdefault(tagged, []).append(f"tag: {name}")
    for name, commit in (*repo.git.remote_branches().items(), *repo.git.branches().items()):
        if name != head.branch:
            found.setdefault(commit, []).append(name)
    return {commit: tuple(names) for commit, names in found.items()}


def _data_changes(repo: Repository, commit: Commit) -> tuple[StagedData, ...]:
    commit_id = CommitId(commit.id.decode())
    parents = repo.git.parents(commit_id)
    old = repo.datasets_at(parents[0]) if parents else {}
    return staged_data_changes(repo, old, repo.datasets_at(commit_id))


def _entry(
    commit: Commit, names: dict[CommitId, tuple[str, ...]], data: tuple[StagedData, ...]
) -> LogEntry:
    commit_id = CommitId(commit.id.decode())
    return LogEntry(
        commit_id,
        tuple(CommitId(parent.decode()) for parent in commit.parents),
        commit.author.decode("utf-8", "replace"),
        commit.author_time,
        commit.author_timezone,
        commit.message.decode("utf-8", "replace"),
        names.get(commit_id, ()),
        data,
    )
