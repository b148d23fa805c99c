"""Neo4j answers what plain Python and SQLite answer: the suite of ``test_engines``, fewer graphs.

A question here is a round trip or several, and a graph hundreds of questions.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lineage import test_engines
from tests.lineage.engines import PlainLineage
from tests.lineage.kit import History, data_record, model_record, wander
from tests.lineage.neo4j.kit import mirrored
from tests.lineage.neo4j.server import Server as Address
from tests.repository.conftest import isolated
from veml_vcs.lineage.graph import Edge
from veml_vcs.lineage.neo4j.questions import Neo4jLineage
from veml_vcs.lineage.sqlite.adjacency import AdjacencyWriter
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.questions import SqliteLineage
from veml_vcs.objects.files import Files

__all__ = ["isolated"]
pytestmark = pytest.mark.neo4j


def agree(address: Address, base: Database, seed: int) -> None:
    with mirrored(address, base) as mirror:
        mirror.bring_up()
        store = Neo4jLineage(mirror._server)
        plain = PlainLineage(base)
        expected = test_engines.questions(plain, plain, random.Random(seed))
        found = test_engines.questions(store, plain, random.Random(seed))
        for one, right in zip(found, expected, strict=True):
            assert one == right


@settings(
    max_examples=3,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    graph=test_engines.graphs(),
    notes=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=3),
    seed=st.integers(0, 9),
)
def test_any_graph(
    neo4j_server: Address, tmp_path_factory: pytest.TempPathFactory, graph: Any,
    notes: list[tuple[int, int]], seed: int,
) -> None:  # fmt: skip
    base = Database(str(tmp_path_factory.mktemp("graph") / "lineage.sqlite"), Files())
    try:
        told = [Edge(f"{a}{'a' * 39}", "drifted_from", f"{b}{'a' * 39}", {"effect": 0.5})
                for a, b in dict(notes).items()]  # fmt: skip
        test_engines.written(base, *graph, told)
        agree(neo4j_server, base, seed)
    finally:
        base.close()


def test_a_history(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    history = History(tmp_path / "project")
    history.commit({"d0.veml": data_record(1), "models/m0.veml": model_record(50)})
    chance = random.Random(3)
    for _ in range(10):
        try:
            wander(history, chance)
        except AssertionError:  # git refused: a merge in conflict, nothing before HEAD
            history.git("reset", "-q", "--hard")
    repo, base = history.synced()
    agree(neo4j_server, base, 1)
    base.close()
    repo.close()


def test_a_ladder_has_too_many_paths_to_walk(tmp_path: Path, neo4j_server: Address) -> None:
    """Thirty diamonds, 2^30 paths: both engines visit each node once.

    Seen not to end with all paths asked for (``RETURN p`` instead of the least length).
    """
    base = Database(str(tmp_path / "lineage.sqlite"), Files())
    ids = [f"{number:040x}" for number in range(91)]
    do = base.connection.execute
    for one in ids:
        do(
            "INSERT INTO node (id, kind, name, props, known) VALUES (?, 'data', 'd', '{}', 1)",
            (one,),
        )
    for low in range(0, 90, 3):
        for source, target in ((1, 0), (2, 0), (3, 1), (3, 2)):
            do("INSERT INTO edge SELECT a.key, 'derived_from', b.key, '{}' FROM node a, node b "
               "WHERE a.id = ? AND b.id = ?", (ids[low + source], ids[low + target]))  # fmt: skip
    AdjacencyWriter(base.connection).build()
    with mirrored(neo4j_server, base) as mirror:
        mirror.bring_up()
        one, other = SqliteLineage(base.connection), Neo4jLineage(mirror._server)
        assert len(other.reach(ids[90], "up").nodes) == 91
        assert one.reach(ids[90], "up") == other.reach(ids[90], "up")
        assert one.reach(ids[0], "down", depth=7) == other.reach(ids[0], "down", depth=7)
        path = other.path(ids[90], ids[0])
        assert path is not None
        assert len(path) == 60
        assert path == one.path(ids[90], ids[0])
        assert one.common(ids[88], ids[89]) == other.common(ids[88], ids[89])
    base.close()
