"""A stranger's record of an inference version: read, or refused with a FormatError, and soon."""

from __future__ import annotations

import json
import math

from hypothesis import example, given

from tests.hostile.mutations import as_text, deep, fuzz, mutated_bytes, mutated_json
from veml_vcs.errors import FormatError
from veml_vcs.ids import SampleId, TreeId, VersionId
from veml_vcs.versions.changes import compare_metrics
from veml_vcs.versions.inferences import (
    FileFacts,
    InferenceRecord,
    Latency,
    Parity,
    TrainingUse,
    parse_inference_record,
)
from veml_vcs.versions.inferences.compare import compare_costs, fact_rows
from veml_vcs.versions.kinds import INFERENCE
from veml_vcs.versions.trainings import DataUse, PredictionFacts

TREE = TreeId(bytes(range(32)))
VERSION = VersionId("ab" * 20)
SOUND = InferenceRecord(
    training=TrainingUse("night/one", VERSION, TREE),
    task="detection",
    format="onnx",
    classes=("car", "dog"),
    quantisation="int8",
    inputs={"image": (1, 3, 160, -1), "scale": ()},
    preprocess={"mean": [123.5, 116.25, 103.5], "size": 160},
    postprocess={"score": 0.05},
    options={"per_channel": True},
    opset=17,
    libraries={"onnx": "1.17.0"},
    data=(
        DataUse("images/val", VERSION, TREE, "val", 20),
        DataUse("images/train", VERSION, TREE, "calibration", 8, {"seed": 0}),
    ),
    parity=Parity({"boxes": 0.5, "scores": math.nan}, {"boxes": 1.0}, 8, 1),
    metrics={"mAP": 0.5, "loss": math.inf},
    per_class={"car": {"AP": 0.5}, "dog": {"AP": math.nan}},
    checkpoint_metrics={"mAP": 0.5625},
    latency=Latency(12.5, 15.25, 1, 2, "Some CPU", 5, 50),
    file=FileFacts(TREE, SampleId(TREE), 1000),
    predictions=PredictionFacts(TREE, 20),
)


def use(data: bytes) -> None:
    message = ""
    try:
        found = parse_inference_record(data, "inferences/a.veml")
    except FormatError as error:
        message = error.message
    assert len(message) < 500
    if message:
        return
    # What was read can be written, shown and compared.
    assert parse_inference_record(found.to_bytes(), "x").to_bytes() == found.to_bytes()
    assert fact_rows(found)["file"]
    assert found.same_but_for_latency(found)
    assert compare_metrics(found, SOUND) is not None
    assert compare_costs(found, SOUND)
    assert INFERENCE.compare_facts(SOUND, found)


def test_sound() -> None:
    found = parse_inference_record(SOUND.to_bytes(), "x")
    assert found.to_bytes() == SOUND.to_bytes()
    assert (found.data, found.file, found.latency) == (SOUND.data, SOUND.file, SOUND.latency)
    assert (found.inputs, found.training) == (SOUND.inputs, SOUND.training)


@fuzz(150)
@given(data=mutated_bytes((SOUND.to_bytes(),)))
@example(data=SOUND.to_bytes())
@example(data=deep("[", "]"))
@example(data=b'{"veml": 1, "kind": "inference", "options": {"a": ' + deep("[", "]", 900) + b"}}")
@example(data=b'{"veml": 1, "kind": "inference", "options": {"' + b"." * 1_000_000 + b'": 1}}')
def test_bytes(data: bytes) -> None:
    use(data)


@fuzz(150)
@given(value=mutated_json((json.loads(SOUND.to_bytes()),)))
def test_fields(value: object) -> None:
    use(as_text(value))
