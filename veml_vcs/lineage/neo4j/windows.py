"""A window: what one transaction writes into the mirror, and how it is written.

What is in it is decided by ``comparing``, where the mirror is then by ``mirror``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from neo4j import ManagedTransaction

from veml_vcs.lineage.graph import Edge, Node
from veml_vcs.lineage.neo4j.changes import At
from veml_vcs.lineage.neo4j.rows import LABELS, edge_row, label_of, node_row, type_of

_FIND = "MATCH (n:Version {repository: $repository, id: row.id})"
_ENDS = (
    "MATCH (s:Version {repository: $repository, id: row.source}) "
    "MATCH (t:Version {repository: $repository, id: row.target})"
)
_ALL_LABELS = ":".join(LABELS.values())


@dataclass(frozen=True)
class Window:
    """What one transaction writes, and where the mirror is then.

    Attributes:
        then: Where the mirror is when it is written.
        gone: Nodes that go, by the ids that the mirror has, with all that hangs on them.
        nodes: Nodes that are added or changed, each with the path of its record.
        cut: Edges that go: source, kind and target, by the ids that the mirror has.
        edges: Edges that are added or changed.
    """

    then: At
    gone: Sequence[str] = ()
    nodes: Sequence[tuple[Node, str]] = ()
    cut: Sequence[tuple[str, str, str]] = ()
    edges: Sequence[Edge] = ()


def write_window(transaction: ManagedTransaction, window: Window, repository: str) -> None:
    """Write what is in a window: first what goes, then nodes, then edges.

    Args:
        transaction: Writes nothing else of the graph.
        window: The window.
        repository: What the repository is called in the mirror.
    """

    def run(cypher: str, rows: Iterable[object]) -> None:
        listed = list(rows)
        if listed:
            transaction.run(
                f"UNWIND $rows AS row {cypher}", rows=listed, repository=repository
            ).consume()

    run(f"{_FIND} DETACH DELETE n", ({"id": one} for one in window.gone))
    nodes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for node, path in window.nodes:
        nodes[label_of(node.kind)].append(node_row(node, path, repository))
    for label, rows in sorted(nodes.items()):
        run(
            "MERGE (n:Version {repository: $repository, id: row.id}) "
            "SET n = row.values "
            f"REMOVE n:{_ALL_LABELS} SET n:{label}",
            rows,
        )
    cut: dict[str, list[dict[str, str]]] = defaultdict(list)
    for source, kind, target in window.cut:
        cut[type_of(kind)].append({"source": source, "target": target})
    for kind, ends in sorted(cut.items()):
        run(f"{_ENDS} MATCH (s)-[e:{kind}]->(t) DELETE e", ends)
    edges: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for edge in window.edges:
        edges[type_of(edge.kind)].append(edge_row(edge))
    for kind, rows in sorted(edges.items()):
        run(f"{_ENDS} MERGE (s)-[e:{kind}]->(t) SET e = row.values", rows)
