"""Rows of the tables as nodes and edges: which columns, in which order; values as parameters."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
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

    def at_once(self) -> AbstractContextManager[None]:
        """Answer all that is asked inside from one state of the file."""
        return self._reading()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """See one state of the file, whoever writes meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        self._do("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:  # damage ends it
                self._do("COMMIT")  # type: ignore[unreachable]  # it began meanwhile


def to_node(row: Sequence[Any]) -> Node:
    """Return the node that ``NODE`` selected.

    Raises:
        DamagedRowError: Nothing of ours has written it.
    """
    kind = _known(row[1], _KINDS)
    return Node(row[0], cast(NodeKind, kind), _shown(kind, row[2]), props_of(row[3]), bool(row[4]))


def to_nodes(rows: Iterable[Sequence[Any]]) -> list[Node]:
    """Return the nodes that ``NODE`` selected, of many rows: half of the time of one by one.

    Raises:
        DamagedRowError: Nothing of ours has written one.
    """
    columns = list(zip(*rows, strict=True))
    if not columns:
        return []
    ids, kinds, names, texts, known = columns
    for kind in set(kinds):
        _known(kind, _KINDS)
    with no_garbage():
        told = zip(
            ids, kinds, map(_shown, kinds, names), _all_props(texts), map(bool, known), strict=True
        )
        return list(map(Node._make, told))


def to_edges(rows: Iterable[Sequence[Any]]) -> list[Edge]:
    """Return the edges that ``EDGE`` selected.

    Raises:
        DamagedRowError: Nothing of ours has written one.
    """
    with no_garbage():
        return [to_edge(row) for row in rows]


def to_edge(row: Sequence[Any]) -> Edge:
    """Return the edge that ``EDGE`` selected."""
    if row[1] not in EDGES:
        raise DamagedRowError(f"an edge of kind {row[1]!r}")
    return Edge(row[0], cast(EdgeKind, row[1]), row[2], _props(row[3]) if row[3] != "{}" else {})


def _known(kind: str, kinds: Collection[str]) -> str:
    if kind not in kinds:
        raise DamagedRowError(f"a node of kind {kind!r}")
    return kind


@lru_cache(10_000)  # a name has many versions
def _shown(kind: str, name: str) -> str:
    """Return the name of a node; of a version, the path of its record is kept."""
    return name_at(kind, name) if kind in VERSIONS else name


def name_at(kind: str, path: str) -> str:
    """Return what a version of a kind is called whose record lies at a path; data has no folder."""
    folder = "" if kind == "data" else f"{kind}s/"
    return path.removeprefix(folder).removesuffix(RECORD_SUFFIX)


def path_of(kind: str, name: str) -> str:
    """Return the path at which a commit has a version of a kind that is called so."""
    return ("" if kind == "data" else f"{kind}s/") + name + RECORD_SUFFIX


def _all_props(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Return what nodes say, parsed at once; where that is not as many objects, one by one."""
    try:
        found: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    except ValueError:
        found = []
    if len(found) == len(texts) and set(map(type, found)) == {dict}:
        return found
    return list(map(props_of, texts))


@lru_cache(1000)
def _props(text: str) -> dict[str, Any]:
    """Return what an edge says; many say the same, and nobody changes it."""
    return props_of(text)


def props_of(text: str) -> dict[str, Any]:
    """Return what a node or an edge says.

    Raises:
        DamagedRowError: It is no JSON object.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DamagedRowError(f"no JSON: {text[:40]!r}") from error
    if not isinstance(found, dict):
        raise DamagedRowError(f"no object: {text[:40]!r}")
    return found


def listed(values: Iterable[int] | Iterable[str]) -> str:
    """Return values as a parameter for ``json_each``, each once, in order."""
    return json.dumps(sorted(set(values)))
