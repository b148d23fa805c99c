r"""Draw a commit graph in text: a lane a line of history, edges where they fork and join.

Lanes stand two characters apart. A lane waits for a commit: the next parent on that line. A commit
is drawn as ``*`` in the lane that waits for it (a new one on the right if none does), then hands
its lane to its first parent and opens lanes beside it for the others; where two lanes wait for the
same commit, the right one runs into the left one.

    *   merge        the lanes right of a merge step aside
    |\
    | * side         a lane that ends runs into the lane it came from
    * | main
    |/
    * base

Edges travel left one character a row; only the leftmost one that is under way may cross several
lanes at once, on underscores, so that no two edges can be taken for each other. The pictures are
those of ``git log --graph``, octopus merges beside other lanes aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Drawing(NamedTuple):
    """The picture of one commit.

    Attributes:
        above: Rows before the commit's own.
        row: The row with the ``*``.
        below: Rows that lead to the next commit.
        idle: A row in which nothing happens, for more lines of text.
        width: Columns the picture takes; text stands to the right of it.
    """

    above: tuple[str, ...]
    row: str
    below: tuple[str, ...]
    idle: str
    width: int


@dataclass(frozen=True)
class _Step:
    """One commit's place among the lanes.

    Attributes:
        place: The commit's lane.
        right: Number of lanes right of it.
        parents: Its parents, each once.
        leftward: The lane to the left in which the first parent of a merge is waited for, or None.
        opened: Number of lanes it opens, by which the lanes right of it step aside.
    """

    place: int
    right: int
    parents: tuple[str, ...]
    leftward: int | None
    opened: int


class _Edge(NamedTuple):
    """An edge on its way down: the character it is at, and the lane it leads to."""

    at: int
    lane: int

    @property
    def home(self) -> bool:
        return self.at // 2 == self.lane


class Graph:
    """Draws commits one after the other; children must come before their parents."""

    def __init__(self) -> None:
        self._lanes: list[str] = []
        # How the row above left the lanes leaning. A lane that goes on in the same direction is
        # drawn straight through the commit's row, without a kink.
        self._leans_right_of: int | None = None
        self._leans_left: frozenset[int] = frozenset()

    def draw(self, commit: str, parents: Sequence[str]) -> Drawing:
        """Draw one commit.

        Args:
            commit: Its id.
            parents: The ids of those parents that history goes on to.
        """
        if commit not in self._lanes:
            self._lanes.append(commit)
        before = self._lanes
        step = _plan(before, before.index(commit), tuple(dict.fromkeys(parents)))
        waited = [*before[: step.place], *step.parents, *before[step.place + 1 :]]
        self._lanes = list(dict.fromkeys(waited))
        lane_of = {waits: lane for lane, waits in enumerate(self._lanes)}
        targets = [lane_of.get(waits, -1) for waits in before]
        row = self._commit_row(step, targets)
        edges = _edges(step, targets, [lane_of[one] for one in step.parents])
        below = [_merge_row(step)] if len(step.parents) > 1 else []
        self._leans_right_of = step.place if below and step.opened else None
        below += self._travel(edges)
        idle = _row({2 * lane: "|" for lane in range(len(self._lanes))})
        return Drawing(tuple(_above(step)), row, tuple(below), idle, _width(step))

    def _commit_row(self, step: _Step, targets: Sequence[int]) -> str:
        canvas = {2 * lane: "|" for lane in range(step.place)}
        canvas[2 * step.place] = "*"
        dashes = 2 * (len(step.parents) - 2)
        if step.leftward is not None:
            dashes -= 2
        for i in range(dashes):
            canvas[2 * step.place + 1 + i] = "-" if i + 1 < dashes else "."
        pushed = max(0, step.opened - 1)
        for lane in range(step.place + 1, step.place + 1 + step.right):
            canvas[2 * (lane + pushed)] = self._passing(lane, step, targets[lane])
        return _row(canvas)

    def _passing(self, lane: int, step: _Step, target: int) -> str:
        """Return how a lane right of the commit passes the commit's row."""
        came_right = self._leans_right_of is not None and self._leans_right_of < lane
        if step.opened > 1 or (step.opened == 1 and came_right):
            return "\\"
        if step.opened == 0 and lane in self._leans_left and target < lane:
            return "/"
        return "|"

    def _travel(self, edges: list[_Edge]) -> Iterator[str]:
        """Move the edges until each is in its lane, a row a step."""
        self._leans_left = frozenset()
        while not all(edge.home for edge in edges):
            self._leans_right_of = None
            edges, row = _move(edges)
            self._leans_left = frozenset(one.lane for one in edges if one.at == 2 * one.lane + 1)
            yield row


