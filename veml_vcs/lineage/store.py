"""What every engine of the graph can do; the answers are the same on each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from veml_vcs.lineage.conditions import Condition
from veml_vcs.lineage.graph import LINEAGE, Edge, EdgeKind, Node, VersionKind

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


class Within(Protocol):
    """Some of the versions; they need not be known one by one to be asked for."""

    def among(self, ids: Collection[str]) -> set[str]:
        """Return those of some versions that are in it."""

    def versions(self, limit: int) -> set[str] | None:
        """Return all of it; None where that is more than a limit, or may be."""


class LineageStore(Protocol):
    """The graph, and the questions that it answers.

    Wherever ``within`` is given, nodes of versions are those alone (see ``as_of``); None is all.
    """

    def at_once(self) -> AbstractContextManager[None]:
        """Answer all that is asked inside from one state of the graph, if the engine can."""

    def node(self, node_id: str) -> Node | None:
        """Return a node, or None."""

    def nodes(self, ids: Collection[str]) -> dict[str, Node]:
        """Return the nodes of some ids, by id, in order of these; what is not there is left out."""

    def find(self, prefix: str, limit: int = 20) -> list[Node]:
        """List the commits and versions whose ids begin with some digits, in order of ids."""

    def edges_of(self, node_id: str, kinds: Sequence[EdgeKind] | None = None) -> list[Edge]:
        """List the edges of a node in both directions, in order of kind, source and target."""

    def edges_from(
        self, ids: Collection[str], kinds: Sequence[EdgeKind] | None = None
    ) -> list[Edge]:
        """List the edges that some nodes are the source of, in order of source, kind and target."""

    def as_of(self, commits: Iterable[str]) -> Within:
        """Return the versions that commits and their ancestors brought.

        It is good for as long as the graph is not changed.
        """

    def between(self, old: str, new: str) -> dict[str, list[str]]:
        """Return what the history of one commit brought and that of another did not.

        Args:
            old: A commit.
            new: A commit; it need not come after the other.

        Returns:
            Version -> the paths where these commits brought it, both in order. Nothing of a commit
            that is not in the graph.
        """

    def places(self, version: str) -> dict[str, list[str]]:
        """Return the commits that brought a version -> the paths where they have it."""

    def called(self, kind: VersionKind, name: str) -> set[str]:
        """Return the known versions of a kind that some commit has under a name.

        A node has one name, the first in order of all that history gave it.
        """

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

    def path(self, start: str, end: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Edge] | None:
        """Return a shortest path, along edges in either direction; None if there is none.

        Of several, the one whose nodes come first in order of ids.
        """

    def ways_up(
        self, start: str, ends: Collection[str], kinds: Sequence[EdgeKind] = LINEAGE
    ) -> dict[str, list[Edge]]:
        """Return a shortest way from a version to each of some that it came from, along edges.

        Of several, the one whose nodes come first in order of ids, from where it ends; the others
        of ``ends`` are left out.
        """

    def common(self, first: str, second: str, kinds: Sequence[EdgeKind] = LINEAGE) -> list[Node]:
        """List the nearest common ancestors of two versions, in order of ids.

        A version is an ancestor of itself. Left out is each that another common ancestor comes
        from, unless these come from each other (as ``git merge-base --all``, and circles).
        """

    def having(
        self,
        facts: Collection[str],
        kind: str,
        where: Sequence[Condition] = (),
        *,
        among: Collection[str] | None = None,
    ) -> list[Node]:
        """List the nodes of one kind that are known, have all these facts and fit all conditions.

        In order of the record's path, and id; of some ids alone, where these are given.
        """

    def models_trained(self, data: str) -> set[str]:
        """Return the models that were trained on (not measured on alone) some data.

        Args:
            data: A data version; or a fact, for any data that has it.
        """

    def trainings(
        self,
        facts: Collection[str],
        data: Collection[str],
        where: Sequence[Condition] = (),
        *,
        among: Collection[str] | None = None,
    ) -> list[Node]:
        """List the known trainings that were made of all of these, in order as of ``having``.

        Args:
            facts: Each is one of the training's model, or of data that it was trained on.
            data: It was trained on (not measured on alone) each; as of ``models_trained``.
            where: Conditions that it fits.
            among: Of some ids alone.
        """

    def listed(self, kind: str) -> list[Node]:
        """List the nodes of one kind that are known, in order of the record's path, and id."""

    def counts(self, at: str | None = None) -> dict[str, int]:
        """Return how many nodes and edges there are of each kind, in order of kinds.

        Args:
            at: As of a commit: it and its ancestors, the versions they brought, the facts of these,
                and the edges whose ends are both among them. None is all there is.
        """
