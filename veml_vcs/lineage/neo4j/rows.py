"""Nodes and edges as Neo4j holds them: labels, types and values that it knows.

What a stranger wrote is only ever a value; labels and types come from the kinds of ``graph``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast, get_args

from veml_vcs.errors import DamagedError
from veml_vcs.lineage.graph import EDGES, FACTS, VERSIONS, Edge, EdgeKind, Node, NodeKind, whole
from veml_vcs.lineage.sqlite.values import float_of

LABELS: Mapping[str, str] = {
    kind: kind.capitalize() for kind in ("commit", *VERSIONS, *FACTS)
}  # fmt: skip
TYPES: Mapping[str, str] = {kind: kind.upper() for kind in EDGES}
_KINDS_OF_TYPES: Mapping[str, EdgeKind] = {kind.upper(): kind for kind in EDGES}
_OWN = frozenset(("repository", "id", "long_id", "kind", "name", "path", "known", "props"))
_LONGEST_ID_BYTES = 1000
"""An index of Neo4j's takes 8,000 bytes at most."""
_KEPT_LETTERS = 200
_LARGEST = 2**63


def key_of(node_id: str) -> str:
    """Return the id by which a node is found in the mirror: its own, or a short one for it."""
    data = node_id.encode("utf-8", "replace")
    if len(data) <= _LONGEST_ID_BYTES:
        return data.decode()
    return f"{data.decode()[:_KEPT_LETTERS]}...{hashlib.sha256(data).hexdigest()}"


def label_of(kind: str) -> str:
    """Return the label of a kind of node.

    Raises:
        DamagedError: There is no such kind.
    """
    return _listed(LABELS, kind)


def type_of(kind: str) -> str:
    """Return the type of a kind of edge.

    Raises:
        DamagedError: There is no such kind.
    """
    return _listed(TYPES, kind)


def of_repository(name: str, label: str = "Version") -> str:
    """Return the pattern of all nodes of ``$repository``, in Cypher.

    Without a condition on the id the index of both is of no use: the nodes of all repositories
    that the server has would be looked at.
    """
    labels = "Version" if label == "Version" else f"Version:{label}"
    return f"({name}:{labels} {{repository: $repository}}) WHERE {name}.id > ''"


def node_row(node: Node, path: str, repository: str) -> dict[str, Any]:
    """Return a node as parameters: the id that it is found by, and all its values.

    Args:
        node: The node.
        path: Of its record, where it has one; of others the name.
        repository: What its repository is called in the mirror.
    """
    values = _flat(node.props)
    key = key_of(node.id)
    if key != node.id:
        values["long_id"] = _text(node.id)
    if node.props:
        values["props"] = _json(node.props)
    if path != node.name:
        values["path"] = _text(path)
    values |= {
        "repository": repository, "id": key, "kind": node.kind, "name": _text(node.name),
        "known": node.known,
    }  # fmt: skip
    return {"id": key, "values": values}


def edge_row(edge: Edge) -> dict[str, Any]:
    """Return an edge as parameters: the ids of its ends, and its values."""
    values = _flat(edge.props)
    if edge.props:
        values["props"] = _json(edge.props)
    return {"source": key_of(edge.source), "target": key_of(edge.target), "values": values}


def to_node(values: Mapping[str, Any]) -> Node:
    """Return a node from the values that the mirror has."""
    return Node(
        values.get("long_id", values["id"]),
        cast(NodeKind, values["kind"]),
        values.get("name", ""),
        json.loads(values.get("props", "{}")),
        bool(values.get("known", True)),
    )


def to_edge(source: str, kind: str, target: str, props: str | None) -> Edge:
    """Return an edge from the ids of its ends, its type and its ``props``."""
    return Edge(source, _KINDS_OF_TYPES[kind], target, json.loads(props or "{}"))


def _listed(known: Mapping[str, str], kind: str) -> str:
    if kind not in known:
        raise DamagedError(
            f"the lineage graph has a kind {kind!r} that this veml does not know",
            hint="veml lineage sync --full",
        )
    return known[kind]


def _flat(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that can be asked for: numbers of ``metrics`` one by one, the rest as JSON."""
    found: dict[str, Any] = {}
    for name, value in props.items():
        if name == "metrics" and isinstance(value, Mapping):
            for metric, number in value.items():
                _put(found, f"metric_{metric}", number)
        else:
            _put(found, name, value)
    return found


def _put(found: dict[str, Any], name: str, value: Any) -> None:
    key = whole(name)  # Neo4j takes no NUL there
    if not key or value is None:
        return
    found[f"{key}_" if key in _OWN else key] = _value(value)


def _value(value: Any) -> Any:
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else float_of(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        for kind in (str, bool, int, float):
            taken = [_value(one) for one in value if type(one) is kind]
            if len(taken) == len(value) and all(type(one) is kind for one in taken):
                return taken
    return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _text(text: str) -> str:
    """Return text that can be sent: half of a pair of surrogates cannot."""
    return text.encode("utf-8", "replace").decode()


assert set(LABELS) == {one for part in get_args(NodeKind) for one in (get_args(part) or (part,))}
