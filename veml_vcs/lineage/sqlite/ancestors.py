"""Ways between versions, and what two have in common: walks over arrays, told in ids and edges."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from veml_vcs.lineage.graph import LINEAGE, Edge, EdgeKind, Node
from veml_vcs.lineage.sqlite.adjacency import Adjacency, Neighbours
from veml_vcs.lineage.sqlite.rows import FIRST, NODE, SECOND, Tables, listed, to_edge, to_node
from veml_vcs.lineage.sqlite.shortest import between
from veml_vcs.lineage.sqlite.walks import Common, around, layers, nearest_common, ways_of

_FEW = 4
"""To so many ends ways are looked for one by one, from where they end."""


class Ancestors(Tables):
    """Answers that need a walk over much of history; see ``LineageStore``.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._adjacency = Adjacency(connection)
        self._common: tuple[Neighbours, Common] | None = None

    def path(self, start: str, end: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Edge] | None:
        """Return a shortest path, along edges in either direction; None if there is none."""
        with self._reading():
            keys = self._keys((start, end))
            if start not in keys or end not in keys:
                return None
            both = self._adjacency.of("up", kinds), self._adjacency.of("down", kinds)
            steps = between(
                keys[start], keys[end], both, both,
                lambda: self._adjacency.groups(("up", "down"), kinds),
            )  # fmt: skip
            if steps is None:
                return None
            way = [keys[start]]
            for layer in steps[1:]:
                way.append(self._first(layer & around(way[-1:], both)))
            return self._edges_on(way, kinds)

    def ways_up(
        self, start: str, ends: Collection[str], kinds: Sequence[EdgeKind] = LINEAGE
    ) -> dict[str, list[Edge]]:
        """Return a shortest way from a version to each of some that it came from."""
        with self._reading():
            keys = self._keys((start, *ends))
            if start not in keys:
                return {}
            both = self._adjacency.of("up", kinds), self._adjacency.of("down", kinds)
            wanted = {keys[one]: one for one in ends if one in keys}
            ways = {}
            for end, steps in self._steps_up(keys[start], wanted, both):
                way = [end]
                for layer in steps[-2::-1]:
                    way.append(self._first(layer & around(way[-1:], both[1:])))
                ways[wanted[end]] = self._edges_on(way[::-1], kinds, up=True)
            return {end: ways[end] for end in ends if end in ways}

    def _steps_up(
        self, start: int, ends: Collection[int], both: tuple[Neighbours, Neighbours]
    ) -> Iterator[tuple[int, list[set[int]]]]:
        """Yield each end that can be reached, and by steps at least what lies on shortest ways."""
        known = self._common
        if len(ends) <= _FEW and known is not None and known[0] is both[0] and start in known[1].of:
            for end in known[1].nearest.intersection(ends):
                yield end, ways_of(start, end, both, known[1])
            ends = set(ends) - known[1].nearest
        steps = layers(start, both[0], ends)
        step_of = {
            key: step for step, layer in enumerate(steps) for key in layer.intersection(ends)
        }
        for end, step in step_of.items():
            yield end, [*steps[:step], {end}]

    def common(self, first: str, second: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Node]:
        """List the nearest common ancestors of two versions."""
        with self._reading():
            keys = self._keys((first, second))
            if len(keys) < len({first, second}):
                return []
            up = self._adjacency.of("up", kinds)
            common = nearest_common(keys[first], keys[second], up)
            self._common = up, common
            rows = self._do(
                f"SELECT {NODE} FROM json_each(?) k CROSS JOIN node n ON n.key = k.value "
                "ORDER BY n.id",
                (listed(common.nearest),),
            )
            return [to_node(row) for row in rows]

    def _keys(self, ids: Collection[str]) -> dict[str, int]:
        rows = self._do(
            "SELECT n.id, n.key FROM json_each(?) i CROSS JOIN node n ON n.id = i.value",
            (listed(ids),),
        )
        return dict(rows.fetchall())

    def _first(self, keys: set[int]) -> int:
        """Return the key of the first in order of ids."""
        if len(keys) == 1:
            return next(iter(keys))
        (key,) = self._do(
            "SELECT n.key FROM json_each(?) k CROSS JOIN node n ON n.key = k.value "
            "ORDER BY n.id LIMIT 1",
            (json.dumps(list(keys)),),
        ).fetchone()
        return int(key)

    def _edges_on(
        self, way: Sequence[int], kinds: Sequence[EdgeKind], *, up: bool = False
    ) -> list[Edge]:
        """Return an edge for each step: the first in order of kind, and first one along the way.

        Args:
            way: Keys.
            kinds: Of edges.
            up: Along edges alone, not against them.
        """
        steps = json.dumps(list(pairwise(way)))
        marks = ", ".join("?" * len(kinds))
        sides = ["(1, 0)", "(0, 1)"][: 1 if up else 2]
        rows = self._do(
            "WITH step (number, here, there) AS MATERIALIZED "
            f"(SELECT key, {FIRST}, {SECOND} FROM json_each(?)), "
            f"side (along, against) AS (VALUES {', '.join(sides)}) "
            "SELECT p.number, s.id, e.kind, t.id, e.props FROM step p CROSS JOIN side d "
            "CROSS JOIN edge e ON e.source = iif(d.along, p.here, p.there) "
            f"AND e.target = iif(d.along, p.there, p.here) AND e.kind IN ({marks}) "
            "CROSS JOIN node s ON s.key = e.source CROSS JOIN node t ON t.key = e.target "
            "ORDER BY p.number, e.kind, d.against",
            (steps, *kinds),
        )
        found: dict[int, Edge] = {}
        for number, *row in rows:
            if number not in found:
                found[number] = to_edge(row)
        return list(found.values())
