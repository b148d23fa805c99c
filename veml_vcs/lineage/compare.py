"""Two versions side by side: which metadata they share and where they part (paper, figure 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.lineage.ask import RepositoryLineage, at_once
from veml_vcs.lineage.graph import FACTS, Edge, EdgeKind, Node

_MADE_OF: Mapping[EdgeKind, str] = {
    "trained_on": "data", "measured_on": "measured on", "uses": "model",
    "deployed_from": "training", "derived_from": "derived from",
    "initialised_from": "initialised from", "transferred_from": "transferred from",
    "rebuilt_from": "rebuilt from",
}  # fmt: skip
_ORDER = (*FACTS, *_MADE_OF.values(), "validated on")
_UNTOLD = ("tree", "metrics")
_TAKEN = frozenset((*_ORDER, *_UNTOLD))


@dataclass(frozen=True)
class Row:
    """What two versions say under one name.

    Attributes:
        name: A kind of fact, a property, or what they were made of.
        shared: What both say, in order.
        first: What the first alone says.
        second: What the second alone says.
    """

    name: str
    shared: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    second: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """Two versions side by side.

    Attributes:
        first: A version.
        second: Another, of the same kind.
        rows: Facts first, then what they were made of, then properties and metrics.
        nodes: The two, and what they have or were made of.
        edges: From the two.
    """

    first: Node
    second: Node
    rows: tuple[Row, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def same(self) -> bool:
        """Whether nothing tells them apart."""
        return not any(one.first or one.second for one in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "first": self.first.as_dict(),
            "second": self.second.as_dict(),
            "rows": [
                {"name": one.name, "shared": list(one.shared), "first": list(one.first),
                 "second": list(one.second)}
                for one in self.rows
            ],
        }  # fmt: skip


@at_once
def compare(asked: RepositoryLineage, first: str, second: str) -> Compared:
    """Put two versions of a kind side by side.

    Models by their metadata; trainings by their data, their model and its metadata, what they began
    with, their settings and metrics; data by classes and size; inference versions by training,
    format and what was measured.

    Args:
        asked: The lineage.
        first: See ``RepositoryLineage.version``; of several kinds with that name, a training.
        second: The same.

    Raises:
        InvalidInputError: They are of different kinds.
    """
    one, other = asked.version(first, "training"), asked.version(second, "training")
    if one.kind != other.kind:
        raise InvalidInputError(
            f"{first} is a {one.kind} version and {second} a {other.kind} version, "
            "expected two of a kind",
            hint=f"veml lineage path {first} {second}",
        )
    edges = asked.store.edges_from({one.id, other.id}, ("has", *_MADE_OF))
    models = {edge.target for edge in edges if edge.kind == "uses"}
    inherited = asked.store.edges_from(models, ("has",)) if models else []
    nodes = asked.store.nodes({one.id, other.id, *(edge.target for edge in (*edges, *inherited))})
    told = [_told(node, [*edges, *inherited], nodes) for node in (one, other)]
    rows = [_row(name, told[0].get(name, {}), told[1].get(name, {})) for name in _names(*told)]
    return Compared(
        one, other, tuple(rows),
        (one, other, *(node for node in nodes.values() if node.id not in (one.id, other.id))),
        (*edges, *inherited),
    )  # fmt: skip


_Told = dict[str, dict[str, str]]
"""Name -> what makes two the same -> how it is shown."""


def _told(node: Node, edges: list[Edge], nodes: Mapping[str, Node]) -> _Told:
    found: _Told = {}
    sources = {node.id}
    sources |= {edge.target for edge in edges if edge.source == node.id and edge.kind == "uses"}
    for edge in edges:
        end = nodes[edge.target]
        if edge.kind == "has" and edge.source in sources:
            found.setdefault(end.kind, {})[end.id] = end.name
        elif edge.kind != "has" and edge.source == node.id:
            for name in _made_of(edge):
                found.setdefault(name, {})[end.id] = f"{end.name or '?'} {end.id[:10]}"
    own = dict(node.props)
    for model in (nodes[one] for one in sorted(sources - {node.id})):
        own = {**model.props, **own}
    metrics = own.get("metrics")
    values = [one for one in own.items() if one[0] not in _UNTOLD and one[0] not in FACTS]
    for name, value in metrics.items() if isinstance(metrics, Mapping) else ():
        # A metric may be called loss, and is none of the losses that a model has.
        values.append((f"metric {name}" if name in _TAKEN else name, value))
    for name, value in values:
        shown = f"{value:.6g}" if isinstance(value, float) else str(value)
        found.setdefault(name, {})[shown] = shown
    return found


def _made_of(edge: Edge) -> Iterator[str]:
    """Yield under which names an edge is told."""
    roles = edge.props.get("roles") if edge.kind == "trained_on" else None
    if isinstance(roles, list) and "val" in roles:
        yield "validated on"
        if "train" not in roles:
            return
    yield _MADE_OF[edge.kind]


def _names(first: _Told, second: _Told) -> list[str]:
    every = {*first, *second}
    return [one for one in _ORDER if one in every] + sorted(every - {*_ORDER})


def _row(name: str, first: Mapping[str, str], second: Mapping[str, str]) -> Row:
    def shown(said: Mapping[str, str], of: set[str]) -> tuple[str, ...]:
        return tuple(sorted(said[one] for one in of))

    return Row(
        name,
        shown(first, first.keys() & second.keys()),
        shown(first, first.keys() - second.keys()),
        shown(second, second.keys() - first.keys()),
    )
