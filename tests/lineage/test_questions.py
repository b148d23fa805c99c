"""Answers, against plain Python on the same edges, and on histories whose answers are known."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.lineage.kit import (
    History,
    data_record,
    model_record,
    training_record,
    wander,
)
from tests.repository.conftest import isolated
from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.lineage.ask import RepositoryLineage, lineage
from veml_vcs.lineage.find import find
from veml_vcs.lineage.graph import LINEAGE, VERSIONS
from veml_vcs.lineage.sqlite.questions import SqliteLineage
from veml_vcs.repository import Repository
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]

D1, D2 = data_record(1, ("car", "bus")), data_record(2, ("car",))
M50, M18 = model_record(50), model_record(18)


@pytest.fixture
def made(tmp_path: Path, isolated: Path) -> History:
    """Two data versions; a ResNet-50 trained on the first, tuned on the second; a ResNet-18."""
    history = History(tmp_path / "project")
    history.commit({"roads.veml": D1, "models/big.veml": M50, "models/small.veml": M18}, "first")
    history.git("tag", "v1")
    first = training_record(blob_id(D1), blob_id(M50))
    history.commit({"trainings/first.veml": first}, "trained")
    tuned = training_record(blob_id(D2), blob_id(M50), blob_id(first), seed=3)
    history.commit({"roads.veml": D2, "trainings/tuned.veml": tuned}, "tuned")
    return history


def names(part: object) -> set[str]:
    return {f"{one.kind} {one.name}" for one in part.nodes.values()}  # type: ignore[attr-defined]


def test_up_and_down(made: History) -> None:
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        up = asked.around("tuned", "up")
        assert names(up.part) == {"training tuned", "training first", "data roads", "model big"}
        assert len(up.part.nodes) == 5  # both versions of the roads
        down = asked.around("roads@v1", "down")
        assert names(down.part) == {"data roads", "training first", "training tuned"}
        assert names(asked.around("tuned", "up", 1).part) == {
            "training tuned", "training first", "data roads", "model big"}  # fmt: skip
        assert len(asked.around("tuned", "up", 0).part.nodes) == 1
        assert asked.around("big", "both").part.steps[blob_id(M50)] == 0


def test_as_of_a_revision(made: History) -> None:
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        assert names(asked.around("roads@v1", "down", at="v1").part) == {"data roads"}
        one = asked.around("roads@v1", "down", at="HEAD~1").part
        assert names(one) == {"data roads", "training first"}


def test_impact_leaves_revisions_out(made: History) -> None:
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        found = asked.impact("roads@v1")
        assert {one.name for one in found.of_kind("training")} == {"first", "tuned"}
        assert [one.id for one in found.of_kind("data")] == [blob_id(D1)]
        assert {one.name for one in asked.impact("roads").of_kind("training")} == {"tuned"}
        with pytest.raises(InvalidInputError, match="is a model version"):
            asked.impact("big")


def test_models_by_what_they_are(made: History) -> None:
    with Repository(str(made.root)) as repo, lineage(repo) as asked:

        def found(*facts: str, on: tuple[str, ...] = ()) -> list[str]:
            return [one.name for one in find(asked, ["model"], facts=facts, trained_on=on)]

        assert found("backbone:ResNet-50") == found("backbone:resnet50") == ["big"]
        assert found("backbone:resnet") == ["big", "small"]
        assert found("backbone:resnet", "optimiser:sgd", on=("class:bus",)) == ["big"]
        assert found(on=("class:bus", "class:car")) == ["big"]
        assert found(on=("roads@v1",)) == ["big"]
        assert found("backbone:resnet18", on=("class:car",)) == []
        with pytest.raises(InvalidInputError, match="is no fact"):
            found("colour:red")


def test_the_way_between_two_versions(made: History) -> None:
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        way = asked.path("roads@v1", "tuned")
        assert way is not None
        assert len(way.edges) == 2
        assert way.nodes[0].id == blob_id(D1)
        assert asked.path("tuned", "tuned") is not None
        assert asked.path("small", "roads") is None


def test_a_version_is_said_in_many_ways(made: History) -> None:
    made.commit({"big.veml": D1})
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        for spec in ("tuned", "training:tuned", "trainings/tuned.veml", "tuned@HEAD~1"):
            assert asked.version(spec).name == "tuned", spec
        assert asked.version(blob_id(M50)[:9]).name == "big"
        with pytest.raises(InvalidInputError, match="can be data:big or model:big"):
            asked.version("big")
        assert asked.version("model:big").kind == "model"
        assert asked.version("big", "data").kind == "data"
        with pytest.raises(InvalidInputError, match="can be data:big or model:big"):
            asked.version("big", "training")
        assert asked.impact("big").start.kind == "data"
        for wrong in ("nothing", "tuned@v1", "model:roads", "ffff1234", "training:"):
            with pytest.raises(NotFoundError):
                asked.version(wrong)


def test_a_data_set_that_was_taken_back_is_a_circle(made: History) -> None:
    made.commit({"roads.veml": D1}, "back")
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        both = {blob_id(D1), blob_id(D2)}
        assert set(asked.around("roads", "up").part.nodes) == both
        assert set(asked.around("roads@HEAD~1", "down").part.nodes) >= both


def test_a_ladder_of_diamonds_is_walked_once(tmp_path: Path, isolated: Path) -> None:
    """2^30 paths, 91 nodes: whoever lists paths does not come back."""
    history = History(tmp_path / "project")
    model = blob_id(M50)
    below = [blob_id(D1)]
    files: dict[str, bytes | None] = {"d.veml": D1, "models/m.veml": M50}
    seed = 0
    for rung in range(30):
        sides = []
        for side in range(2):
            seed += 1
            record = training_record(below[0], model, seed=seed)
            files[f"trainings/r{rung}s{side}.veml"] = record
            sides.append(blob_id(record))
        origins = [{"data": "d", "version": one, "tree": "00" * 32} for one in sides]
        joined = data_record(
            100 + rung, derived={"operation": "merge", "arguments": {}, "from": origins}
        )
        files[f"d{rung}.veml"] = joined
        below = [blob_id(joined)]
    history.commit(files)
    with Repository(str(history.root)) as repo, lineage(repo) as asked:
        found = asked.store.reach(below[0], "up", ("derived_from", "trained_on"))
        assert len(found.nodes) == 91
        assert found.steps[blob_id(D1)] == 60
        way = asked.store.path(below[0], blob_id(D1), ("derived_from", "trained_on"))
        assert way is not None
        assert len(way) == 60


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=[pytest.mark.slow] * (n > 0)) for n in range(6)]
)
def test_walks_agree_with_plain_python(tmp_path: Path, isolated: Path, seed: int) -> None:
    history = History(tmp_path / "project")
    history.commit({"d0.veml": data_record(1), "models/m0.veml": model_record(50)})
    chance = random.Random(100 + seed)
    for _ in range(30):
        try:
            wander(history, chance)
        except AssertionError:
            history.git("reset", "-q", "--hard")
    repo, base = history.synced()
    store = SqliteLineage(base.connection)
    rows = base.connection.execute(
        "SELECT s.id, e.kind, t.id FROM edge e JOIN node s ON s.key = e.source "
        "JOIN node t ON t.key = e.target"
    ).fetchall()
    edges = [(a, b) for a, kind, b in rows if kind in LINEAGE]
    versions = [
        row[0] for row in base.connection.execute("SELECT id, kind FROM node") if row[1] in VERSIONS
    ]
    for start in versions:
        for way in ("up", "down"):
            expected = steps(edges if way == "up" else [(b, a) for a, b in edges], start)
            found = store.reach(start, way)  # type: ignore[arg-type]
            assert dict(found.steps) == expected
            assert {(one.source, one.target) for one in found.edges} == {
                pair for pair in edges if set(pair) <= set(expected)
            }
            near = store.reach(start, way, depth=1)  # type: ignore[arg-type]
            assert set(near.nodes) == {one for one, far in expected.items() if far <= 1}
        both = steps([*edges, *((b, a) for a, b in edges)], start)
        for end in versions:
            path = store.path(start, end)
            assert (None if path is None else len(path)) == both.get(end)
    base.close()
    repo.close()


def steps(edges: list[tuple[str, str]], start: str) -> dict[str, int]:
    """Return how far each node is, breadth first."""
    found, layer = {start: 0}, [start]
    while layer:
        layer = sorted({b for a, b in edges if a in layer and b not in found})
        found |= dict.fromkeys(layer, max(found.values()) + 1)
    return found


def test_what_is_asked_is_up_to_date(made: History) -> None:
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        assert isinstance(asked, RepositoryLineage)
        assert asked.synced.commits == 3
    made.git("checkout", "-q", "-b", "other", "v1")
    made.git("branch", "-D", "main")
    with Repository(str(made.root)) as repo, lineage(repo) as asked:
        assert asked.synced.removed == 2
        assert asked.store.node(blob_id(D2)) is None
