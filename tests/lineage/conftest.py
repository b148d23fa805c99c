"""The Neo4j server of a test run."""

from __future__ import annotations

import pytest

from tests.lineage.neo4j.server import Server, missing, running


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A real Neo4j; tests are told apart by the names of the repositories that they mirror."""
    if reason := missing():
        pytest.skip(reason)
    base = tmp_path_factory.getbasetemp()
    # A worker's folder lies in that of the run.
    return running(base.parent if base.name.startswith("popen-") else base)
