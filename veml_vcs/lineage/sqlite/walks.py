"""Walks over arrays of neighbours: layers, shortest ways, and what is common to two.

Plain algorithms on keys; what a key is, and what is told of it, is not known here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate, islice

from veml_vcs.lineage.circles import first_circles
from veml_vcs.lineage.sqlite.adjacency import Neighbours

_FIRST, _SECOND, _BEHIND = 1, 2, 4
_BOTH = _FIRST | _SECOND
_GIVES = bytes(mark | _BEHIND if mark & _BOTH == _BOTH else mark for mark in range(8))
"""What a node says to those it came from, by its own mark."""
_BLOCK = 512
"""So many keys are looked at before it is asked whether that is enough; then twice as many."""


def layers(start: int, ways: Neighbours, until: Collection[int] | None = None) -> list[set[int]]:
    """Return what can be reached, by how many steps away it is: breadth first.

    Args:
        start: Where to begin; it is the first layer.
        ways: Where each leads.
        until: End where all of these are reached.
    """
    starts, ends, _ = ways
    found = [{start}]
    seen = {start}
    left = None if until is None else set(until) - seen
    while left is None or left:
        new: set[int] = set()
        for key in found[-1]:
            new.update(ends[starts[key] : starts[key + 1]])
        new -= seen
        if not new:
            break
        seen |= new
        found.append(new)
        if left is not None:
            left -= new
    return found


def between(start: int, end: int, both: Sequence[Neighbours]) -> list[set[int]] | None:
    """Return all that lies on the shortest ways from one to another, by steps; None without any.

    From both ends by turns, the smaller layer first, so that a node with thousands of neighbours is
    looked at once, and mostly not at all.

    Args:
        start: One.
        end: Another.
        both: Where each leads, and from where: a way may go either way along each edge.
    """
    sides = ([{start}], [{end}])
    while not sides[0][-1] & sides[1][-1]:
        side = sides[len(sides[0][-1]) > len(sides[1][-1])]
        # What is beside a layer is in it, in the one before, or new.
        new = _around(side[-1], both) - side[-1]
        if len(side) > 1:
            new -= side[-2]
        if not new:
            return None
        side.append(new)
    way = [sides[0][-1] & sides[1][-1]]
    for layer in sides[0][-2::-1]:
        way.insert(0, _around(way[0], both) & layer)
    for layer in sides[1][-2::-1]:
        way.append(_around(way[-1], both) & layer)
    return way


def _around(layer: Iterable[int], both: Sequence[Neighbours]) -> set[int]:
    found: set[int] = set()
    for starts, ends, _ in both:
        for key in layer:
            found.update(ends[starts[key] : starts[key + 1]])
    return found


def neighbours(key: int, both: Sequence[Neighbours]) -> set[int]:
    """Return what is a step away."""
    return _around((key,), both)


def nearest_common(first: int, second: int, up: Neighbours) -> set[int]:
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
    walk = _Marking(up, {first: _FIRST, second: _SECOND} if first != second else {first: _BOTH})
    walk.run()
    return walk.nearest()


class _Marking:
    """Marks of what each of two came from.

    Args:
        up: Where each node came from.
        marks: Of the nodes to begin with.
    """

    def __init__(self, up: Neighbours, marks: dict[int, int]) -> None:
        self.up = up
        self.marks = bytearray(len(up.starts))
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
        starts, ends, _ = self.up
        seen, pending = set(found), list(found)
        while pending:
            key = pending.pop()
            new = [far for far in ends[starts[key] : starts[key + 1]] if far not in seen]
            seen.update(new)
            pending += new
        rest = set(_where(self.marks, _BOTH | _BEHIND, self.low)) - seen
        after = {key: ends[starts[key] : starts[key + 1]] for key in rest}
        return found.union(*first_circles(rest, after))

    def _block(self, high: int) -> None:
        """Hand marks on, from below ``high`` down to ``low``."""
        starts, ends, _ = self.up
        marks, gives = self.marks, _GIVES
        for key in range(high - 1, self.low - 1, -1):
            if marks[key]:
                mark = gives[marks[key]]
                for far in ends[starts[key] : starts[key + 1]]:
                    marks[far] |= mark
        for number in range(
            bisect_left(self.against, (self.low, 0)), bisect_left(self.against, (high, 0))
        ):
            key, far = self.against[number]
            if marks[key]:
                self._again(far)

    def _again(self, key: int) -> None:
        """Hand on what a node was marked with after its turn; each can change three times."""
        starts, ends, _ = self.up
        marks = self.marks
        pending = [key]
        while pending:
            key = pending.pop()
            mark = _GIVES[marks[key]]
            for far in ends[starts[key] : starts[key + 1]]:
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
