"""The questions, asked of SQLite: walks as recursive queries that visit each node once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

from veml_vcs.lineage.graph import LINEAGE, Edge, EdgeKind, Node
from veml_vcs.lineage.sqlite.ancestors import Ancestors
from veml_vcs.lineage.sqlite.commits import Commits
from veml_vcs.lineage.sqlite.lists import Lists
from veml_vcs.lineage.sqlite.rows import EDGE, NODE, to_edge, to_node
from veml_vcs.lineage.store import Direction, Part

_ENDS: dict[Direction, tuple[str, str]] = {"up": ("source", "target"), "down": ("target", "source")}


class SqliteLineage(Lists, Commits, Ancestors):
    """Answers from the tables; see ``LineageStore``. The walks are here, the rest beside."""

    def reach(
        self,
        start: str,
        direction: Direction,
        kinds: Sequence[EdgeKind] = LINEAGE,
        *,
        depth: int | None = None,
        within: Collection[str] | None = None,
    ) -> Part:
        """Return what can be reached from a node, itself included, each node once."""
        row = self._do("SELECT key FROM node WHERE id = ?", (start,)).fetchone()
        if row is None:
            return Part()
        steps = {int(row[0]): 0}
        layer = [int(row[0])]
        step = 0
        while layer and (depth is None or step < depth):
            step += 1
            found = self._next(layer, direction, kinds)
            if within is not None:
                found = self._inside(found, within)
            layer = [key for key in found if key not in steps]
            steps |= dict.fromkeys(layer, step)
        return self._part(steps, kinds)

    def path(self, start: str, end: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Edge] | None:
        """Return a shortest path, along edges in either direction; None if there is none."""
        keys = {
            row[1]: int(row[0])
            for row in self._do("SELECT key, id FROM node WHERE id IN (?, ?)", (start, end))
        }
        if start not in keys or end not in keys:
            return None
        # Counted from the end, so that of several paths the first can be told from the start.
        far = {keys[end]: 0}
        layer = [keys[end]]
        step = 0
        while layer and keys[start] not in far:
            step += 1
            found = {*self._next(layer, "up", kinds), *self._next(layer, "down", kinds)}
            layer = sorted(key for key in found if key not in far)
            far |= dict.fromkeys(layer, step)
        if keys[start] not in far:
            return None
        edges: list[Edge] = []
        here = start
        while here != end:
            here, edge = min(self._nearer(here, far, kinds), key=lambda one: (one[0], one[1].kind))
            edges.append(edge)
        return edges

    def _next(self, keys: Sequence[int], direction: Direction, kinds: Sequence[str]) -> list[int]:
        near, far = _ENDS[direction]
        rows = self._do(
            f"SELECT DISTINCT e.{far} FROM json_each(?1) k CROSS JOIN edge e ON e.{near} = k.value "
            "WHERE e.kind IN (SELECT value FROM json_each(?2))",
            (json.dumps(list(keys)), json.dumps(list(kinds))),
        )
        return sorted(int(row[0]) for row in rows)

    def _inside(self, keys: Sequence[int], within: Collection[str]) -> list[int]:
        rows = self._do(
            "SELECT key, id FROM node WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        return sorted(int(key) for key, one in rows if one in within)

    def _part(self, steps: dict[int, int], kinds: Sequence[str]) -> Part:
        keys = json.dumps(list(steps))
        nodes: dict[str, Node] = {}
        said: dict[str, int] = {}
        for key, *row in self._do(
            f"SELECT n.key, {NODE} FROM node n WHERE n.key IN (SELECT value FROM json_each(?))",
            (keys,),
        ):
            nodes[row[0]] = to_node(row)
            said[row[0]] = steps[key]
        edges = self._do(
            f"SELECT {EDGE} FROM json_each(?1) k "
            "CROSS JOIN edge e ON e.source = k.value "
            "CROSS JOIN node s ON s.key = e.source CROSS JOIN node t ON t.key = e.target "
            "WHERE +e.target IN (SELECT value FROM json_each(?1)) "
            "AND e.kind IN (SELECT value FROM json_each(?2)) ORDER BY s.id, e.kind, t.id",
            (keys, json.dumps(list(kinds))),
        )
        order = sorted(nodes, key=lambda one: (said[one], one))
        return Part(
            {one: nodes[one] for one in order},
            tuple(to_edge(row) for row in edges),
            {one: said[one] for one in order},
        )

    def _nearer(
        self, here: str, far: dict[int, int], kinds: Sequence[str]
    ) -> Iterator[tuple[str, Edge]]:
        """List the neighbours that are a step nearer to where steps are counted from."""
        for mine, other in (("source", "target"), ("target", "source")):
            for key, mine_key, one, *row in self._do(
                f"SELECT o.key, h.key, o.id, s.id, e.kind, t.id, e.props FROM node h "
                f"JOIN edge e ON e.{mine} = h.key JOIN node o ON o.key = e.{other} "
                "JOIN node s ON s.key = e.source JOIN node t ON t.key = e.target WHERE h.id = ?",
                (here,),
            ):
                if row[1] in kinds and far.get(key, -1) == far[mine_key] - 1:
                    yield one, to_edge(row)
