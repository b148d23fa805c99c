"""The questions, asked of SQLite: walks as recursive queries that visit each node once."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from veml_vcs.lineage.graph import LINEAGE, EdgeKind, Node
from veml_vcs.lineage.sqlite.ancestors import Ancestors
from veml_vcs.lineage.sqlite.commits import Commits
from veml_vcs.lineage.sqlite.lists import Lists
from veml_vcs.lineage.sqlite.rows import NODE, no_garbage, to_edge, to_node
from veml_vcs.lineage.sqlite.walks import layers
from veml_vcs.lineage.store import Direction, Part, Within

_SHORT = 1000
"""So many nodes are walked in SQLite; an array of all is read faster than more."""
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
        within: Within | None = None,
    ) -> Part:
        """Return what can be reached from a node, itself included, each node once."""
        with self._reading(), no_garbage():
            first = self._keys((start,)).get(start)
            if first is None:
                return Part()
            if depth is None and within is None:
                found = self._all(first, direction, kinds)
            else:
                found = self._near(first, direction, kinds, depth, within)
            return self._part(first, direction, found, kinds)

    def _near(
        self,
        start: int,
        direction: Direction,
        kinds: Sequence[EdgeKind],
        depth: int | None,
        within: Within | None,
    ) -> set[int]:
        """Walk one query a step."""
        found = {start}
        layer = [start]
        step = 0
        while layer and (depth is None or step < depth):
            step += 1
            new = self._next(layer, direction, kinds)
            if within is not None:
                new = self._inside(new, within)
            layer = [key for key in new if key not in found]
            found.update(layer)
        return found

    def _all(self, start: int, direction: Direction, kinds: Sequence[str]) -> set[int]:
        """Walk in one query; what is much, and can be had as arrays, in these."""
        near, far = _ENDS[direction]
        marks = ", ".join("?" * len(kinds))
        most = _SHORT if set(kinds) == set(LINEAGE) else -1
        # +: a node has few edges; they are read once, not once for each kind.
        rows = self._do(
            f"WITH RECURSIVE walk (key) AS (VALUES (?) UNION SELECT e.{far} FROM walk w "
            f"CROSS JOIN edge e ON e.{near} = w.key AND +e.kind IN ({marks})) "
            "SELECT key FROM walk LIMIT ?",
            (start, *kinds, most),
        ).fetchall()
        if len(rows) == most:
            return set().union(*layers(start, self._adjacency.of(direction, kinds)))
        return {int(row[0]) for row in rows}

    def _next(self, keys: Sequence[int], direction: Direction, kinds: Sequence[str]) -> list[int]:
        near, far = _ENDS[direction]
        rows = self._do(
            f"SELECT DISTINCT e.{far} FROM json_each(?1) k CROSS JOIN edge e ON e.{near} = k.value "
            "WHERE e.kind IN (SELECT value FROM json_each(?2))",
            (json.dumps(list(keys)), json.dumps(list(kinds))),
        )
        return sorted(int(row[0]) for row in rows)

    def _inside(self, keys: Sequence[int], within: Within) -> list[int]:
        rows = self._do(
            "SELECT id, key FROM node WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        ids = {str(one): int(key) for one, key in rows}
        return sorted(ids[one] for one in within.among(ids))

    def _part(
        self, start: int, direction: Direction, keys: Collection[int], kinds: Sequence[str]
    ) -> Part:
        """Return the part of the graph between some nodes, all of which a walk has reached."""
        there = json.dumps(sorted(keys))
        marks = ", ".join("?" * len(kinds))
        nodes: dict[int, Node] = {}
        for key, *row in self._do(
            f"SELECT n.key, {NODE} FROM json_each(?) k CROSS JOIN node n ON n.key = k.value",
            (there,),
        ):
            nodes[key] = to_node(row)
        ids = {key: node.id for key, node in nodes.items()}
        rows: list[tuple[str, str, str, str]] = []
        ends: dict[int, list[int]] = {}
        for source, kind, target, props in self._do(
            "SELECT e.source, e.kind, e.target, e.props FROM json_each(?) k CROSS JOIN edge e "
            f"ON e.source = k.value AND +e.kind IN ({marks})",
            (there, *kinds),
        ):
            if target in ids:
                rows.append((ids[source], kind, ids[target], props))
                near, far = (source, target) if direction == "up" else (target, source)
                ends.setdefault(near, []).append(far)
        rows.sort()
        steps = {start: 0}
        layer = [start]
        while layer:
            found = {far for near in layer for far in ends.get(near, ()) if far not in steps}
            steps |= dict.fromkeys(found, steps[layer[0]] + 1)
            layer = list(found)
        order = sorted((steps[key], node.id, node) for key, node in nodes.items())
        return Part(
            {one: node for _, one, node in order},
            tuple(map(to_edge, rows)),
            {one: step for step, one, _ in order},
        )
