"""A stranger's record of a training: read, or refused with a FormatError, in little time."""

from __future__ import annotations

import json
import math

from hypothesis import HealthCheck, example, given, settings

from tests.hostile.mutations import as_text, deep, mutated_bytes, mutated_json
from veml_vcs.errors import FormatError
from veml_vcs.ids import TreeId, VersionId
from veml_vcs.versions.changes import compare_metrics
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings import (
    CheckpointFacts,
    DataUse,
    Initial,
    LogFacts,
    ModelUse,
    PredictionFacts,
    TrainingRecord,
    parse_training_record,
)
from veml_vcs.versions.trainings.compare import (
    fact_rows,
)

TREE = TreeId(bytes(range(32)))
VERSION = VersionId("ab" * 20)
SOUND = TrainingRecord(
    task="detection",
    model=ModelUse("detector", VERSION),
    data=(
        DataUse("images/train", VERSION, TREE, "train", 80, {"fraction": 0.8, "seed": 0}),
        DataUse("images/val", VERSION, TREE, "val", 20),
    ),
    checkpoint=CheckpointFacts(TREE, 10, 4000, 1000),
    config={"lr": 0.1, "train_cfg.max_epochs": 2},
    initial=Initial("training", "night/one", VERSION, TREE),
    seed=0,
    determinism={"deterministic": True},
    libraries={"torch": "2.14.1"},
    epochs=2,
    iterations=40,
    metrics={"mAP": 0.5, "loss": math.inf},
    per_class={"car": {"AP": 0.5}, "dog": {"AP": math.nan}},
    log=LogFacts(TREE, 4, ("iteration", "loss")),
    predictions=PredictionFacts(TREE, 20),
    derived={"operation": "average", "from": [{"name": "a", "version": VERSION}]},
)


def use(data: bytes) -> None:
    message = ""
    try:
        found = parse_training_record(data, "trainings/a.veml")
    except FormatError as error:
        message = error.message
    assert len(message) < 500
    if message:
        return
    # What was read can be written and shown.
    assert parse_training_record(found.to_bytes(), "x").to_bytes() == found.to_bytes()
    assert str(found.initial)
    assert fact_rows(found)["task"]
    assert compare_metrics(found, SOUND) is not None
    assert TRAINING.compare_facts(SOUND, found)


def test_sound() -> None:
    found = parse_training_record(SOUND.to_bytes(), "x")
    assert found.to_bytes() == SOUND.to_bytes()
    assert (found.data, found.initial, found.log) == (SOUND.data, SOUND.initial, SOUND.log)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=mutated_bytes((SOUND.to_bytes(),)))
@example(data=SOUND.to_bytes())
@example(data=deep("[", "]"))
@example(data=b'{"veml": 1, "kind": "training", "config": {"a": ' + deep("[", "]", 900) + b"}}")
@example(data=b'{"veml": 1, "kind": "training", "derived": {"' + b"." * 1_000_000 + b'": 1}}')
def test_bytes(data: bytes) -> None:
    use(data)


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(value=mutated_json((json.loads(SOUND.to_bytes()),)))
def test_fields(value: object) -> None:
    use(as_text(value))
