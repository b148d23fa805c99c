"""Walks over arrays of neighbours: layers, and what is common to two.

Plain algorithms on keys; what a key is, and what is told of it, is not known here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from veml_vcs.lineage.circles import first_circles
from veml_vcs.lineage.sqlite.adjacency import CHUNK, SHIFT, Neighbours

_IN_ROW = CHUNK - 1
_FIRST, _SECOND, _BEHIND = 1, 2, 4
_BOTH = _FIRST | _SECOND
_GIVES = bytes(mark | _BEHIND if mark & _BOTH == _BOTH else mark for mark in range(8))
"""What a node says to those it came from, by its own mark."""
_BLOCK = 512
"""So many keys are looked at before it is asked whether that is enough; then twice as many."""


def around(nodes: Iterable[int], ways: Sequence[Neighbours]) -> set[int]:
    """Return what is a step away from any of some keys."""
    found: set[int] = set()
    for rows, _, _ in ways:
        for key in nodes:
            starts, ends = rows[key >> SHIFT]
            at = key & _IN_ROW
            found.update(ends[starts[at] : starts[at + 1]])
    return found


def layers(start: int, ways: Neighbours, until: Collection[int] | None = None) -> list[set[int]]:
    """Return what can be reached, by how many steps away it is: breadth first.

    Args:
        start: Where to begin; it is the first layer.
        ways: Where each leads.
        until: End where all of these are reached.
    """
    found = [{start}]
    seen = {start}
    left = None if until is None else set(until) - seen
    while left is None or left:
        new = around(found[-1], (ways,)) - seen
        if not new:
            break
        seen |= new
        found.append(new)
        if left is not None:
            left -= new
    return found


class Common(NamedTuple):
    """What two have in common.

    Attributes:
        nearest: Common ancestors that no other one comes from, or all of a circle.
        of: Each of the two -> how its ancestors are marked.
        marks: Of each key, at least of what lies between the two and ``nearest``.
    """

    nearest: set[int]
    of: Mapping[int, int]
    marks: bytearray


def nearest_common(first: int, second: int, up: Neighbours) -> Common:
    """Return the common ancestors of two that no other one comes from, or all of a circle.

    Marks go from what was added last to what was added first, as in Git's ``paint_down_to_common``,
    until all that is left is behind something common. That is one pass where what came from a node
    was added after it; edges that lead the other way are followed one by one, and nothing is left
    out below as long as one of them could lead up again.

    Args:
        first: One.
        second: Another; each is an ancestor of itself.
        up: Where each came from.
    """
    of = {first: _FIRST, second: _SECOND} if first != second else {first: _BOTH}
    walk = _Marking(up, of)
    walk.run()
    return Common(walk.nearest(), of, walk.marks)


def ways_of(
    start: int, end: int, both: tuple[Neighbours, Neighbours], known: Common
) -> list[set[int]]:
    """Return all that lies on the shortest ways up from one of two, by steps.

    From where they end, since it is known what of that leads back.

    Args:
        start: One of the two.
        end: One of their nearest common ancestors.
        both: Where each came from, and what came from it.
        known: What the two have in common.
    """
    up, down = both
    marks, mark = known.marks, known.of[start]
    found = [{end}]
    seen = {end}
    while start not in found[-1]:
        new = {one for one in around(found[-1], (down,)) - seen if marks[one] & mark}
        if not new:
            raise ValueError("arrays of neighbours up and down that contradict each other")
        seen |= new
        found.append(new)
    way = [{start}]
    for layer in found[-2::-1]:
        way.append(around(way[-1], (up,)) & layer)
    return way


class _Marking:
    """Marks of what each of two came from.

    Args:
        up: Where each node came from.
        marks: Of the nodes to begin with.
    """

    def __init__(self, up: Neighbours, marks: dict[int, int]) -> None:
        self.up = up
        self.marks = bytearray(up.size)
        for key, mark in marks.items():
            self.marks[key] = mark
        self.low = max(marks) + 1
        self.against = up.against
        self.highest = list(accumulate((far for _, far in self.against), max))

    def run(self) -> None:
        """Go down until it is enough."""
        size = _BLOCK
        while self.low:
            high, self.low = self.low, max(0, self.low - size)
            self._block(high)
            if not self._leads_up() and not self._is_open():
                break
            size *= 2

    def nearest(self) -> set[int]:
        """Return the nearest of what is common."""
        found = set(_where(self.marks, _BOTH, self.low))
        first = bisect_left(self.against, (self.low, 0))
        against = islice(self.against, first, None)
        if not any(self.marks[key] & _BOTH == _BOTH for key, _ in against):
            return found
        # Circles: each has such an edge. What is behind a node by itself alone may be in one.
        seen, pending = set(found), list(found)
        while pending:
            new = set(self.up.of(pending.pop())) - seen
            seen |= new
            pending += new
        rest = set(_where(self.marks, _BOTH | _BEHIND, self.low)) - seen
        after = {key: self.up.of(key) for key in rest}
        return found.union(*first_circles(rest, after))

    def _block(self, high: int) -> None:
        """Hand marks on, from below ``high`` down to ``low``."""
        marks, gives, low = self.marks, _GIVES, self.low
        for chunk in range((high - 1) >> SHIFT, (low >> SHIFT) - 1, -1):
            starts, ends = self.up.rows[chunk]
            if not ends:  # of commits, half of all
                continue
            first = chunk << SHIFT
            top, bottom = min(high - first, CHUNK), max(low - first, 0)
            begins, stops = starts[bottom:top], starts[bottom + 1 : top + 1]
            keys = range(first + top - 1, first + bottom - 1, -1)
            for key, begin, stop in zip(keys, reversed(begins), reversed(stops), strict=True):
                if marks[key]:
                    mark = gives[marks[key]]
                    for far in ends[begin:stop]:
                        marks[far] |= mark
        for number in range(
            bisect_left(self.against, (low, 0)), bisect_left(self.against, (high, 0))
        ):
            key, far = self.against[number]
            if marks[key]:
                self._again(far)

    def _again(self, key: int) -> None:
        """Hand on what a node was marked with after its turn; each can change three times."""
        marks = self.marks
        pending = [key]
        while pending:
            key = pending.pop()
            mark = _GIVES[marks[key]]
            for far in self.up.of(key):
                if mark & ~marks[far]:
                    marks[far] |= mark
                    if far >= self.low:
                        pending.append(far)

    def _leads_up(self) -> bool:
        """Tell whether an edge from below leads to what was looked at."""
        below = bisect_left(self.against, (self.low, 0))
        return below > 0 and self.highest[below - 1] >= self.low

    def _is_open(self) -> bool:
        """Tell whether anything below is marked, and not behind what is common."""
        return any(self.marks.find(mark, 0, self.low) >= 0 for mark in (_FIRST, _SECOND, _BOTH))


def _where(marks: bytearray, mark: int, low: int) -> Iterator[int]:
    at = marks.find(mark, low)
    while at >= 0:
        yield at
        at = marks.find(mark, at + 1)
