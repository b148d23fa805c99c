"""What the tests of the mirror share: repositories that are mirrored, and what a server has."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.lineage.kit import History
from tests.lineage.neo4j.server import Server as Address
from veml_vcs.lineage.neo4j.mirror import Mirror
from veml_vcs.lineage.neo4j.place import Login, Place
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.sqlite.database import Database

Content = tuple[list[Any], list[Any]]


def place_at(address: Address, clone: str = "here") -> Place:
    """Return a place of its own on the server that all tests share."""
    return Place(address.url, "neo4j", f"test-{secrets.token_hex(6)}", clone)


def opened(address: Address, place: Place, **more: Any) -> Server:
    return Server(place, Login(address.user, address.password), **more)


@contextmanager
def mirrored(address: Address, base: Database, window: int = 50) -> Iterator[Mirror]:
    """Mirror a file into a place of its own, with small windows."""
    with opened(address, place_at(address)) as server:
        yield Mirror(base, server, window)


def in_sqlite(base: Database) -> Content:
    """Return all nodes and edges, as tuples."""
    do = base.connection.execute
    nodes = [
        (*row[:2], json.loads(row[2]), bool(row[3]))
        for row in do("SELECT id, kind, props, known FROM node ORDER BY id")
    ]
    edges = do(
        "SELECT s.id, e.kind, t.id, e.props FROM edge e JOIN node s ON s.key = e.source "
        "JOIN node t ON t.key = e.target ORDER BY 1, 2, 3"
    )
    return nodes, [(*row[:3], json.loads(row[3])) for row in edges]


def in_neo4j(server: Server) -> Content:
    """Return the same of a mirror; a label that is not the kind's, or a type, is a failure."""
    given = {"repository": server.place.name}
    nodes = []
    for (row,) in server.read("MATCH (n:Version {repository: $repository}) RETURN n", given):
        assert set(row.labels) == {"Version", row["kind"].capitalize()}
        nodes.append(
            (row.get("long_id", row["id"]), row["kind"], json.loads(row.get("props", "{}")),
             row["known"])
        )  # fmt: skip
    edges = [
        (row["s"], row["type"].lower(), row["t"], json.loads(row["props"] or "{}"))
        for row in server.read(
            "MATCH (s:Version {repository: $repository})-[e]->(t) RETURN "
            "coalesce(s.long_id, s.id) AS s, type(e) AS type, coalesce(t.long_id, t.id) AS t, "
            "e.props AS props",
            given,
        )
    ]
    return sorted(nodes, key=lambda one: one[0]), sorted(edges, key=lambda one: one[:3])


def some_history(root: Path, commits: int = 5) -> History:
    """Return a history of data versions, and a training of the last."""
    from tests.lineage.kit import data_record, model_record, training_record
    from veml_vcs.repository.git.repo import blob_id

    history = History(root)
    for number in range(1, commits + 1):
        history.commit({"roads.veml": data_record(number)}, f"roads {number}")
    model = model_record(50)
    record = training_record(blob_id(data_record(commits)), blob_id(model))
    history.commit({"models/net.veml": model, "trainings/night.veml": record}, "trained")
    return history
