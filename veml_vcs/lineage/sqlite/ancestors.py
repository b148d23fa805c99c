"""Ways between versions, and what two have in common: walks over arrays, told in ids and edges."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from veml_vcs.lineage.graph import LINEAGE, Edge, EdgeKind, Node
from veml_vcs.lineage.sqlite.adjacency import Adjacency
from veml_vcs.lineage.sqlite.rows import FIRST, NODE, SECOND, Tables, listed, to_edge, to_node
from veml_vcs.lineage.sqlite.walks import between, layers, nearest_common, neighbours


class Ancestors(Tables):
    """Answers that need a walk over much of history; see ``LineageStore``.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._adjacency = Adjacency(connection)

    def path(self, start: str, end: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Edge] | None:
        """Return a shortest path, along edges in either direction; None if there is none."""
        with self._reading():
            keys = self._keys((start, end))
            if start not in keys or end not in keys:
                return None
            both = self._adjacency.of("up", kinds), self._adjacency.of("down", kinds)
            steps = between(keys[start], keys[end], both)
            if steps is None:
                return None
            way = [keys[start]]
            for layer in steps[1:]:
                way.append(self._first(layer & neighbours(way[-1], both)))
            return self._edges_on(way, kinds)

    def ways_up(
        self, start: str, ends: Collection[str], kinds: Sequence[EdgeKind] = LINEAGE
    ) -> dict[str, list[Edge]]:
        """Return a shortest way from a version to each of some that it came from."""
        with self._reading():
            keys = self._keys((start, *ends))
            if start not in keys:
                return {}
            up, down = self._adjacency.of("up", kinds), self._adjacency.of("down", kinds)
            steps = layers(keys[start], up, {keys[one] for one in ends if one in keys})
            step_of = {key: step for step, layer in enumerate(steps) for key in layer}
            found = {}
            for end in ends:
                step = step_of.get(keys.get(end, -1))
                if step is None:
                    continue
                way = [keys[end]]
                for layer in steps[:step][::-1]:
                    way.append(self._first(layer & neighbours(way[-1], (down,))))
                found[end] = self._edges_on(way[::-1], kinds, up=True)
            return found

    def common(self, first: str, second: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Node]:
        """List the nearest common ancestors of two versions."""
        with self._reading():
            keys = self._keys((first, second))
            if len(keys) < len({first, second}):
                return []
            up = self._adjacency.of("up", kinds)
            found = nearest_common(keys[first], keys[second], up)
            rows = self._do(
                f"SELECT {NODE} FROM json_each(?) k CROSS JOIN node n ON n.key = k.value "
                "ORDER BY n.id",
                (listed(found),),
            )
            return [to_node(row) for row in rows]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """See one state of the file, whoever writes meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        self._do("BEGIN")
        try:
            yield
        finally:
            self._do("COMMIT")

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
