"""What of Git's history is new to the graph: few commits object by object, many as three streams.

Both give the same; which was taken is no matter of whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from veml_vcs.ids import CommitId, VersionId
from veml_vcs.lineage.graph import Node
from veml_vcs.repository.git.brought import Brought, Records
from veml_vcs.repository.git.bulk import Bulk, BulkError
from veml_vcs.repository.git.repo import GitRepo
from veml_vcs.repository.git.walk import all_parents

__all__ = ["Arrived", "BulkError", "History", "many", "one_by_one"]

_TEXT = 200
_LOT = 2000
"""Commits, or records, that are held in memory at a time."""
_PLAIN = re.compile(
    rb"tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)*author ([^\n]*>) \d{1,15} [+-]\d{4}\n"
    rb"committer [^\n]*> (\d{1,15}) [+-]\d{4}\n"
)
"""The beginning of a commit that Git wrote; whatever looks otherwise is dulwich's to read."""


@dataclass(frozen=True)
class Arrived:
    """A new commit.

    Attributes:
        node: It.
        parents: As history goes (grafts and shallow clones respected).
        brought: The records that no parent has.
    """

    node: Node
    parents: tuple[str, ...]
    brought: Sequence[Brought]


class History(Protocol):
    """The new commits of a history."""

    def parents(self) -> Mapping[str, Sequence[str]]:
        """Return the new commits, with their parents."""

    def arrived(self) -> Iterator[Arrived]:
        """Yield the new commits, each after its parents: questions rely on the order of rows.

        Raises:
            BulkError: This cannot be read as streams.
            DamagedError: A commit or a tree of Git's is damaged.
            NotFoundError: Git does not have a commit.
        """

    def records(self, versions: Iterable[str]) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Yield blobs in order, with what gives their bytes, or raises as ``GitRepo.read_blob``."""


def one_by_one(
    git: GitRepo, heads: Iterable[str], known: Callable[[Sequence[str]], Collection[str]],
    limit: int | None = None,
) -> History | None:  # fmt: skip
    """Return the commits that heads reach and that are not known, reading nothing that is older.

    Args:
        git: The repository.
        heads: Where to start.
        known: Returns which of some commits are.
        limit: So many commits are few.

    Returns:
        None if there are more than a few.
    """
    parents_of = all_parents(git)
    found: dict[str, _Read] = {}
    layer: Sequence[str] = list(heads)
    while layer:
        there = known(layer)
        layer = [one for one in layer if one not in there and one not in found]
        if limit is not None and len(found) + len(layer) > limit:
            return None
        parents: dict[str, None] = {}
        for one in layer:
            commit = git.commit(CommitId(one))
            above = tuple(parent.decode() for parent in parents_of(commit))
            node = _node(one, commit.message or b"", commit.author, commit.commit_time)
            found[one] = _Read(node, above, commit.tree)
            parents |= dict.fromkeys(above)
        layer = list(parents)
    return _Objects(git, found)


def many(
    git: GitRepo, heads: Iterable[str], before: Iterable[str],
    known: Callable[[Sequence[str]], Collection[str]],
) -> History:  # fmt: skip
    """Return the commits that heads reach and that are not known, as streams.

    Args:
        git: The repository.
        heads: Where to start.
        before: Earlier heads: what they reach is known. Git may have one no more.
        known: Returns which of some commits are.

    Raises:
        BulkError: This cannot be read so.
    """
    bulk = Bulk(git)
    found = bulk.commits(heads, before)
    there = known(list(found))
    return _Streams(git, bulk, {one: above for one, above in found.items() if one not in there})


@dataclass(frozen=True)
class _Read:
    """A commit that was read."""

    node: Node
    parents: tuple[str, ...]
    tree: bytes


class _Objects:
    """Commits that were read one by one."""

    def __init__(self, git: GitRepo, found: dict[str, _Read]) -> None:
        self._git = git
        self._found = found

    def parents(self) -> Mapping[str, Sequence[str]]:
        return {one: read.parents for one, read in self._found.items()}

    def arrived(self) -> Iterator[Arrived]:
        records = Records(self._git)
        for read in self._oldest_first():
            trees = [self._tree(parent) for parent in read.parents]
            yield Arrived(read.node, read.parents, list(records.brought(read.tree, trees)))

    def records(self, versions: Iterable[str]) -> Iterator[tuple[str, Callable[[], bytes]]]:
        for one in versions:
            yield one, _reading(self._git, one)

    def _oldest_first(self) -> Iterator[_Read]:
        found = self._found
        entered: set[str] = set()
        told: set[str] = set()
        for start in reversed(found):
            pending = [start]
            while pending:
                here = pending[-1]
                if here not in entered:
                    entered.add(here)
                    pending += [
                        one for one in found[here].parents if one in found and one not in entered
                    ]
                    continue
                pending.pop()
                if here not in told:  # its parents are through; grafts can make a circle
                    told.add(here)
                    yield found[here]

    def _tree(self, commit: str) -> bytes:
        read = self._found.get(commit)
        return self._git.commit(CommitId(commit)).tree if read is None else read.tree


class _Streams:
    """Commits that git reads."""

    def __init__(self, git: GitRepo, bulk: Bulk, commits: dict[str, tuple[str, ...]]) -> None:
        self._git = git
        self._bulk = bulk
        self._commits = commits

    def parents(self) -> Mapping[str, Sequence[str]]:
        return self._commits

    def arrived(self) -> Iterator[Arrived]:
        changes = self._bulk.brought(self._commits)
        change = next(changes, None)
        for one, data in self._bulk.contents(self._commits, "commit"):
            brought: Sequence[Brought] = ()
            if change is not None and change[0] == one:
                brought, change = change[1], next(changes, None)
            yield Arrived(self._commit(one, data), self._commits[one], brought)
        if change is not None:
            raise BulkError

    def records(self, versions: Iterable[str]) -> Iterator[tuple[str, Callable[[], bytes]]]:
        wanted = iter(versions)
        while lot := list(islice(wanted, _LOT)):
            for one, data in self._bulk.contents(lot, "blob"):
                yield one, _reading(self._git, one) if data is None else _given(data)

    def _commit(self, one: str, data: bytes | None) -> Node:
        head = None if data is None else _PLAIN.match(data)
        if data is None or head is None:
            commit = self._git.commit(CommitId(one))
            return _node(one, commit.message or b"", commit.author, commit.commit_time)
        end = data.find(b"\n\n", head.end() - 1)
        message = b"" if end < 0 else data[end + 2 :]
        return _node(one, message, head[1], int(head[2]))


def _reading(git: GitRepo, version: str) -> Callable[[], bytes]:
    return lambda: git.read_blob(VersionId(version))


def _given(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _node(one: str, message: bytes, author: bytes, seconds: int) -> Node:
    subject = message.split(b"\n", 1)[0].decode("utf-8", "replace")
    name = author.decode("utf-8", "replace").split(" <")[0]
    return Node(one, "commit", subject[:_TEXT], {"time": seconds, "author": name[:_TEXT]})
