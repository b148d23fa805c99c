"""Rows of the tables as nodes and edges: which columns, in which order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from veml_vcs.lineage.graph import VERSIONS, Edge, EdgeKind, Node, NodeKind
from veml_vcs.versions.data import RECORD_SUFFIX

NODE = "n.id, n.kind, n.name, n.props, n.known"
"""Of a table ``node n``."""

EDGE = "s.id, e.kind, t.id, e.props"
"""Of a table ``edge e`` between ``node s`` and ``node t``."""


def to_node(row: Sequence[Any]) -> Node:
    """Return the node that ``NODE`` selected."""
    name = row[2]
    if row[1] in VERSIONS:  # what is kept is the path of its record
        name = name.removeprefix(f"{row[1]}s/").removesuffix(RECORD_SUFFIX)
    return Node(row[0], cast(NodeKind, row[1]), name, json.loads(row[3]), bool(row[4]))


def to_edge(row: Sequence[Any]) -> Edge:
    """Return the edge that ``EDGE`` selected."""
    return Edge(row[0], cast(EdgeKind, row[1]), row[2], json.loads(row[3]))
