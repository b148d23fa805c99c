"""Bring the mirror to where the SQLite file is: windows of changes, each one transaction.

What is written is decided here; what has changed by ``changes``; how it looks by ``rows``.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from neo4j import ManagedTransaction

from veml_vcs.errors import ConflictError, LockedError
from veml_vcs.lineage.graph import Edge, Node
from veml_vcs.lineage.neo4j.changes import At, Changes, Stage
from veml_vcs.lineage.neo4j.rows import LABELS, TYPES, edge_row, key_of, label_of, node_row, type_of
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.rows import EDGE, NODE, to_edge, to_node
from veml_vcs.objects.lock import FileLock
from veml_vcs.repository.progress import Progress, silent

WINDOW = 2000
"""Rows that one transaction writes."""

_MOVES = 3
"""How often somebody else may write in between; two would send for ever."""

_CONSTRAINTS = (
    "CREATE CONSTRAINT veml_version IF NOT EXISTS "
    "FOR (n:Version) REQUIRE (n.repository, n.id) IS UNIQUE",
    "CREATE CONSTRAINT veml_mirror IF NOT EXISTS FOR (m:VemlMirror) REQUIRE m.repository IS UNIQUE",
)
_MIRROR = "(m:VemlMirror {repository: $repository})"
_FIND = "MATCH (n:Version {repository: $repository, id: row.id})"
_ENDS = (
    "MATCH (s:Version {repository: $repository, id: row.source}) "
    "MATCH (t:Version {repository: $repository, id: row.target})"
)
_ALL_LABELS = ":".join(LABELS.values())
_ALL_TYPES = "|".join(TYPES.values())


@dataclass(frozen=True)
class Sent:
    """What was written into a mirror.

    Attributes:
        nodes: Nodes that were added or changed.
        edges: Edges that were.
        removed: Nodes and edges that went.
        whole: Whether it was compared as a whole.
        complete: Whether it is where the history is now.
    """

    nodes: int = 0
    edges: int = 0
    removed: int = 0
    whole: bool = False
    complete: bool = True


@dataclass(frozen=True)
class Kept:
    """What a server says of a mirror.

    Attributes:
        clone: Who keeps it.
        keeper: The same for people.
        token: Of the last window that it took.
        nodes: How many it has.
        edges: How many it has.
        at: When it took the last window, as the server's clock says.
        whole: False while it is compared as a whole.
    """

    clone: str
    keeper: str
    token: str
    nodes: int
    edges: int
    at: str
    whole: bool


@dataclass(frozen=True)
class _Window:
    """What one transaction writes, and where the mirror is then."""

    then: At
    gone: Sequence[str] = ()
    nodes: Sequence[tuple[Node, str]] = ()
    cut: Sequence[tuple[str, str, str]] = ()
    edges: Sequence[Edge] = ()


class MovedError(Exception):
    """The mirror is not where it was thought to be: another process, or another server."""


class Mirror:
    """The mirror of one SQLite file on one server.

    Args:
        base: The file.
        server: The server.
        window: Rows that one transaction writes.
    """

    def __init__(self, base: Database, server: Server, window: int = WINDOW) -> None:
        self._do = base.connection.execute
        self._base = base
        self._server = server
        self._name = server.place.name
        self._clone = server.place.clone
        self._window = window
        self.changes = Changes(base)

    def claim(self, *, take_over: bool = False) -> None:
        """Make the constraints, and say that this clone keeps the mirror.

        Args:
            take_over: Also where another clone keeps it.

        Raises:
            ConflictError: Another clone does.
        """
        for statement in _CONSTRAINTS:
            self._server.define(statement)

        def write(transaction: ManagedTransaction) -> Any:
            # What is set first holds the lock until the end.
            return transaction.run(
                f"MERGE {_MIRROR} ON CREATE SET m.clone = $clone, m.token = '' "
                "SET m.keeper = CASE WHEN m.clone = $clone OR $over THEN $keeper ELSE m.keeper END,"
                " m.clone = CASE WHEN $over THEN $clone ELSE m.clone END "
                "RETURN m.clone AS clone, m.keeper AS keeper",
                repository=self._name, clone=self._clone, keeper=_keeper(), over=take_over,
            ).single(strict=True)  # fmt: skip

        found = self._server.write(write)
        self._check_keeper(found["clone"], found["keeper"])

    def kept(self) -> Kept | None:
        """Return what the server says of the mirror; None if it has none."""
        found = self._server.read(
            f"MATCH {_MIRROR} "
            "RETURN m.clone AS clone, m.keeper AS keeper, m.token AS token, "
            "toString(m.at) AS at, m.stage = 'log' AS whole, "
            "COUNT { MATCH (:Version {repository: $repository}) } AS nodes, "
            f"COUNT {{ MATCH (:Version {{repository: $repository}})-[:{_ALL_TYPES}]->(t:Version) "
            "WHERE t.repository = $repository } AS edges",
            {"repository": self._name},
        )
        if not found:
            return None
        row = found[0]
        return Kept(
            row["clone"], row["keeper"] or "", row["token"] or "", row["nodes"], row["edges"],
            row["at"] or "", bool(row["whole"]),
        )  # fmt: skip

    def bring_up(
        self, *, whole: bool = False, until: float | None = None, progress: Progress = silent
    ) -> Sent:
        """Send what the mirror lacks.

        Args:
            whole: Compare all of it, whatever is known.
            until: The moment, by ``time.monotonic``, after which no further window is begun.
            progress: Is told how many rows were sent.

        Raises:
            ConflictError: Another clone keeps the mirror.
            LockedError: Another process is sending, and did not end in time.
            VemlError: What ``Server`` raises.
        """
        seconds = 60.0 if until is None else max(until - time.monotonic(), 0)
        lock = self._base.path + ".mirror.lock"
        with FileLock(lock, timeout_seconds=seconds, purpose="send to Neo4j"):
            return self._bring_up(whole, until, progress)

    def _bring_up(self, whole: bool, until: float | None, progress: Progress) -> Sent:
        self.changes.listen()
        at = None if whole else self._where()
        if at is None:
            self.claim()
            at = replace(self.changes.begin(), token=self._token())
        done = Sent(whole=at.stage != "log")
        total, moved = self._count(), 0
        while True:
            window = self._next(at)
            if window is None:
                break
            if until is not None and time.monotonic() >= until:
                return replace(done, complete=False)
            try:
                self._send(at, window)
            except MovedError as error:
                # Somebody else wrote: whatever that was, it is looked at as a whole.
                moved += 1
                if moved > _MOVES:
                    raise LockedError(
                        f"another copy of this repository is sending to {self._name} as well",
                        hint="try again when it is done, or give this one another name: "
                        f"veml lineage connect {self._server.place.url} --as OTHER-NAME",
                    ) from error
                self.claim()
                window = _Window(replace(self.changes.begin(), token=self._token()))
                done = replace(done, whole=True)
            else:
                done = replace(
                    done,
                    nodes=done.nodes + len(window.nodes),
                    edges=done.edges + len(window.edges),
                    removed=done.removed + len(window.gone) + len(window.cut),
                )
            at = window.then
            progress(
                "sending to Neo4j", done.nodes + done.edges, max(total, done.nodes + done.edges)
            )
        self.changes.reached(
            json.dumps({"server": self._server.agent, "at": int(time.time())}, sort_keys=True)
        )
        return done

    def _where(self) -> At | None:
        """Return where the mirror is; None if that is not known."""
        token = self._token()
        at, following = self.changes.at, self.changes.following
        if at is not None and token and at.token == token:
            return at
        if following is not None and token and following.token == token:
            self.changes.settle(following)  # the answer was lost on the way
            return following
        return None

    def _token(self) -> str:
        """Return the token that the server has.

        Raises:
            ConflictError: Another clone keeps the mirror.
        """
        found = self._server.read(
            f"MATCH {_MIRROR} RETURN m.token AS token, m.clone AS clone, m.keeper AS keeper",
            {"repository": self._name},
        )
        if not found:
            return ""
        self._check_keeper(found[0]["clone"], found[0]["keeper"])
        return found[0]["token"] or ""

    def _check_keeper(self, clone: str, keeper: str | None) -> None:
        if clone != self._clone:
            place = self._server.place
            raise ConflictError(
                f"{self._name} at {place.host} is the mirror of another clone "
                f"({keeper or 'of somebody'}), and would lose what that one alone has",
                hint=f"veml lineage connect {place.url} --as OTHER-NAME; or with --take-over, and "
                "that clone is told so",
                kind="other-clone",
            )

    # -- what is sent --------------------------------------------------------------------------

    def _next(self, at: At) -> _Window | None:
        """Return the next window; None if there is nothing more to send."""
        make: Mapping[Stage, Callable[[At], _Window | None]] = {
            "sweep": self._sweep, "nodes": self._all_nodes, "edges": self._all_edges,
            "log": self._log,
        }  # fmt: skip
        # One moment of the file, whoever writes to it meanwhile.
        self._do("BEGIN")
        try:
            window = make[at.stage](at)
        finally:
            self._do("COMMIT")
        if window is None:
            return None
        return replace(window, then=replace(window.then, token=secrets.token_hex(8)))

    def _sweep(self, at: At) -> _Window:
        """What the server has, and SQLite has not."""
        given = {"repository": self._name, "after": at.after, "limit": self._window}
        ids = [
            str(row["id"])
            for row in self._server.read(
                "MATCH (n:Version {repository: $repository}) WHERE n.id > $after "
                "RETURN n.id AS id ORDER BY id LIMIT $limit", given,
            )
        ]  # fmt: skip
        if not ids:
            return _Window(replace(at, stage="nodes", after="0"))
        have = self._ids(ids)
        there = {
            (str(row["source"]), str(row["type"]).lower(), str(row["target"]))
            for row in self._server.read(
                "MATCH (n:Version {repository: $repository}) "
                "WHERE n.id > $after AND n.id <= $last "
                "MATCH (n)-[e]->(t:Version) WHERE type(e) IN $types "
                "RETURN n.id AS source, type(e) AS type, t.id AS target",
                {**given, "last": ids[-1], "types": list(TYPES.values())},
            )
        }
        kept = {
            (key_of(one.source), one.kind, key_of(one.target))
            for one in self._edges("s.id IN (SELECT value FROM json_each(?))", list(have.values()))
        }
        gone = [one for one in ids if one not in have]
        cut = sorted(one for one in there - kept if one[0] in have)
        return _Window(replace(at, after=ids[-1]), gone=gone, cut=cut)

    def _ids(self, keys: Sequence[str]) -> dict[str, str]:
        """Return those of some ids of the mirror that SQLite has -> its own ids."""
        rows = self._do(
            "SELECT id FROM node WHERE id IN (SELECT value FROM json_each(?)) OR length(id) > ?",
            (json.dumps(keys), _SHORT),
        )
        wanted = set(keys)
        return {key_of(row[0]): str(row[0]) for row in rows if key_of(row[0]) in wanted}

    def _all_nodes(self, at: At) -> _Window:
        rows = self._do(
            f"SELECT n.key, {NODE} FROM node n WHERE n.key > ? ORDER BY n.key LIMIT ?",
            (int(at.after), self._window),
        ).fetchall()
        if not rows:
            return _Window(replace(at, stage="edges", after=""))
        return _Window(
            replace(at, after=str(rows[-1][0])), nodes=[(to_node(row[1:]), row[3]) for row in rows]
        )

    def _all_edges(self, at: At) -> _Window:
        source, kind, target = json.loads(at.after) if at.after else (-1, "", -1)
        rows = self._do(
            f"SELECT e.source, e.kind, e.target, {EDGE} FROM (SELECT * FROM edge "
            "WHERE (source, kind, target) > (?, ?, ?) ORDER BY source, kind, target LIMIT ?) e "
            "JOIN node s ON s.key = e.source JOIN node t ON t.key = e.target "
            "ORDER BY e.source, e.kind, e.target",
            (source, kind, target, self._window),
        ).fetchall()
        if not rows:
            return _Window(replace(at, stage="log", after=""))
        after = json.dumps(list(rows[-1][:3]))
        return _Window(replace(at, after=after), edges=[to_edge(row[3:]) for row in rows])

    def _log(self, at: At) -> _Window | None:
        rows = self._do(
            "SELECT number, what, id, kind, target FROM changed WHERE number > ? "
            "ORDER BY number LIMIT ?",
            (at.number, self._window),
        ).fetchall()
        if not rows:
            return None
        touched = {row[2] for row in rows if row[1] in ("node", "gone")}
        went = {row[2] for row in rows if row[1] == "gone"}
        nodes = [
            (to_node(row), row[2])
            for row in self._do(
                f"SELECT {NODE} FROM node n WHERE n.id IN (SELECT value FROM json_each(?)) "
                "ORDER BY n.id",
                (json.dumps(sorted(touched)),),
            )
        ]
        pairs = sorted({(row[2], row[3], row[4]) for row in rows if row[1] == "edge"})
        edges = [
            to_edge(row)
            for row in self._do(
                f"SELECT {EDGE} FROM json_each(?) w "
                "CROSS JOIN node s ON s.id = json_extract(w.value, '$[0]') "
                "CROSS JOIN node t ON t.id = json_extract(w.value, '$[2]') "
                "CROSS JOIN edge e ON e.source = s.key "
                "AND e.kind = json_extract(w.value, '$[1]') AND e.target = t.key",
                (json.dumps(pairs),),
            )
        ]
        have = {(one.source, one.kind, one.target) for one in edges}
        cut = [(key_of(one[0]), one[1], key_of(one[2])) for one in pairs if one not in have]
        gone = sorted(map(key_of, went | (touched - {one.id for one, _ in nodes})))
        return _Window(replace(at, number=int(rows[-1][0])), gone, nodes, cut, edges)

    def _edges(self, where: str, given: Sequence[str]) -> list[Edge]:
        rows = self._do(
            f"SELECT {EDGE} FROM edge e JOIN node s ON s.key = e.source "
            f"JOIN node t ON t.key = e.target WHERE {where}",
            (json.dumps(given),),
        )
        return [to_edge(row) for row in rows]

    def _count(self) -> int:
        at = self.changes.at
        if at is not None and at.stage == "log":
            return self.changes.waiting()
        row = self._do(
            "SELECT (SELECT count(*) FROM node) + (SELECT count(*) FROM edge)"
        ).fetchone()
        return int(row[0])

    # -- how it is sent ------------------------------------------------------------------------

    def _send(self, at: At, window: _Window) -> None:
        """Write a window and where the mirror is then in one transaction.

        Raises:
            MovedError: The mirror is not where it was thought to be.
        """
        self.changes.intend(window.then)

        def write(transaction: ManagedTransaction) -> bool:
            # To set something first locks the node, so that what is read of it then holds.
            found = transaction.run(
                f"MATCH {_MIRROR} SET m.writing = $then WITH m "
                "WHERE m.token = $now AND m.clone = $clone "
                "SET m.token = $then, m.stage = $stage, m.number = $number, m.at = datetime() "
                "REMOVE m.writing RETURN m.token",
                repository=self._name, clone=self._clone, now=at.token, then=window.then.token,
                stage=window.then.stage, number=window.then.number,
            ).single()  # fmt: skip
            if found is None:
                return False
            self._write(transaction, window)
            return True

        if not self._server.write(write):
            self._token()  # refuses another clone's
            raise MovedError
        self.changes.settle(window.then)

    def _write(self, transaction: ManagedTransaction, window: _Window) -> None:
        def run(cypher: str, rows: Iterable[object]) -> None:
            listed = list(rows)
            if listed:
                transaction.run(
                    f"UNWIND $rows AS row {cypher}", rows=listed, repository=self._name
                ).consume()

        run(f"{_FIND} DETACH DELETE n", ({"id": one} for one in window.gone))
        nodes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for node, path in window.nodes:
            nodes[label_of(node.kind)].append(node_row(node, path, self._name))
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

    def remove(self) -> int:
        """Take all of the mirror out of the server; return how many nodes that were."""
        self._token()  # refuses another clone's
        removed = 0
        while True:
            found = self._server.write(
                lambda transaction: transaction.run(
                    "MATCH (n:Version {repository: $repository}) WITH n LIMIT $limit "
                    "DETACH DELETE n RETURN count(*) AS count",
                    repository=self._name, limit=self._window,
                ).single(strict=True)["count"]
            )  # fmt: skip
            if not found:
                break
            removed += found
        self._server.write(
            lambda transaction: transaction.run(
                f"MATCH {_MIRROR} DELETE m", repository=self._name
            ).consume()
        )
        return removed


_SHORT = 200
"""Letters of an id that is surely short enough for an index (4 bytes each at most)."""


def _keeper() -> str:
    """Return who keeps a mirror, for the people who share it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user} on {socket.gethostname()}"
