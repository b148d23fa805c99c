"""The engines of the graph, and plain Python, which answers the same questions in the slow way.

An engine is opened over a graph that was synced into SQLite. All are asked the same in
``test_engines.py``: to add one is to add it to ``ENGINES``, as what makes it of a test's request
(where it gets the fixtures that it needs, or skips).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import pytest

from tests.lineage.kit import everything
from veml_vcs.lineage.conditions import Condition, holds
from veml_vcs.lineage.graph import LINEAGE, VERSIONS, Edge, EdgeKind, Node, VersionKind
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.questions import SqliteLineage
from veml_vcs.lineage.sqlite.rows import path_of
from veml_vcs.lineage.store import Direction, LineageStore, Part, Within


@dataclass(frozen=True)
class Engine:
    """An engine, and how much it is asked.

    Attributes:
        over: Opens it over the graph in a file.
        every: It is asked about one of so many drawn graphs: a question to a server is a round trip
            or several, and a graph hundreds of questions.
        share: Of the pairs of versions, and of commits, that questions are about.
    """

    over: Callable[[Database], AbstractContextManager[LineageStore]]
    every: int = 1
    share: float = 1.0

    def asks(self, seed: int) -> bool:
        """Tell whether it is asked about a drawn graph: by what was drawn, so that it shrinks."""
        return seed % self.every == 0


@contextmanager
def _sqlite(base: Database) -> Iterator[LineageStore]:
    yield SqliteLineage(base.connection)


def _neo4j(request: pytest.FixtureRequest) -> Engine:
    from tests.lineage.neo4j.kit import mirrored
    from veml_vcs.lineage.neo4j.questions import Neo4jLineage

    address = request.getfixturevalue("neo4j_server")

    @contextmanager
    def over(base: Database) -> Iterator[LineageStore]:
        with mirrored(address, base) as mirror:  # in a repository of its own
            mirror.bring_up()
            yield Neo4jLineage(mirror._server)
            mirror.remove()

    return Engine(over, every=4, share=0.15)


ENGINES: dict[str, Callable[[pytest.FixtureRequest], Engine]] = {
    "sqlite": lambda _: Engine(_sqlite), "neo4j": _neo4j,
}  # fmt: skip


class Some(frozenset[str]):
    """Versions that are all known one by one; see ``Within``."""

    def among(self, ids: Collection[str]) -> set[str]:
        return set(self & set(ids))

    def versions(self, limit: int) -> set[str] | None:
        return set(self) if len(self) <= limit else None


class PlainLineage:
    """Answers from a list of nodes and a list of edges; see ``LineageStore``."""

    def __init__(self, base: Database) -> None:
        rows = everything(base)
        self.paths: dict[str, str] = {}
        self.all: dict[str, Node] = {}
        self.edges: list[Edge] = []
        for row in rows:
            if len(row) == 5:
                one, kind, name, props, known = row
                self.paths[str(one)] = str(name)
                if kind in VERSIONS:
                    folder = "" if kind == "data" else f"{kind}s/"
                    name = str(name).removeprefix(folder).removesuffix(".veml")
                self.all[str(one)] = Node(
                    str(one),
                    kind,
                    str(name),
                    json.loads(str(props)),
                    bool(known),  # type: ignore[arg-type]
                )
        for source, kind, target, props in base.connection.execute(
            "SELECT s.id, e.kind, t.id, e.props FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target ORDER BY 1, 2, 3"
        ):
            self.edges.append(Edge(source, kind, target, json.loads(props)))

    def at_once(self) -> AbstractContextManager[None]:
        return nullcontext()

    def node(self, node_id: str) -> Node | None:
        return self.all.get(node_id)

    def nodes(self, ids: Collection[str]) -> dict[str, Node]:
        return {one: self.all[one] for one in sorted(set(ids)) if one in self.all}

    def find(self, prefix: str, limit: int = 20) -> list[Node]:
        found = [one for one in sorted(self.all) if one.startswith(prefix) and ":" not in one]
        return [self.all[one] for one in found[:limit]]

    def edges_of(self, node_id: str, kinds: Sequence[EdgeKind] | None = None) -> list[Edge]:
        found = [
            one for one in self.edges
            if node_id in (one.source, one.target) and (kinds is None or one.kind in kinds)
        ]  # fmt: skip
        return sorted(found, key=lambda one: (one.kind, one.source, one.target))

    def edges_from(
        self, ids: Collection[str], kinds: Sequence[EdgeKind] | None = None
    ) -> list[Edge]:
        return [
            one for one in self.edges
            if one.source in ids and (kinds is None or one.kind in kinds)
        ]  # fmt: skip

    def as_of(self, commits: Iterable[str]) -> Some:
        old = set().union(*(self.far(one, "up", ("parent",)) for one in commits), set())
        return Some(
            one.target for one in self.edges if one.kind == "contains" and one.source in old
        )

    def between(self, old: str, new: str) -> dict[str, list[str]]:
        if any(one not in self.all or self.all[one].kind != "commit" for one in (old, new)):
            return {}
        only = set(self.far(new, "up", ("parent",))) - set(self.far(old, "up", ("parent",)))
        found: dict[str, set[str]] = {}
        for one in self.edges:
            if one.kind == "contains" and one.source in only:
                found.setdefault(one.target, set()).update(one.props["paths"])
        before = self.as_of([old])
        return {one: sorted(found[one]) for one in sorted(found) if one not in before}

    def places(self, version: str) -> dict[str, list[str]]:
        return {
            one.source: one.props["paths"]
            for one in self.edges if one.kind == "contains" and one.target == version
        }  # fmt: skip

    def called(self, kind: VersionKind, name: str) -> set[str]:
        return {
            one.id for one in self.all.values()
            if one.kind == kind and one.known
            and any(path_of(kind, name) in paths for paths in self.places(one.id).values())
        }  # fmt: skip

    def reach(
        self,
        start: str,
        direction: Direction,
        kinds: Sequence[EdgeKind] = LINEAGE,
        *,
        depth: int | None = None,
        within: Within | None = None,
    ) -> Part:
        if start not in self.all:
            return Part()
        steps = self.far(start, direction, kinds, depth, within)
        order = sorted(steps, key=lambda one: (steps[one], one))
        edges = [
            one for one in self.edges
            if one.kind in kinds and one.source in steps and one.target in steps
        ]  # fmt: skip
        return Part({one: self.all[one] for one in order}, tuple(edges),
                    {one: steps[one] for one in order})  # fmt: skip

    def path(self, start: str, end: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Edge] | None:
        if start not in self.all or end not in self.all:
            return None
        far, layer = {end: 0}, {end}
        while layer:
            step = far[min(layer)] + 1
            layer = {other for here in layer for other, _, _ in self.around(here, kinds)} - set(far)
            far |= dict.fromkeys(layer, step)
        if start not in far:
            return None
        edges = []
        while start != end:
            start, _, edge = min(
                (one for one in self.around(start, kinds) if far.get(one[0]) == far[start] - 1),
                key=lambda one: (one[0], one[2].kind, one[1]),
            )
            edges.append(edge)
        return edges

    def ways_up(
        self, start: str, ends: Collection[str], kinds: Sequence[EdgeKind] = LINEAGE
    ) -> dict[str, list[Edge]]:
        steps = self.far(start, "up", kinds) if start in self.all else {}
        found = {}
        for end in (one for one in ends if one in steps):
            here, way = end, []
            while here != start:
                way.insert(0, min(
                    (edge for other, points_here, edge in self.around(here, kinds)
                     if points_here and steps.get(other) == steps[here] - 1),
                    key=lambda one: (one.source, one.kind),
                ))  # fmt: skip
                here = way[0].source
            found[end] = way
        return found

    def common(self, first: str, second: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Node]:
        if first not in self.all or second not in self.all:
            return []
        above = {one: set(self.far(one, "up", kinds)) for one in self.far(first, "up", kinds)}
        both = above[first] & set(self.far(second, "up", kinds))
        return [
            self.all[one] for one in sorted(both)
            if not any(one in above[other] and other not in above[one] for other in both)
        ]  # fmt: skip

    def having(
        self, facts: Collection[str], kind: str, where: Sequence[Condition] = (),
        *, among: Collection[str] | None = None,
    ) -> list[Node]:  # fmt: skip
        has = {(one.source, one.target) for one in self.edges if one.kind == "has"}
        found = [
            one for one in self.all.values()
            if one.kind == kind and one.known and holds(one, where)
            and all((one.id, fact) in has for fact in facts)
            and (among is None or one.id in among)
        ]  # fmt: skip
        return sorted(found, key=lambda one: (self.paths[one.id], one.id))

    def models_trained(self, data: str) -> set[str]:
        trainings = {one.source for one in self.edges if self._trained_on(one, data)}
        return {one.target for one in self.edges if one.kind == "uses" and one.source in trainings}

    def trainings(
        self, facts: Collection[str], data: Collection[str], where: Sequence[Condition] = (),
        *, among: Collection[str] | None = None,
    ) -> list[Node]:  # fmt: skip
        found = {one.id for one in self.all.values() if one.kind == "training" and one.known}
        has = {(one.source, one.target) for one in self.edges if one.kind == "has"}
        for fact in facts:
            found &= {
                one.source for one in self.edges if (one.target, fact) in has
                and (one.kind == "uses" or self._trained_on(one, one.target))
            }  # fmt: skip
        for named in data:
            found &= {one.source for one in self.edges if self._trained_on(one, named)}
        return [one for one in self.having((), "training", where, among=among) if one.id in found]

    def _trained_on(self, edge: Edge, data: str) -> bool:
        of_fact = {
            one.source for one in self.edges
            if one.kind == "has" and one.target == data and self.all[one.source].kind == "data"
        }  # fmt: skip
        return (
            edge.kind == "trained_on" and "train" in edge.props["roles"]
            and edge.target in of_fact | {data}
        )  # fmt: skip

    def listed(self, kind: str) -> list[Node]:
        return self.having((), kind)

    def counts(self, at: str | None = None) -> dict[str, int]:
        there = set(self.all)
        if at is not None:
            there = set(self.far(at, "up", ("parent",))) if at in self.all else set()
            there |= self.as_of([at])
            there |= {o.target for o in self.edges if o.kind == "has" and o.source in there}
        found: dict[str, int] = {}
        for one in there:
            found[self.all[one].kind] = found.get(self.all[one].kind, 0) + 1
        for edge in self.edges:
            if edge.source in there and edge.target in there:
                found[edge.kind] = found.get(edge.kind, 0) + 1
        return dict(sorted(found.items()))

    def far(
        self,
        start: str,
        way: Direction,
        kinds: Sequence[EdgeKind],
        depth: int | None = None,
        within: Within | None = None,
    ) -> dict[str, int]:
        """Return how many steps each node is away."""
        found, layer = {start: 0}, {start}
        while layer and (depth is None or found[min(layer)] < depth):
            step = found[min(layer)] + 1
            ends = [(o.source, o.target) for o in self.edges if o.kind in kinds]
            ends = ends if way == "up" else [(b, a) for a, b in ends]
            layer = {
                b for a, b in ends
                if a in layer and b not in found and (within is None or within.among([b]))
            }  # fmt: skip
            found |= dict.fromkeys(layer, step)
        return found

    def around(self, here: str, kinds: Sequence[EdgeKind]) -> list[tuple[str, bool, Edge]]:
        """List the neighbours: id, whether the edge points here, the edge."""
        found = []
        for one in self.edges:
            if one.kind in kinds:
                found += [(one.target, False, one)] * (one.source == here)
                found += [(one.source, True, one)] * (one.target == here)
        return found
