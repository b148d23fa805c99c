"""Rows of the tables as nodes and edges: which columns, in which order; values as parameters."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from veml_vcs.lineage.graph import EDGES, FACTS, VERSIONS, Edge, EdgeKind, Node, NodeKind
from veml_vcs.lineage.sqlite.faults import DamagedRowError
from veml_vcs.versions.data import RECORD_SUFFIX

NODE = "n.id, n.kind, n.name, n.props, n.known"
"""Of a table ``node n``."""

EDGE = "s.id, e.kind, t.id, e.props"
"""Of a table ``edge e`` between ``node s`` and ``node t``."""

STANDS = "NOT EXISTS (SELECT 1 FROM skipped s WHERE s.version = b.version AND s.path = b.path)"
"""Of a table ``brought b``: whether its version is sound, and may stand at that path."""

FIRST, SECOND, THIRD = (f"json_extract(value, '$[{number}]')" for number in range(3))
"""Parts of a row of ``json_each``; ``->>`` would want SQLite 3.38, which Ubuntu 22.04 lacks."""

_KINDS = frozenset(("commit", *VERSIONS, *FACTS))


@contextmanager
def no_garbage() -> Iterator[None]:
    """Make many objects without looking for circles among them, of which there are none.

    Python looks whenever some are made, and at all of them again and again: half of the time that
    an answer of 60,000 nodes took, a tenth of what reading all of history takes. References are
    counted all the same, so memory is given back.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Tables:
    """What every group of questions has: a way to ask.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._do = connection.execute


def to_node(row: Sequence[Any]) -> Node:
    """Return the node that ``NODE`` selected."""
    name = row[2]
    if row[1] in VERSIONS:  # what is kept is the path of its record
        name = name.removeprefix(f"{row[1]}s/").removesuffix(RECORD_SUFFIX)
    if row[1] not in _KINDS:
        raise DamagedRowError(f"a node of kind {row[1]!r}")
    return Node(row[0], cast(NodeKind, row[1]), name, _read(row[3]), bool(row[4]))


def to_edge(row: Sequence[Any]) -> Edge:
    """Return the edge that ``EDGE`` selected."""
    if row[1] not in EDGES:
        raise DamagedRowError(f"an edge of kind {row[1]!r}")
    return Edge(row[0], cast(EdgeKind, row[1]), row[2], _props(row[3]) if row[3] != "{}" else {})


@lru_cache(1000)
def _props(text: str) -> dict[str, Any]:
    """Return what an edge says; many say the same, and nobody changes it."""
    return _read(text)


def _read(text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise DamagedRowError(f"no JSON: {text[:40]!r}") from error
    return found


def listed(values: Iterable[int] | Iterable[str]) -> str:
    """Return values as a parameter for ``json_each``, each once, in order."""
    return json.dumps(sorted(set(values)))