def _plan(lanes: Sequence[str], place: int, parents: tuple[str, ...]) -> _Step:
    left, right = lanes[:place], lanes[place + 1 :]
    leftward = None
    if len(parents) > 1 and parents[0] in left:
        leftward = left.index(parents[0])
    opened = max(0, len(parents) - 1 - (leftward is not None))
    # Where the lane beside already waits for the last parent, the edge joins it at once.
    if opened and right and right[0] == parents[-1]:
        opened -= 1
    return _Step(place, len(right), parents, leftward, opened)


def _width(step: _Step) -> int:
    return 2 * (step.place + 1 + step.right + step.opened)


def _edges(step: _Step, targets: Sequence[int], parents: Sequence[int]) -> list[_Edge]:
    """Return where the edges are below the commit (or below the row that opens its lanes)."""
    edges = {2 * lane: targets[lane] for lane in range(step.place)}
    at = 2 * step.place
    for i, lane in enumerate(parents):
        if i == 0 and step.leftward is not None:
            edges[min(at - 1, 2 * lane + 3)] = lane
        else:
            edges[at] = lane
            at += 2
    for i in range(step.right):
        lane = step.place + 1 + i
        edges[2 * (lane + step.opened)] = targets[lane]
    return [_Edge(*one) for one in sorted(edges.items())]


def _above(step: _Step) -> Iterator[str]:
    """Push the lanes right of an octopus merge aside, a step a row."""
    for pushed in range(step.opened - 1 if step.right else 0):
        canvas = {2 * lane: "|" for lane in range(step.place + 1)}
        for lane in range(step.place + 1, step.place + 1 + step.right):
            canvas[2 * (lane + pushed) + 1] = "\\"
        yield _row(canvas)


def _merge_row(step: _Step) -> str:
    """Return the row in which a merge opens the lanes of its parents."""
    canvas = {2 * lane: "|" for lane in range(step.place + 1)}
    if step.leftward is not None:
        for gap in range(2 * step.leftward + 3, 2 * step.place - 1, 2):
            canvas[gap] = "_"
        canvas[2 * step.place - 1] = "/"
    outgoing = len(step.parents) - 1 - (step.leftward is not None)
    for i in range(outgoing):
        canvas[2 * (step.place + i) + 1] = "\\"
    for lane in range(step.place + 1, step.place + 1 + step.right):
        at = 2 * (lane + step.opened)
        canvas[at - 1 if step.opened else at] = "\\" if step.opened else "|"
    return _row(canvas)


def _move(edges: Sequence[_Edge]) -> tuple[list[_Edge], str]:
    """Move each edge a step to the left; return where they are then, and the row that shows it."""
    taken: dict[int, int] = {}
    canvas: dict[int, str] = {}
    running = False
    for edge in edges:
        at = 2 * edge.lane if edge.home else edge.at - 1
        if taken.get(at) == edge.lane:
            continue  # it meets an edge to the same lane, and is one with it from here on
        if at in taken:
            at -= 1  # it crosses a lane that leads elsewhere
        canvas[at] = "|" if at == 2 * edge.lane else "/"
        if not edge.home and not running:
            running = True
            for gap in range(2 * edge.lane + 3, at - 1, 2):
                canvas[gap] = "_"
                at = 2 * edge.lane + 3
        taken[at] = edge.lane
    return [_Edge(*one) for one in sorted(taken.items())], _row(canvas)


def _row(canvas: dict[int, str]) -> str:
    return "".join(canvas.get(i, " ") for i in range(max(canvas, default=-1) + 1))
