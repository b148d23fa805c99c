"""What the graph is made of: nodes and edges of a few fixed kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

VersionKind = Literal["data", "model", "training", "inference"]
FactKind = Literal[
    "architecture", "backbone", "neck", "head", "loss", "optimiser", "schedule", "transform",
    "class",
]  # fmt: skip
NodeKind = Literal["commit"] | VersionKind | FactKind
EdgeKind = Literal[
    "parent", "contains", "has", "revision_of", "derived_from", "trained_on", "uses",
    "initialised_from", "deployed_from", "measured_on", "drifted_from", "similar_to",
    "transferred_from", "rebuilt_from",
]  # fmt: skip

VERSIONS: tuple[VersionKind, ...] = get_args(VersionKind)
FACTS: tuple[FactKind, ...] = get_args(FactKind)
EDGES: tuple[EdgeKind, ...] = get_args(EdgeKind)

LINEAGE: tuple[EdgeKind, ...] = (
    "revision_of", "derived_from", "trained_on", "uses", "initialised_from", "deployed_from",
    "measured_on", "transferred_from", "rebuilt_from",
)  # fmt: skip
"""What leads from a version to what it came from."""

IMPACT: tuple[EdgeKind, ...] = (
    "derived_from", "trained_on", "initialised_from", "deployed_from", "transferred_from",
    "rebuilt_from",
)  # fmt: skip
"""What carries a fault on: a revision may be its repair, and a model is the same on other data."""


_NOTHING: Mapping[str, Any] = {}
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class Node(NamedTuple):
    """A commit, a version or a fact.

    Attributes:
        id: Git's id, the version id, or ``KIND:NAME`` of a fact.
        kind: What it is.
        name: For people: a data set's folder, a model's name, a commit's subject.
        props: Flat JSON values.
        known: False for a version that a record names, and that no commit here has.
    """

    id: str
    kind: NodeKind
    name: str = ""
    props: Mapping[str, Any] = _NOTHING
    known: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the node as JSON values."""
        found = {"id": self.id, "kind": self.kind, "name": self.name, "props": dict(self.props)}
        return found if self.known else found | {"known": False}


class Edge(NamedTuple):
    """What one node has to do with another, from the newer to the older.

    Attributes:
        source: Id of a node.
        kind: What.
        target: Id of a node.
        props: Flat JSON values.
    """

    source: str
    kind: EdgeKind
    target: str
    props: Mapping[str, Any] = _NOTHING

    def as_dict(self) -> dict[str, Any]:
        """Return the edge as JSON values."""
        found: dict[str, Any] = {"source": self.source, "kind": self.kind, "target": self.target}
        return found | {"props": dict(self.props)} if self.props else found


@lru_cache(10_000)
def normal(name: str) -> str:
    """Return a name in the form by which facts are told apart: ``ResNet-50`` is ``resnet50``."""
    return "".join(char for char in name.lower() if char.isalnum()) or whole(name)


def whole(name: str) -> str:
    """Return a name as text: without NUL, where SQLite's JSON ends one, and half of a pair."""
    return _NO_TEXT.sub("\ufffd", name)
