"""Lists of versions: work that grows with the answer, by SQLite's own steps, not by a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from pathlib import Path
from typing import Any

import pytest

from tests.lineage.kit import History, data_record, model_record, training_record
from tests.repository.conftest import isolated
from veml_vcs.lineage.ask import RepositoryLineage
from veml_vcs.lineage.conditions import Condition
from veml_vcs.lineage.find import find
from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.sqlite import lists
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.questions import SqliteLineage
from veml_vcs.lineage.sqlite.rows import to_nodes
from veml_vcs.lineage.sync import Synced
from veml_vcs.repository.git.repo import blob_id

__all__ = ["isolated"]

MANY = 300


class Counted:
    """SQLite's steps, in hundreds, and the rows that became nodes."""

    def __init__(self, base: Database, patch: pytest.MonkeyPatch) -> None:
        self.steps = self.nodes = 0
        self._connection = base.connection
        patch.setattr(lists, "to_nodes", self._to_nodes)

    def spent(self, ask: Callable[[], Sized]) -> tuple[int, int, int]:
        """Return what a question took, and the length of its answer."""
        self.steps = self.nodes = 0
        self._connection.set_progress_handler(self._step, 100)
        found = ask()
        self._connection.set_progress_handler(None, 0)
        return self.steps, self.nodes, len(found)

    def _step(self) -> int:
        self.steps += 1
        return 0

    def _to_nodes(self, rows: Iterable[Any]) -> list[Node]:
        told = list(rows)
        self.nodes += len(told)
        return to_nodes(told)


def test_models_of_a_fact_among_many(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail where each of many was looked for below each that has the fact."""
    history = History(tmp_path / "project")
    history.commit({
        f"models/m{number}.veml": model_record(50 if number % 2 else 18, number / 1000)
        for number in range(MANY)
    })  # fmt: skip
    repo, base = history.synced()
    counted = Counted(base, monkeypatch)
    store = SqliteLineage(base.connection)
    every = [one.id for one in store.listed("model")]
    assert len(every) == MANY
    fact = ["backbone:resnet50"]
    alone, _, _ = counted.spent(lambda: store.having(fact, "model"))
    among, _, _ = counted.spent(lambda: store.having(fact, "model", among=every))
    assert 0 < among < 5 * alone
    assert store.having(fact, "model", among=every) == store.having(fact, "model")
    base.close()
    repo.close()


def test_few_of_many(tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what they say, and as of early: the others are not looked at.

    Seen to fail with ``fitting`` that returns None, and with ``versions`` that does.
    """
    history = History(tmp_path / "project")
    data, model = data_record(1), model_record(50)
    files: dict[str, bytes | None] = {"d.veml": data, "models/m.veml": model}
    for number in range(MANY):
        files[f"trainings/t{number}.veml"] = training_record(
            blob_id(data), blob_id(model), seed=number, metrics={"mAP": number / MANY}
        )
    few = [f"trainings/t{number}.veml" for number in range(3)]
    history.commit({one: files.pop(one) for one in few})
    history.git("tag", "early")
    history.commit(files)
    repo, base = history.synced()
    counted = Counted(base, monkeypatch)
    store = SqliteLineage(base.connection)
    asked = RepositoryLineage(repo, store, Synced(0, 0, 0))
    every, _, found = counted.spent(lambda: store.listed("training"))
    assert found == MANY
    high = [Condition("mAP", ">", 0.99)]
    for ask in (
        lambda: find(asked, ["training"], where=high),
        lambda: find(asked, ["training"], where=high, facts=["backbone:resnet50"]),
        lambda: find(asked, ["training"], at="early"),
        lambda: find(asked, ["training"], trained_on=["class:car"], at="early"),
    ):
        steps, nodes, found = counted.spent(ask)
        assert 0 < found == nodes <= 3
        assert steps < every / 2
    base.close()
    repo.close()
