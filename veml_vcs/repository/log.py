"""``veml log`` and ``veml show``: commits, and what each did to the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.objects import Commit

from veml_vcs.ids import CommitId
from veml_vcs.repository.git import Head
from veml_vcs.repository.repository import Repository
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


def log(
    repo: Repository,
    revisions: Sequence[str] = (),
    *,
    all_refs: bool = False,
    limit: int | None = None,
    data: bool = True,
    dataset: str | None = None,
) -> Iterator[LogEntry]:
    """List commits, children before parents.

    Args:
        repo: The repository.
        revisions: Where to start; none is HEAD. ``A..B`` leaves out what A reaches.
        all_refs: Start at every branch and tag.
        limit: At most so many.
        data: Tell what each commit did to data sets.
        dataset: Only commits that changed this data set.

    Raises:
        NotFoundError: There is no such revision, or no commit yet.
    """
    include, exclude = _range(repo, revisions, all_refs)
    if limit is not None and limit <= 0:
        return
    names = _decorations(repo)
    count = 0
    hidden = _reachable(repo, exclude)
    for commit in repo.git.walk(include):
        if commit.id in hidden:
            continue
        changes = _data_changes(repo, commit) if data or dataset else ()
        if dataset is not None and not any(one.path == dataset for one in changes):
            continue
        yield _entry(commit, names, changes if data else ())
        count += 1
        if limit is not None and count >= limit:
            return


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
        start, dots, end = revision.partition("..")
        if dots:
            exclude.append(repo.resolve(start or "HEAD"))
            include.append(repo.resolve(end or "HEAD"))
        elif revision.startswith("^"):
            exclude.append(repo.resolve(revision[1:]))
        else:
            include.append(repo.resolve(revision))
    if all_refs:
        names = [*repo.git.branches(), *repo.git.tags()]
        include += [repo.resolve(name) for name in names]
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
    for name, commit in repo.git.branches().items():
        if name != head.branch:
            found.setdefault(commit, []).append(name)
    for name in repo.git.tags():
        found.setdefault(repo.resolve(f"refs/tags/{name}"), []).append(f"tag: {name}")
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
