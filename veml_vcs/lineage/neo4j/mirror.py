"""Bring the mirror to where the SQLite file is: window by window, each one transaction.

Who keeps the mirror, and how far it is, is decided here; what a window has in it by ``comparing``,
how it is written by ``windows``.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
from dataclasses import dataclass, replace
from typing import Any

from neo4j import ManagedTransaction

from veml_vcs.errors import ConflictError, LockedError
from veml_vcs.lineage.neo4j.changes import At, Changes
from veml_vcs.lineage.neo4j.comparing import Comparison
from veml_vcs.lineage.neo4j.rows import TYPES, of_repository
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.neo4j.windows import Window, write_window
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.objects.lock import FileLock
from veml_vcs.repository.progress import Progress, silent

WINDOW = 2000
"""Rows that one transaction writes."""

_REMOVED = 200
"""Nodes that go in one transaction, where nobody knows how much they say."""

_MOVES = 3
"""How often somebody else may write in between; two would send for ever."""

_CONSTRAINTS = (
    "CREATE CONSTRAINT veml_version IF NOT EXISTS "
    "FOR (n:Version) REQUIRE (n.repository, n.id) IS UNIQUE",
    "CREATE CONSTRAINT veml_mirror IF NOT EXISTS FOR (m:VemlMirror) REQUIRE m.repository IS UNIQUE",
)
_MIRROR = "(m:VemlMirror {repository: $repository})"
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
        self._compared = Comparison(base, server, window)
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
            f"COUNT {{ MATCH {of_repository('n')} }} AS nodes, "
            f"COUNT {{ MATCH {of_repository('n')} MATCH (n)-[:{_ALL_TYPES}]->(t:Version) "
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
            window = self._compared.next(at)
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
                window = Window(replace(self.changes.begin(), token=self._token()))
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

    def _count(self) -> int:
        at = self.changes.at
        if at is not None and at.stage == "log":
            return self.changes.waiting()
        row = self._do(
            "SELECT (SELECT count(*) FROM node) + (SELECT count(*) FROM edge)"
        ).fetchone()
        return int(row[0])

    def _send(self, at: At, window: Window) -> None:
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
            write_window(transaction, window, self._name)
            return True

        if not self._server.write(write):
            self._token()  # refuses another clone's
            raise MovedError
        self.changes.settle(window.then)

    def remove(self) -> int:
        """Take all of the mirror out of the server; return how many nodes that were."""
        self._token()  # refuses another clone's
        removed = 0
        while True:
            found = self._server.write(
                lambda transaction: transaction.run(
                    f"MATCH {of_repository('n')} WITH n LIMIT $limit "
                    "DETACH DELETE n RETURN count(*) AS count",
                    repository=self._name, limit=min(self._window, _REMOVED),
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


def _keeper() -> str:
    """Return who keeps a mirror, for the people who share it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user} on {socket.gethostname()}"
