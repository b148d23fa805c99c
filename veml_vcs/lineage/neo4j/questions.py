"""The questions, asked of Neo4j: distinct nodes with bounds, never all paths.

``RETURN b, min(length(p))`` over a pattern of any length is planned as a breadth-first search that
prunes: each node is visited once, however many paths lead there. ``b`` has no label in it: where
there are few nodes the planner begins with all that have one, and walks all paths to each. What is
ordered is ordered here, because Neo4j's order of texts is not SQLite's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

from veml_vcs.lineage.circles import first_circles
from veml_vcs.lineage.conditions import Condition, holds
from veml_vcs.lineage.graph import EDGES, LINEAGE, VERSIONS, Edge, EdgeKind, Node, VersionKind
from veml_vcs.lineage.neo4j.rows import (
    LABELS,
    TYPES,
    key_of,
    label_of,
    of_repository,
    to_edge,
    to_node,
)
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.sqlite.rows import path_of
from veml_vcs.lineage.sqlite.values import sent
from veml_vcs.lineage.store import Direction, Part, Within

_ONE = "(a:Version {repository: $repository, id: $id})"
_EDGE = (
    "coalesce(s.long_id, s.id) AS source, type(e) AS type, "
    "coalesce(t.long_id, t.id) AS target, e.props AS props"
)
_TRAINED = (
    "MATCH (d:Version {repository: $repository, id: id}) "
    "MATCH (d)<-[e:TRAINED_ON]-(t) WHERE 'train' IN e.roles"
)
"""Of ``id``, a data version: its trainings ``t``."""


class Past:
    """What commits and their ancestors brought; see ``Within``. They are walked when it is asked.

    Args:
        walk: Returns all of it.
    """

    def __init__(self, walk: Callable[[], set[str]]) -> None:
        self._walk = walk

    def among(self, ids: Collection[str]) -> set[str]:
        """Return those of some versions that are in it."""
        return self._all & set(ids)

    def versions(self, limit: int) -> set[str] | None:
        """Return all of it; None where that is more than a limit."""
        return self._all if len(self._all) <= limit else None

    @cached_property
    def _all(self) -> set[str]:
        return self._walk()


class Neo4jLineage:
    """Answers from a mirror; see ``LineageStore``.

    Args:
        server: It, and the repository's name there.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    def at_once(self) -> AbstractContextManager[None]:
        """Do nothing: each question is a transaction of its own there."""
        return nullcontext()

    def node(self, node_id: str) -> Node | None:
        """Return a node, or None."""
        found = self._ask(f"MATCH {_ONE} RETURN a", id=key_of(node_id))
        return to_node(found[0]["a"]) if found else None

    def nodes(self, ids: Collection[str]) -> dict[str, Node]:
        """Return the nodes of some ids, by id, in order of these; what is not there is left out."""
        found = self._ask(
            "UNWIND $ids AS id MATCH (n:Version {repository: $repository, id: id}) "
            "RETURN DISTINCT n",
            ids=_keys(ids),
        )
        nodes = sorted((to_node(row["n"]) for row in found), key=lambda one: one.id)
        return {one.id: one for one in nodes}

    def find(self, prefix: str, limit: int = 20) -> list[Node]:
        """List the commits and versions whose ids begin with some digits, in order of ids."""
        found = self._ask(
            "MATCH (n:Version {repository: $repository}) WHERE n.id STARTS WITH $prefix "
            "AND n.kind IN $kinds RETURN n ORDER BY n.id LIMIT $limit",
            prefix=prefix, kinds=["commit", *VERSIONS], limit=limit,
        )  # fmt: skip
        return [to_node(row["n"]) for row in found]

    def edges_of(self, node_id: str, kinds: Sequence[EdgeKind] | None = None) -> list[Edge]:
        """List the edges of a node in both directions, in order of kind, source and target."""
        types = _types(TYPES if kinds is None else kinds)
        if not types:
            return []
        found = self._ask(
            f"MATCH {_ONE}-[e:{types}]-() WITH DISTINCT e, startNode(e) AS s, endNode(e) AS t "
            f"RETURN {_EDGE}",
            id=key_of(node_id),
        )
        return sorted(map(_edge, found), key=lambda one: (one.kind, one.source, one.target))

    def edges_from(
        self, ids: Collection[str], kinds: Sequence[EdgeKind] | None = None
    ) -> list[Edge]:
        """List the edges that some nodes are the source of, in order of source, kind and target."""
        types = _types(TYPES if kinds is None else kinds)
        if not types:
            return []
        found = self._ask(
            "UNWIND $ids AS id MATCH (s:Version {repository: $repository, id: id})"
            f"-[e:{types}]->(t:Version) RETURN {_EDGE}",
            ids=_keys(ids),
        )
        return sorted(map(_edge, found), key=lambda one: (one.source, one.kind, one.target))

    def as_of(self, commits: Iterable[str]) -> Past:
        """Return the versions that commits and their ancestors brought."""
        given = list(commits)
        return Past(lambda: self._brought(given))

    def _brought(self, commits: Iterable[str]) -> set[str]:
        found = self._ask(
            "UNWIND $ids AS id MATCH (c:Version:Commit {repository: $repository, id: id}) "
            "MATCH (c)-[:PARENT*0..]->(o) WITH DISTINCT o MATCH (o)-[:CONTAINS]->(v) "
            "RETURN DISTINCT v.id AS id",
            ids=_keys(commits),
        )
        return {row["id"] for row in found}

    def between(self, old: str, new: str) -> dict[str, list[str]]:
        """Return what the history of one commit brought and that of another did not."""
        after, before = self._history(new), self._history(old)
        if not after or not before:
            return {}
        found: dict[str, set[str]] = {}
        for edge in self.edges_from(after - before, ("contains",)):
            found.setdefault(edge.target, set()).update(edge.props["paths"])
        had = self._brought([old])
        return {one: sorted(found[one]) for one in sorted(found) if one not in had}

    def places(self, version: str) -> dict[str, list[str]]:
        """Return the commits that brought a version -> the paths where they have it."""
        found = self._ask(
            f"MATCH {_ONE}<-[e:CONTAINS]-(s) WITH s, e, a AS t RETURN {_EDGE}", id=key_of(version)
        )
        edges = sorted(map(_edge, found), key=lambda one: one.source)
        return {one.source: list(one.props["paths"]) for one in edges}

    def called(self, kind: VersionKind, name: str) -> set[str]:
        """Return the known versions of a kind that some commit has under a name."""
        found = self._ask(
            f"MATCH {of_repository('n', label_of(kind))} AND n.known AND "
            "EXISTS { MATCH (n)<-[e:CONTAINS]-() WHERE $path IN e.paths } "
            "RETURN coalesce(n.long_id, n.id) AS id",
            path=sent(path_of(kind, name)),
        )  # fmt: skip
        return {row["id"] for row in found}

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
        begin = self.node(start)
        if begin is None:
            return Part()
        if within is None:
            found = self._reached(start, direction, kinds, depth)
        else:
            found = self._reached_within(begin, direction, kinds, depth, within)
        found[begin.id] = (begin, 0)  # a circle leads back to it
        order = sorted(found, key=lambda one: (found[one][1], one))
        return Part(
            {one: found[one][0] for one in order},
            tuple(self._between(found, kinds)),
            {one: found[one][1] for one in order},
        )

    def path(self, start: str, end: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Edge] | None:
        """Return a shortest path, along edges in either direction; None if there is none."""
        if start == end or not _types(kinds):
            return [] if start == end and self.node(start) is not None else None
        shortest = self._ask(
            f"MATCH {_ONE} MATCH (b:Version {{repository: $repository, id: $other}}) "
            f"MATCH p = shortestPath((a)-[:{_types(kinds)}*]-(b)) RETURN length(p) AS steps",
            id=key_of(start), other=key_of(end),
        )  # fmt: skip
        if not shortest:
            return None
        steps = int(shortest[0]["steps"])
        far = self._around(end, kinds, steps)
        near = self._around(start, kinds, steps)
        on_the_way = {
            one for one, count in far.items() if count + near.get(one, steps + 1) == steps
        }
        beside: dict[str, list[tuple[str, Edge]]] = {one: [] for one in on_the_way}
        for edge in self._between(on_the_way, kinds):
            for here, there in ((edge.source, edge.target), (edge.target, edge.source)):
                if far[there] == far[here] - 1:
                    beside[here].append((there, edge))
        edges: list[Edge] = []
        here = start
        while here != end:  # of several, the first in order of ids
            here, edge = min(
                beside[here], key=lambda one: (one[0], one[1].kind, one[1].source != here)
            )
            edges.append(edge)
        return edges

    def ways_up(
        self, start: str, ends: Collection[str], kinds: Sequence[EdgeKind] = LINEAGE
    ) -> dict[str, list[Edge]]:
        """Return a shortest way from a version to each of some that it came from, along edges."""
        part = self.reach(start, "up", kinds)
        before: dict[str, list[Edge]] = {}
        for edge in part.edges:
            if part.steps[edge.target] == part.steps[edge.source] + 1:
                before.setdefault(edge.target, []).append(edge)
        found: dict[str, list[Edge]] = {}
        for end in ends:
            if end in part.steps:
                here, way = end, []
                while here != start:  # of several, the first in order of ids
                    way.append(min(before[here], key=lambda one: (one.source, one.kind)))
                    here = way[-1].source
                found[end] = way[::-1]
        return found

    def common(self, first: str, second: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Node]:
        """List the nearest common ancestors of two versions, in order of ids."""
        if len(self.nodes((first, second))) < len({first, second}):
            return []
        ends = [{start, *self._reached(start, "up", kinds, None)} for start in (first, second)]
        both = ends[0] & ends[1]
        after: dict[str, list[str]] = {one: [] for one in both}
        for edge in self._between(both, kinds):
            after[edge.source].append(edge.target)
        nearest = first_circles(both, after)
        return list(self.nodes([one for circle in nearest for one in circle]).values())

    def having(
        self,
        facts: Collection[str],
        kind: str,
        where: Sequence[Condition] = (),
        *,
        among: Collection[str] | None = None,
    ) -> list[Node]:
        """List the known nodes of one kind that have all these facts and fit all conditions."""
        if kind not in LABELS:
            return []
        wanted = _keys(facts)
        found = self._ask(
            f"MATCH {of_repository('n', label_of(kind))} AND n.known AND "
            "($among IS NULL OR n.id IN $among) AND "
            "COUNT { MATCH (n)-[:HAS]->(f) WHERE f.id IN $facts } = $count RETURN n",
            facts=wanted, count=len(wanted), among=None if among is None else _keys(among),
        )  # fmt: skip
        ordered = sorted(
            (row["n"] for row in found), key=lambda one: (one.get("path", one["name"]), one["id"])
        )
        nodes = [to_node(one) for one in ordered]
        return [one for one in nodes if holds(one, where)]

    def models_trained(self, data: str) -> set[str]:
        """Return the models that were trained on (not measured on alone) some data."""
        found = self._ask(
            f"UNWIND $data AS id {_TRAINED} MATCH (t)-[:USES]->(m) "
            "RETURN DISTINCT coalesce(m.long_id, m.id) AS id",
            data=self._data(data),
        )
        return {row["id"] for row in found}

    def trainings(
        self, facts: Collection[str], data: Collection[str], where: Sequence[Condition] = (),
        *, among: Collection[str] | None = None,
    ) -> list[Node]:  # fmt: skip
        """List the trainings whose models and data have all facts, and that saw all data."""
        nodes = self.having((), "training", where, among=among)
        found = {one.id for one in nodes}
        for fact in facts:
            rows = self._ask(
                "MATCH (f:Version {repository: $repository, id: $id})<-[:HAS]-(d) "
                "MATCH (d)<-[e:USES|TRAINED_ON]-(t) WHERE type(e) = 'USES' OR 'train' IN e.roles "
                "RETURN DISTINCT t.id AS id",
                id=key_of(fact),
            )
            found &= {row["id"] for row in rows}
        for one in data:
            rows = self._ask(
                f"UNWIND $data AS id {_TRAINED} RETURN DISTINCT t.id AS id", data=self._data(one)
            )
            found &= {row["id"] for row in rows}
        return [one for one in nodes if one.id in found]

    def _data(self, named: str) -> list[str]:
        """Return the keys of a data version, or of all data that has a fact."""
        return _keys([named, *(one.id for one in self.having([named], "data"))])

    def listed(self, kind: str) -> list[Node]:
        """List the nodes of one kind that are known, in order of the record's path, and id."""
        return self.having((), kind)

    def counts(self, at: str | None = None) -> dict[str, int]:
        """Return how many nodes and edges there are of each kind, in order of kinds."""
        if at is not None:
            return self._counts_at(at)
        found = self._ask(
            f"MATCH {of_repository('n')} RETURN n.kind AS kind, count(*) AS count UNION ALL "
            f"MATCH {of_repository('n')} MATCH (n)-[e]->(:Version) WHERE type(e) IN $types "
            "RETURN toLower(type(e)) AS kind, count(*) AS count",
            types=list(TYPES.values()),
        )
        return {row["kind"]: row["count"] for row in sorted(found, key=lambda row: row["kind"])}

    def _counts_at(self, at: str) -> dict[str, int]:
        commits = self._history(at)
        there = commits | self._brought([at])
        there |= {one.target for one in self.edges_from(there - commits, ("has",))}
        kinds = [one.kind for one in self.nodes(there).values()]
        return dict(
            sorted(Counter([*kinds, *(e.kind for e in self._between(there, EDGES))]).items())
        )

    def _history(self, commit: str) -> set[str]:
        """Return a commit and its ancestors; nothing if it is none."""
        found = self._ask(
            "MATCH (c:Version:Commit {repository: $repository, id: $id}) "
            "MATCH (c)-[:PARENT*0..]->(o) RETURN DISTINCT o.id AS id",
            id=key_of(commit),
        )
        return {row["id"] for row in found}

    def _ask(self, cypher: str, **given: Any) -> list[Mapping[str, Any]]:
        rows = self._server.read(cypher, {"repository": self._server.place.name, **given})
        return [dict(row) for row in rows]

    def _around(self, start: str, kinds: Sequence[EdgeKind], steps: int) -> dict[str, int]:
        """Return the nodes around one, in either direction -> how many steps away."""
        found = self._ask(
            f"MATCH {_ONE} MATCH p = (a)-[:{_types(kinds)}*1..{steps}]-(b) "
            "RETURN coalesce(b.long_id, b.id) AS id, min(length(p)) AS steps",
            id=key_of(start),
        )
        return {row["id"]: int(row["steps"]) for row in found} | {start: 0}

    def _reached(
        self, start: str, direction: Direction, kinds: Sequence[EdgeKind], depth: int | None
    ) -> dict[str, tuple[Node, int]]:
        """Walk in the server: one query."""
        types = _types(kinds)
        if not types or depth == 0:
            return {}
        most = "" if depth is None else depth
        found = self._ask(
            f"MATCH {_ONE} MATCH p = (a){_arrow(direction, f':{types}*1..{most}')}(b) "
            "RETURN b, min(length(p)) AS steps",
            id=key_of(start),
        )
        nodes = [(to_node(row["b"]), int(row["steps"])) for row in found]
        return {one.id: (one, steps) for one, steps in nodes}

    def _reached_within(
        self,
        begin: Node,
        direction: Direction,
        kinds: Sequence[EdgeKind],
        depth: int | None,
        within: Within,
    ) -> dict[str, tuple[Node, int]]:
        """Walk step by step: what is not within leads nowhere."""
        types = _types(kinds)
        found = {begin.id: (begin, 0)}
        layer, step = [begin.id], 0
        while layer and types and (depth is None or step < depth):
            step += 1
            rows = self._ask(
                "UNWIND $ids AS id MATCH (a:Version {repository: $repository, id: id})"
                f"{_arrow(direction, f':{types}')}(b:Version) RETURN DISTINCT b",
                ids=_keys(layer),
            )
            nodes = [to_node(row["b"]) for row in rows]
            there = within.among([one.id for one in nodes])
            new = {one.id: one for one in nodes if one.id in there and one.id not in found}
            found |= {one: (node, step) for one, node in new.items()}
            layer = list(new)
        return found

    def _between(self, ids: Collection[str], kinds: Sequence[EdgeKind]) -> list[Edge]:
        """List the edges between some nodes, in order of source, kind and target."""
        return [one for one in self.edges_from(ids, kinds) if one.target in ids]


def _types(kinds: Iterable[str]) -> str:
    return "|".join(TYPES[one] for one in kinds if one in TYPES)


def _arrow(direction: Direction, inside: str) -> str:
    return f"-[{inside}]->" if direction == "up" else f"<-[{inside}]-"


def _edge(row: Mapping[str, Any]) -> Edge:
    return to_edge(row["source"], row["type"], row["target"], row["props"])


def _keys(ids: Iterable[str]) -> list[str]:
    return sorted({key_of(one) for one in ids})
