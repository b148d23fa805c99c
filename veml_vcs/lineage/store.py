"""What every engine of the graph can do; the answers are the same on each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from veml_vcs.lineage.graph import LINEAGE, Edge, EdgeKind, Node

Direction = Literal["up", "down"]
"""``up``: to what a version came from; ``down``: to what came from it."""


@dataclass(frozen=True)
class Part:
    """A part of the graph.

    Attributes:
        nodes: By id.
        edges: Between these.
        steps: Id -> how many edges it is from where the walk began.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: tuple[Edge, ...] = ()
    steps: Mapping[str, int] = field(default_factory=dict)


class LineageStore(Protocol):
    """The graph, and the questions that it answers.

    Wherever ``within`` is given, nodes of versions are those alone (see ``as_of``); None is all.
    """

    def node(self, node_id: str) -> Node | None:
        """Return a node, or None."""

    def find(self, prefix: str, limit: int = 20) -> list[Node]:
        """List the commits and versions whose ids begin with some digits, in order of ids."""

    def edges_of(self, node_id: str, kinds: Sequence[EdgeKind] | None = None) -> list[Edge]:
        """List the edges of a node in both directions, in order of kind, source and target."""

    def as_of(self, commits: Iterable[str]) -> set[str]:
        """Return the versions that commits and their ancestors brought."""

    def places(self, version: str) -> dict[str, list[str]]:
        """Return the commits that brought a version -> the paths where they have it."""

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

    def path(self, start: str, end: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Edge] | None:
        """Return a shortest path, along edges in either direction; None if there is none.

        Of several, the one whose nodes come first in order of ids.
        """

    def having(self, facts: Collection[str], kind: str) -> list[Node]:
        """List the nodes of one kind that have all these facts, in order of name and id."""

    def trained_with(self, data: Collection[str]) -> set[str]:
        """Return the models that were trained on (not measured on alone) any of some data."""

    def listed(self, kind: str) -> list[Node]:
        """List the nodes of one kind that are known, in order of name and id."""

    def counts(self) -> dict[str, int]:
        """Return how many nodes and edges there are of each kind."""
