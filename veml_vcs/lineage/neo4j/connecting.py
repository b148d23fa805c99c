"""Connect a repository to a mirror, leave it, bring it up to date, and tell how it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import InvalidInputError, NotFoundError, VemlError
from veml_vcs.lineage.neo4j.answers import Answer, parameters, plain
from veml_vcs.lineage.neo4j.changes import Changes
from veml_vcs.lineage.neo4j.mirror import Mirror, Sent
from veml_vcs.lineage.neo4j.place import (
    Place,
    login,
    place_of,
    remove_place,
    tell_helper,
    write_place,
)
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.neo4j.silence import Silence, forget_silence, silence_of
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository


@dataclass(frozen=True)
class Connected:
    """A repository that is mirrored from now on.

    Attributes:
        url: Of the server.
        database: Of the server.
        name: What the repository is called there.
        server: What the server is: ``Neo4j/5.26.0``.
        sent: What was written.
    """

    url: str
    database: str
    name: str
    server: str
    sent: Sent


@dataclass(frozen=True)
class MirrorStatus:
    """How a mirror stands.

    Attributes:
        url: Of the server.
        database: Of the server.
        name: What the repository is called there.
        server: What the server is; None if it cannot be reached.
        problem: Why it cannot be reached, or used.
        nodes: How many nodes it has; None if that is not known.
        edges: How many edges it has.
        waiting: Changes that it lacks; None if it has to be compared as a whole.
        taken_at: When it took the last of what it has, by the server's clock.
        reached_at: When it was last brought up to date from here, in seconds since 1970.
        silence: What commands remember of a server that did not answer them.
    """

    url: str
    database: str
    name: str
    server: str | None = None
    problem: str | None = None
    nodes: int | None = None
    edges: int | None = None
    waiting: int | None = None
    taken_at: str | None = None
    reached_at: int | None = None
    silence: Silence | None = None


@contextmanager
def up_to_date(repo: Repository, progress: Progress = silent) -> Iterator[Database]:
    """Open the graph of a repository, with what is new in its history."""
    with database(repo) as base:
        sync(repo, base, progress=progress)
        yield base


def required(repo: Repository) -> Place:
    """Return where a repository is mirrored.

    Raises:
        NotFoundError: It is not.
    """
    place = place_of(repo)
    if place is None:
        raise NotFoundError(
            "this repository has no mirror in Neo4j", hint="veml lineage connect neo4j://HOST"
        )
    return place


def reach(
    repo: Repository,
    place: Place,
    environment: Mapping[str, str],
    *,
    ask: bool = False,
    seconds: float | None = None,
) -> Server:
    """Open the connection to a server; one that answers is known to be silent no more.

    Args:
        repo: Its settings name Git's credential helper.
        place: The server.
        environment: See ``login``.
        ask: Let git ask for user and password on the terminal, if they are needed.
        seconds: How long to wait for a server; None is as ``Server`` does.

    Raises:
        VemlError: What ``Server`` raises.
    """
    patience = {} if seconds is None else {"seconds": seconds}
    who = login(repo, place, environment)
    try:
        server = Server(place, who, **patience)
        forget_silence(repo)
    except InvalidInputError as error:
        forget_silence(repo)
        if error.kind != "wrong-password":
            raise
        if who is not None:
            tell_helper(repo, place, who, right=False)
        if not ask:
            raise
        who = login(repo, place, environment, ask=True)
        if who is None or not who.from_helper:
            raise
        server = Server(place, who, **patience)
    if who is not None:
        tell_helper(repo, place, who, right=True)
    return server


def connect(
    repo: Repository,
    base: Database,
    place: Place,
    environment: Mapping[str, str],
    *,
    take_over: bool = False,
    ask: bool = False,
    progress: Progress = silent,
) -> Connected:
    """Mirror a repository from now on, and send all that there is.

    Args:
        repo: The repository.
        base: Its graph, up to date.
        place: Where to.
        environment: See ``login``.
        take_over: Also where another clone keeps that mirror.
        ask: Let git ask for user and password on the terminal.
        progress: Is told how many rows were sent.

    Raises:
        ConflictError: Another clone keeps that mirror.
        VemlError: What ``Server`` raises.
    """
    with reach(repo, place, environment, ask=ask) as server:
        mirror = Mirror(base, server)
        mirror.claim(take_over=take_over)
        if place != place_of(repo):
            mirror.changes.forget()
            write_place(repo, place)
        sent = mirror.bring_up(progress=progress)
        return Connected(place.url, place.database, place.name, server.agent, sent)


def disconnect(
    repo: Repository, base: Database, environment: Mapping[str, str], *, delete: bool = False
) -> int:
    """Mirror a repository no more.

    Args:
        repo: The repository.
        base: Its graph.
        environment: See ``login``.
        delete: Take what is mirrored out of the server as well.

    Returns:
        How many nodes were taken out.

    Raises:
        NotFoundError: It is not mirrored.
        VemlError: What ``Server`` raises, if something is to be taken out.
    """
    place = required(repo)
    removed = 0
    if delete:
        with reach(repo, place, environment) as server:
            removed = Mirror(base, server).remove()
    remove_place(repo)
    forget_silence(repo)
    Changes(base).forget()
    return removed


def bring_up(
    repo: Repository,
    base: Database,
    environment: Mapping[str, str],
    *,
    whole: bool = False,
    ask: bool = False,
    progress: Progress = silent,
) -> Sent | None:
    """Bring the mirror of a repository to where its graph is; None if it has no mirror.

    A mirror whose number of nodes or edges is not that of the graph is compared as a whole:
    somebody changed it by hand.

    Raises:
        VemlError: What ``Server`` and ``Mirror`` raise.
    """
    place = place_of(repo)
    if place is None:
        return None
    with reach(repo, place, environment, ask=ask) as server:
        mirror = Mirror(base, server)
        sent = mirror.bring_up(whole=whole, progress=progress)
        kept = mirror.kept()
        if not sent.whole and (kept is None or (kept.nodes, kept.edges) != _counts(base)):
            sent = mirror.bring_up(whole=True, progress=progress)
        return sent


def query(
    repo: Repository,
    base: Database,
    environment: Mapping[str, str],
    cypher: str,
    given: Sequence[str] = (),
    *,
    ask: bool = False,
    progress: Progress = silent,
) -> Answer:
    """Ask the mirror a question in Cypher, once it is up to date.

    Args:
        repo: The repository.
        base: Its graph, up to date.
        environment: See ``login``.
        cypher: The question; it may not write.
        given: Parameters, ``NAME=VALUE`` each; ``repository`` is there anyway.
        ask: Let git ask for user and password on the terminal.
        progress: Is told how many rows were sent.

    Raises:
        NotFoundError: The repository has no mirror.
        VemlError: What ``Server`` and ``Mirror`` raise.
    """
    place = required(repo)
    wanted = {"repository": place.name} | parameters(given)
    with reach(repo, place, environment, ask=ask) as server:
        Mirror(base, server).bring_up(progress=progress)
        columns, rows = server.ask(cypher, wanted)
    return Answer(columns, tuple(tuple(plain(one) for one in row) for row in rows))


def mirror_status(
    repo: Repository, base: Database, environment: Mapping[str, str]
) -> MirrorStatus | None:
    """Tell how the mirror of a repository stands; None if it has none."""
    place = place_of(repo)
    if place is None:
        return None
    changes = Changes(base)
    changes.listen()
    whole = changes.at is None or changes.at.stage != "log"
    found: dict[str, Any] = {
        "url": place.url, "database": place.database, "name": place.name,
        "waiting": None if whole else changes.waiting(),
        "reached_at": json.loads(changes.last_reached() or "{}").get("at"),
    }  # fmt: skip
    try:
        with reach(repo, place, environment) as server:
            kept = Mirror(base, server).kept()
            found["server"] = server.agent
    except VemlError as error:
        silence = silence_of(repo, place)
        return MirrorStatus(**found, problem=error.message, silence=silence)
    if kept is None:
        return MirrorStatus(**(found | {"waiting": None}), nodes=0, edges=0)
    known = {one.token for one in (changes.at, changes.following) if one is not None}
    if kept.clone != place.clone:
        found["problem"] = f"it is the mirror of another clone ({kept.keeper})"
    changed = (kept.nodes, kept.edges) != _counts(base) and not found["waiting"]
    if kept.token not in known or changed:
        found["waiting"] = None
    return MirrorStatus(**found, nodes=kept.nodes, edges=kept.edges, taken_at=kept.at)


def _counts(base: Database) -> tuple[int, int]:
    nodes, edges = base.connection.execute(
        "SELECT (SELECT count(*) FROM node), (SELECT count(*) FROM edge)"
    ).fetchone()
    return int(nodes), int(edges)
