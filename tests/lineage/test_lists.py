"""Lists of versions: work that grows with the answer, by SQLite's own steps, not by a clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.lineage.kit import History, model_record
from tests.repository.conftest import isolated
from veml_vcs.lineage.sqlite.questions import SqliteLineage

__all__ = ["isolated"]

MODELS = 300


def test_models_of_a_fact_among_many(tmp_path: Path, isolated: Path) -> None:
    """Seen to fail without the ``+``: forty times the steps, a minute with 25,000 models."""
    history = History(tmp_path / "project")
    history.commit({
        f"models/m{number}.veml": model_record(50 if number % 2 else 18, number / 1000)
        for number in range(MODELS)
    })  # fmt: skip
    repo, base = history.synced()
    connection = base.connection
    store = SqliteLineage(connection)
    every = [one.id for one in store.listed("model")]
    assert len(every) == MODELS
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def spent(ask: Callable[[], object]) -> int:
        nonlocal steps
        steps = 0
        connection.set_progress_handler(count, 100)
        ask()
        connection.set_progress_handler(None, 0)
        return steps

    fact = ["backbone:resnet50"]
    alone = spent(lambda: store.having(fact, "model"))
    among = spent(lambda: store.having(fact, "model", among=every))
    assert 0 < among < 5 * alone
    assert store.having(fact, "model", among=every) == store.having(fact, "model")
    base.close()
    repo.close()
