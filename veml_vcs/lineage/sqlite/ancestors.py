"""The nearest common ancestors of two versions, without walking all that they came from."""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Sequence

from veml_vcs.lineage.circles import first_circles
from veml_vcs.lineage.graph import LINEAGE, EdgeKind, Node
from veml_vcs.lineage.sqlite.rows import NODE, Tables, listed, to_node
from veml_vcs.lineage.store import Direction

_FIRST, _SECOND, _BEHIND = 1, 2, 4
_BOTH = _FIRST | _SECOND

_WAYS: tuple[Direction, Direction] = ("up", "down")


class Ancestors(Tables):
    """Answers about what two versions have in common; see ``LineageStore``."""

    def common(self, first: str, second: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Node]:
        """List the nearest common ancestors of two versions."""
        keys = dict(
            self._do("SELECT id, key FROM node WHERE id IN (?, ?)", (first, second)).fetchall()
        )
        if len(keys) < len({first, second}):
            return []
        circles = self._candidates(keys[first], keys[second], kinds)
        # What was not walked may still lead from one to another, or round.
        nearest = [
            one[0]
            for one in circles
            if not any(
                self._leads(other[0], one[0], kinds) and not self._leads(one[0], other[0], kinds)
                for other in circles
                if other is not one
            )
        ]
        found = {key for one in nearest for key in self._circle(one, kinds)}
        rows = self._do(
            f"SELECT {NODE} FROM json_each(?) k CROSS JOIN node n ON n.key = k.value ORDER BY n.id",
            (listed(found),),
        )
        return [to_node(row) for row in rows]

    def _candidates(self, first: int, second: int, kinds: Sequence[EdgeKind]) -> list[list[int]]:
        """Return circles of common ancestors, each of the nearest circles among them, in part.

        From the last that was added to the first: mostly, what came from a version is added after
        it, and then only what is newer than the answer is walked. The answer holds in any order.
        """
        marks = {first: _FIRST}
        marks[second] = marks.get(second, 0) | _SECOND
        queue = [-one for one in marks]
        heapq.heapify(queue)
        queued = set(marks)
        ahead = len(queued)  # how many of these are not behind something common
        after: dict[int, list[int]] = {}
        while ahead:
            here = -heapq.heappop(queue)
            queued.discard(here)
            mark = marks[here]
            ahead -= not mark & _BEHIND
            if mark & _BOTH == _BOTH:
                mark |= _BEHIND
            if here not in after:
                after[here] = [far for _, far in self._steps((here,), "up", kinds)]
            for there in after[here]:
                before = marks.get(there, 0)
                marks[there] = before | mark
                if there not in queued and marks[there] != before:
                    queued.add(there)
                    heapq.heappush(queue, -there)
                    ahead += not marks[there] & _BEHIND
                elif there in queued:
                    ahead -= bool(marks[there] & _BEHIND) - bool(before & _BEHIND)
        both = [one for one, mark in marks.items() if mark & _BOTH == _BOTH]
        return first_circles(both, after)

    def _leads(self, start: int, end: int, kinds: Sequence[EdgeKind]) -> bool:
        """Tell whether a version came from another; walks from both, until one has no more."""
        seen = ({start}, {end})
        layers = ([start], [end])
        while all(layers):
            side = len(seen[0]) > len(seen[1])
            found = {far for _, far in self._steps(layers[side], _WAYS[side], kinds)} - seen[side]
            if found & seen[not side]:
                return True
            seen[side].update(found)
            layers[side][:] = found
        return start == end

    def _circle(self, start: int, kinds: Sequence[EdgeKind]) -> set[int]:
        """Return all that a version came from and that came from it, itself included."""
        seen = ({start}, {start})
        layers = ([start], [start])
        back: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})
        while all(layers):
            side = len(seen[0]) > len(seen[1])
            found = set()
            for near, far in self._steps(layers[side], _WAYS[side], kinds):
                back[side].setdefault(far, []).append(near)
                found.add(far)
            layers[side][:] = found - seen[side]
            seen[side].update(found)
        whole = bool(layers[0])  # the side that has no more
        circle, pending = {start}, [start]
        while pending:
            new = set(back[whole].get(pending.pop(), ())) - circle
            circle |= new
            pending += new
        return circle

    def _steps(
        self, keys: Collection[int], way: Direction, kinds: Sequence[EdgeKind]
    ) -> list[tuple[int, int]]:
        """List the edges of some nodes in one direction: from which, to which."""
        near, far = ("source", "target") if way == "up" else ("target", "source")
        marks = ", ".join("?" * len(kinds))
        return self._do(
            f"SELECT k.value, e.{far} FROM json_each(?) k CROSS JOIN edge e ON e.{near} = k.value "
            f"AND e.kind IN ({marks})",
            (json.dumps(list(keys)), *kinds),
        ).fetchall()
