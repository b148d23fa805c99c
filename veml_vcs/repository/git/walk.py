"""Walks through the commit graph, in the orders of git-rev-list(1).

Git's default goes by date: of the commits that are known so far, the newest is told, and its
parents become known. It can begin at once, and it tells a parent before a child where a clock was
wrong (that child is not known yet). Whoever needs children before parents sorts, which takes all
commits first. What a walk is for (filters, paths) stands in ``log`` and ``log_paths``.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Literal, NamedTuple

from dulwich.objects import Commit, ObjectID

from veml_vcs.ids import CommitId
from veml_vcs.repository.git.repo import GitRepo

Order = Literal["date", "topo", "date-order", "author-date"]
"""``date``: as they become known, newest first. The others list children before parents: ``topo`` a
line of history at a time, ``date-order`` and ``author-date`` else by date."""

_SLOP_COMMITS = 1000
"""Git looks at 5 commits more before it believes that dates are in order; these cost 30 ms."""

Parents = Callable[[Commit], Sequence[bytes]]
"""The parents of a commit that its history goes through."""


class Step(NamedTuple):
    """A commit of a walk, with the parents that its history goes through."""

    commit: Commit
    parents: Sequence[bytes]


class _Newest:
    """A queue of commits that gives the newest; of equal ones that which came first."""

    def __init__(self, git: GitRepo) -> None:
        self._git = git
        self._heap: list[tuple[int, int, Commit]] = []
        self._counter = count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, commit_id: bytes) -> None:
        commit = self._git.commit(CommitId(commit_id.decode()))
        heapq.heappush(self._heap, (-commit.commit_time, next(self._counter), commit))

    def pop(self) -> Commit:
        return heapq.heappop(self._heap)[2]

    @property
    def newest_seconds(self) -> int:
        return -self._heap[0][0]


def all_parents(git: GitRepo) -> Parents:
    """Return a function that gives a commit's parents (grafts and shallow clones respected)."""
    provider = git.dulwich.parents_provider()
    return lambda commit: provider.get_parents(commit.id, commit)


def parents_stamp(git: GitRepo) -> str:
    """Return what tells the parents that commits have from those of another time.

    That is where a shallow clone ends, and what ``info/grafts`` says; all others never change.
    """
    dulwich = git.dulwich
    said = {one: tuple(parents) for one, parents in dulwich._graftpoints.items()}
    said |= dict.fromkeys(dulwich.get_shallow(), ())
    return "\n".join(b" ".join((one, *said[one])).decode() for one in sorted(said))


def by_date(
    git: GitRepo,
    heads: Iterable[CommitId],
    *,
    within: Collection[bytes] | None = None,
    parents: Parents | None = None,
    first_parent: bool = False,
) -> Iterator[Step]:
    """Walk from the heads, newest first, reading no more of history than is asked for.

    Args:
        git: The repository.
        heads: Where to start; of those of one second the first comes first.
        within: The commits to visit, of ``difference``; None is all.
        parents: What history goes through; None is all parents.
        first_parent: Go on to the first of these alone.

    Raises:
        NotFoundError: Git does not have a commit.
    """
    parents_of = parents or all_parents(git)
    queue = _Newest(git)
    seen: set[bytes] = set()

    def reach(commit_id: bytes) -> None:
        if commit_id not in seen and (within is None or commit_id in within):
            seen.add(commit_id)
            queue.put(commit_id)

    for head in heads:
        reach(head.encode())
    while queue:
        commit = queue.pop()
        through = parents_of(commit)
        for parent in through[:1] if first_parent else through:
            reach(parent)
        yield Step(commit, through)


def ordered(steps: Iterable[Step], order: Order) -> Iterator[Step]:
    """Put the steps of ``by_date`` in an order.

    ``date`` passes them on one by one; the others take them all first (Git's
    ``sort_in_topological_order``: Kahn 1962, on a stack, or on a queue by date).
    """
    if order == "date":
        yield from steps
        return
    known = {step.commit.id: step for step in steps}
    children = dict.fromkeys(known, 0)
    for step in known.values():
        for parent in step.parents:
            if parent in children:
                children[ObjectID(parent)] += 1
    counter = count()
    ready: list[tuple[int, int, Step]] = []

    def put(step: Step) -> None:
        number, commit = next(counter), step.commit
        if order == "topo":  # the last that came is the first that goes
            heapq.heappush(ready, (-number, number, step))
        else:
            seconds = commit.author_time if order == "author-date" else commit.commit_time
            heapq.heappush(ready, (-seconds, number, step))

    heads = [step for step in known.values() if not children[step.commit.id]]
    for step in reversed(heads) if order == "topo" else heads:
        put(step)
    while ready:
        step = heapq.heappop(ready)[2]
        yield step
        for parent in step.parents:
            if parent in children:
                children[ObjectID(parent)] -= 1
                if not children[ObjectID(parent)]:
                    put(known[ObjectID(parent)])


def walk(git: GitRepo, heads: Iterable[CommitId]) -> Iterator[Commit]:
    """List what the heads reach, children before parents, else newest first."""
    return (step.commit for step in ordered(by_date(git, heads), "date-order"))


def reachable(git: GitRepo, heads: Iterable[CommitId]) -> set[bytes]:
    """Return what the heads reach, themselves included."""
    return {step.commit.id for step in by_date(git, heads)}


def difference(
    git: GitRepo, include: Iterable[CommitId], exclude: Iterable[CommitId]
) -> set[bytes]:
    """Return what ``include`` reaches and ``exclude`` does not, reading little behind their fork.

    Both are walked together, newest first, until all that is left is excluded and older than
    whatever was found, and for some commits more. Git does the same with fewer: where clocks were
    wrong by more than that, a commit that is excluded may be listed. Where that would do harm, take
    ``reachable``.
    """
    parents_of = all_parents(git)
    queue = _Newest(git)
    excluded = {one.encode() for one in exclude}
    seen: dict[bytes, Sequence[bytes] | None] = {}  # its parents, once it was visited
    open_ones: set[bytes] = set()
    found: dict[bytes, int] = {}

    def reach(commit_id: bytes) -> None:
        if commit_id not in seen:
            seen[commit_id] = None
            queue.put(commit_id)
            if commit_id not in excluded:
                open_ones.add(commit_id)

    def spread(commit_id: bytes) -> None:
        """Exclude a commit's ancestors, as far as they are known."""
        pending = [commit_id]
        while pending:
            for parent in seen[pending.pop()] or ():
                if parent not in excluded:
                    excluded.add(parent)
                    open_ones.discard(parent)
                    found.pop(parent, None)
                    if parent in seen:
                        pending.append(parent)

    for one in (*excluded, *(head.encode() for head in include)):
        reach(one)
    oldest: int | None = None
    slop = _SLOP_COMMITS
    while queue:
        if not open_ones:
            if oldest is None or not found:
                break
            slop = _SLOP_COMMITS if queue.newest_seconds >= oldest else slop - 1
            if slop < 0:
                break
        commit = queue.pop()
        open_ones.discard(commit.id)
        seen[commit.id] = parents_of(commit)
        if commit.id in excluded:
            spread(commit.id)
        else:
            found[commit.id] = commit.commit_time
            oldest = min(found[commit.id], oldest if oldest is not None else found[commit.id])
        for parent in seen[commit.id] or ():
            reach(parent)
    return set(found)
