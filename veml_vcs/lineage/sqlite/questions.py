"""The questions, asked of SQLite: walks as recursive queries that visit each node once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence

from veml_vcs.lineage.graph import LINEAGE, Edge, EdgeKind, Node
from veml_vcs.lineage.sqlite.rows import NODE as _NODE
from veml_vcs.lineage.sqlite.rows import to_edge as _edge
from veml_vcs.lineage.sqlite.rows import to_node as _node
from veml_vcs.lineage.store import Direction, Part

_ENDS: dict[Direction, tuple[str, str]] = {"up": ("source", "target"), "down": ("target", "source")}


class SqliteLineage:
    """Answers from the tables; see ``LineageStore``.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._do = connection.execute

    def node(self, node_id: str) -> Node | None:
        """Return a node, or None."""
        row = self._do(f"SELECT {_NODE} FROM node n WHERE n.id = ?", (node_id,)).fetchone()
        return None if row is None else _node(row)

    def find(self, prefix: str, limit: int = 20) -> list[Node]:
        """List the commits and versions whose ids begin with some digits."""
        rows = self._do(
            f"SELECT {_NODE} FROM node n WHERE n.id >= ? AND n.id < ? "
            "AND n.id NOT LIKE '%:%' ORDER BY n.id LIMIT ?",
            (prefix, prefix + "g", limit),
        )
        return [_node(row) for row in rows]

    def edges_of(self, node_id: str, kinds: Sequence[EdgeKind] | None = None) -> list[Edge]:
        """List the edges of a node in both directions."""
        rows = self._do(
            "SELECT s.id, e.kind, t.id, e.props FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target WHERE s.id = ?1 UNION "
            "SELECT s.id, e.kind, t.id, e.props FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target WHERE t.id = ?1 ORDER BY 2, 1, 3",
            (node_id,),
        )
        return [_edge(row) for row in rows if kinds is None or row[1] in kinds]

    def as_of(self, commits: Iterable[str]) -> set[str]:
        """Return the versions that commits and their ancestors brought."""
        rows = self._do(
            "WITH RECURSIVE old (key) AS (SELECT key FROM node WHERE kind = 'commit' AND id IN "
            "(SELECT value FROM json_each(?)) UNION SELECT e.target FROM old JOIN edge e "
            "ON e.source = old.key AND e.kind = 'parent') "
            "SELECT DISTINCT b.version FROM old JOIN brought b ON b.commit_key = old.key",
            (json.dumps(list(commits)),),
        )
        return {row[0] for row in rows}

    def places(self, version: str) -> dict[str, list[str]]:
        """Return the commits that brought a version -> the paths where they have it."""
        found: dict[str, list[str]] = {}
        for commit, path in self._do(
            "SELECT n.id, b.path FROM brought b JOIN node n ON n.key = b.commit_key "
            "WHERE b.version = ? ORDER BY n.id, b.path",
            (version,),
        ):
            found.setdefault(commit, []).append(path)
        return found

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

    def having(self, facts: Collection[str], kind: str) -> list[Node]:
        """List the nodes of one kind that have all these facts."""
        wanted = sorted(set(facts))
        rows = self._do(
            f"SELECT {_NODE} FROM node n WHERE n.kind = ? AND n.known AND ("
            "SELECT count(DISTINCT f.id) FROM edge e JOIN node f ON f.key = e.target "
            "WHERE e.source = n.key AND e.kind = 'has' AND f.id IN (SELECT value FROM json_each(?))"
            ") = ? ORDER BY n.name, n.id",
            (kind, json.dumps(wanted), len(wanted)),
        )
        return [_node(row) for row in rows]

    def trained_with(self, data: Collection[str]) -> set[str]:
        """Return the models that were trained on (not measured on alone) any of some data."""
        rows = self._do(
            "SELECT DISTINCT m.id FROM json_each(?) d CROSS JOIN node n ON n.id = d.value "
            "CROSS JOIN edge t ON t.target = n.key AND t.kind = 'trained_on' "
            "AND EXISTS (SELECT 1 FROM json_each(t.props, '$.roles') WHERE value = 'train') "
            "CROSS JOIN edge u ON u.source = t.source AND u.kind = 'uses' "
            "CROSS JOIN node m ON m.key = u.target",
            (json.dumps(list(data)),),
        )
        return {row[0] for row in rows}

    def listed(self, kind: str) -> list[Node]:
        """List the nodes of one kind that are known."""
        rows = self._do(
            f"SELECT {_NODE} FROM node n WHERE n.kind = ? AND n.known ORDER BY n.name, n.id",
            (kind,),
        )
        return [_node(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return how many nodes and edges there are of each kind."""
        rows = self._do(
            "SELECT kind, count(*) FROM node GROUP BY kind UNION ALL "
            "SELECT kind, count(*) FROM edge GROUP BY kind ORDER BY 1"
        )
        return {row[0]: row[1] for row in rows}

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
            f"SELECT n.key, {_NODE} FROM node n WHERE n.key IN (SELECT value FROM json_each(?))",
            (keys,),
        ):
            nodes[row[0]] = _node(row)
            said[row[0]] = steps[key]
        edges = self._do(
            "SELECT s.id, e.kind, t.id, e.props FROM json_each(?1) k "
            "CROSS JOIN edge e ON e.source = k.value "
            "CROSS JOIN node s ON s.key = e.source CROSS JOIN node t ON t.key = e.target "
            "WHERE +e.target IN (SELECT value FROM json_each(?1)) "
            "AND e.kind IN (SELECT value FROM json_each(?2)) ORDER BY s.id, e.kind, t.id",
            (keys, json.dumps(list(kinds))),
        )
        order = sorted(nodes, key=lambda one: (said[one], one))
        return Part(
            {one: nodes[one] for one in order},
            tuple(_edge(row) for row in edges),
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
                    yield one, _edge(row)
