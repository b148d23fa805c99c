"""What docs/neo4j.md asks is asked of a real server; the compose file is what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lineage.kit import History, data_record, model_record, training_record
from tests.lineage.neo4j.kit import mirrored
from tests.lineage.neo4j.server import Server as Address
from tests.repository.conftest import isolated
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]

DOCS = Path(__file__).resolve().parents[3] / "docs"
QUESTIONS = re.findall(
    r"^```cypher\n(.*?)^```$", (DOCS / "neo4j.md").read_text(), re.MULTILINE | re.DOTALL
)


@pytest.mark.neo4j
def test_each_question_has_an_answer(tmp_path: Path, isolated: Path, neo4j_server: Address) -> None:
    one, other, model = data_record(1, ("car", "bus")), data_record(2, ("car",)), model_record(50)
    first = training_record(blob_id(one), blob_id(model))
    tuned = training_record(blob_id(other), blob_id(model), blob_id(first), seed=3)
    history = History(tmp_path / "project")
    history.commit({"roads.veml": one, "models/net.veml": model, "trainings/night.veml": first})
    head = history.commit({"roads.veml": other, "trainings/tuned.veml": tuned}, "tuned")
    said = {"train": blob_id(one), "verdict": "drift", "report": {"effect": 0.4}}
    history.git("notes", "--ref=veml/drift", "add", "-m", json.dumps(said), blob_id(other))
    repo, base = history.synced()
    given = {"name": "roads", "commit": head[:10]}
    found: list[list[dict[str, Any]]] = []
    with mirrored(neo4j_server, base) as mirror, mirrored(neo4j_server, base) as second:
        mirror.bring_up()
        second.changes.forget()
        second.bring_up()
        server = mirror._server
        for cypher in QUESTIONS:
            name = "night" if "(t:Training" in cypher and "$name" in cypher else "roads"
            rows = server.read(cypher, {**given, "name": name, "repository": server.place.name})
            found.append([dict(row) for row in rows])
    base.close()
    repo.close()
    assert len(QUESTIONS) == 10
    kinds, trainings, touched, made_of, chains, classes, drifts, brought, then, shared = found
    assert {"kind": "training", "count": 2} in kinds
    assert {row["training"] for row in trainings} == {"night", "tuned"}
    assert {row["name"] for row in touched} == {"night", "tuned"}
    assert {row["name"] for row in made_of} == {"net", "roads"}
    assert [row["chain"] for row in chains] == [["tuned", "night"]]
    assert [row["class"] for row in classes] == ["bus", "car"]
    assert [(row["data"], row["effect"]) for row in drifts] == [("roads", 0.4)]
    assert [row["paths"] for row in brought] == [["roads.veml"]] * 2
    assert [row["name"] for row in then] == ["roads", "roads", "net", "night", "tuned"]
    assert blob_id(model) in {row["id"] for row in shared}


def test_the_compose_file_holds_no_secret_and_stays_on_this_machine() -> None:
    said = yaml.safe_load((DOCS / "neo4j/compose.yaml").read_text())
    service = said["services"]["neo4j"]
    assert service["image"] == "neo4j:5.26-community"
    assert service["environment"]["NEO4J_AUTH"].startswith("neo4j/${NEO4J_PASSWORD:?")
    assert all(one.startswith("127.0.0.1:") for one in service["ports"])
    assert service["healthcheck"]["test"][0] == "CMD-SHELL"
    assert service["volumes"] == ["data:/data"]
