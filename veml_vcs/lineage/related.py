"""What versions have to do with each other: common ancestors, fine-tuning chains, neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.lineage.ask import Lineage, Path, RepositoryLineage, at_once, joined, told_of
from veml_vcs.lineage.graph import Edge, EdgeKind, Node
from veml_vcs.lineage.store import Direction, LineageStore, Part

CHAIN: tuple[EdgeKind, ...] = ("initialised_from", "transferred_from", "rebuilt_from")
"""How one training goes on from another."""

NEAR: tuple[EdgeKind, ...] = ("similar_to", "drifted_from", "transferred_from")
"""What says how far data is from data."""


@dataclass(frozen=True)
class Common:
    """What two versions both come from.

    Attributes:
        first: A version.
        second: Another.
        ancestors: The nearest common ancestors.
        ways: For each, the shortest way up from the first, and from the second.
    """

    first: Node
    second: Node
    ancestors: tuple[Node, ...]
    ways: tuple[tuple[Path, Path], ...]

    @property
    def nodes(self) -> list[Node]:
        """All on the ways, those that were asked about first."""
        every = [self.first, self.second, *self.ancestors]
        every += [one for pair in self.ways for way in pair for one in way.nodes]
        return list({one.id: one for one in every}.values())

    @property
    def edges(self) -> list[Edge]:
        """All on the ways."""
        every = (one for pair in self.ways for way in pair for one in way.edges)
        return list({(one.source, one.kind, one.target): one for one in every}.values())

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "first": self.first.id,
            "second": self.second.id,
            "ancestors": [
                one.as_dict() | {"steps": [len(way.edges) for way in pair]}
                for one, pair in zip(self.ancestors, self.ways, strict=True)
            ],
            "edges": [one.as_dict() for one in self.edges],
        }


@dataclass(frozen=True)
class Neighbour:
    """A version that data was compared with, or that took a lifecycle over from it.

    Attributes:
        node: The other: data; or, of ``transferred_from``, a training.
        direction: ``up`` where the edge points from the data that was asked about to the other.
        edge: It, with its numbers.
        distance: Energy distance; None where it was not measured.
    """

    node: Node
    direction: Direction
    edge: Edge
    distance: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "node": self.node.as_dict(), "kind": self.edge.kind, "direction": self.direction,
            "distance": self.distance, "numbers": dict(self.edge.props),
        }  # fmt: skip


@at_once
def common(asked: RepositoryLineage, first: str, second: str) -> Common:
    """Find the nearest versions that two versions both come from.

    Args:
        asked: The lineage.
        first: See ``RepositoryLineage.version``.
        second: The same.
    """
    one, other = asked.version(first), asked.version(second)
    known = {one.id: one, other.id: other}  # by the names that were asked for
    ancestors = [known.get(node.id, node) for node in asked.store.common(one.id, other.id)]
    sides = [_ways_up(asked.store, start, ancestors) for start in (one, other)]
    return Common(one, other, tuple(ancestors), tuple(zip(*sides, strict=True)))


def _ways_up(store: LineageStore, start: Node, ends: Sequence[Node]) -> list[Path]:
    """Return a shortest way from a version to each of some that it comes from."""
    ways = store.ways_up(start.id, [one.id for one in ends])
    nodes = store.nodes({one.target for way in ways.values() for one in way})
    nodes |= {one.id: one for one in ends}
    return [
        Path((start, *(nodes[edge.target] for edge in ways[end.id])), tuple(ways[end.id]))
        for end in ends
    ]


@at_once
def chain(asked: RepositoryLineage, spec: str) -> Lineage:
    """Return the trainings that one goes on from, to the first, and those that went on from it.

    Args:
        asked: The lineage.
        spec: A training; see ``RepositoryLineage.version``.

    Raises:
        InvalidInputError: It is no training.
    """
    start = asked.version(spec, "training")
    if start.kind != "training":
        raise InvalidInputError(
            f"{spec} is a {start.kind} version, expected a training",
            hint=f"veml lineage show {spec} --up shows which trainings it has to do with",
        )
    both = joined(
        [asked.store.reach(start.id, "up", CHAIN), asked.store.reach(start.id, "down", CHAIN)]
    )
    both = told_of(both, start)
    nodes = {one: node for one, node in both.nodes.items() if node.kind == "training"}
    edges = [one for one in both.edges if one.source in nodes and one.target in nodes]
    return Lineage(
        start, "both", Part(nodes, tuple(edges), {one: both.steps[one] for one in nodes})
    )


@at_once
def neighbours(asked: RepositoryLineage, spec: str) -> tuple[Node, list[Neighbour]]:
    """List what a data version was compared with, nearest first.

    A pair of ``similar_to`` that was asked about from both sides is told once. What was not
    measured comes last.

    Args:
        asked: The lineage.
        spec: A data version; see ``RepositoryLineage.version``.

    Returns:
        The data version, and its neighbours.

    Raises:
        InvalidInputError: It is no data version.
    """
    start = asked.version(spec, "data")
    if start.kind != "data":
        raise InvalidInputError(
            f"{spec} is a {start.kind} version, expected a data version",
            hint=f"veml lineage show {spec}",
        )
    edges = asked.store.edges_of(start.id, NEAR)
    nodes = asked.store.nodes({end for one in edges for end in (one.source, one.target)})
    found: dict[tuple[str, ...], Neighbour] = {}
    for edge in edges:
        direction: Direction = "up" if edge.source == start.id else "down"
        other = edge.target if direction == "up" else edge.source
        key = (edge.kind, other) if edge.kind == "similar_to" else (edge.kind, other, direction)
        if other != start.id and (key not in found or direction == "up"):
            found[key] = Neighbour(nodes[other], direction, edge, _distance(edge))
    return start, sorted(found.values(), key=_nearest)


def _nearest(one: Neighbour) -> tuple[bool, float, str, str, str]:
    far = one.distance is None
    return far, one.distance or 0.0, one.edge.kind, one.node.id, one.direction


def _distance(edge: Edge) -> float | None:
    """Return the energy distance that an edge tells, which has its name from who wrote it."""
    told: Iterable[object] = (edge.props.get("energy"), edge.props.get("distance"))
    numbers = [float(one) for one in told if isinstance(one, int | float)]
    return numbers[0] if numbers else None
