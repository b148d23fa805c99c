"""Records of inference versions: one form, what a reader refuses, what makes two the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.hostile.test_fuzz_inference_records import SOUND, TREE
from veml_vcs.errors import FormatError
from veml_vcs.versions.inferences import Latency, Parity, parse_inference_record
from veml_vcs.versions.inferences.compare import compare_costs, fact_rows
from veml_vcs.versions.kinds import INFERENCE

SMALL = b"""{
 "device": "cpu",
 "file": {
  "bytes": 1000,
  "sha256": "%(tree)s",
  "tree": "%(tree)s"
 },
 "format": "onnx",
 "kind": "inference",
 "quantisation": "none",
 "task": "detection",
 "training": {
  "name": "night",
  "tree": "%(tree)s",
  "version": "%(version)s"
 },
 "veml": 1
}
""" % {b"tree": TREE.hex().encode(), b"version": b"ab" * 20}


def test_the_least_that_a_record_says() -> None:
    found = parse_inference_record(SMALL, "x")
    assert found.to_bytes() == SMALL
    assert INFERENCE.is_record(SMALL)
    assert INFERENCE.path("edge/fast") == "inferences/edge/fast.veml"
    assert [(one.what, one.path) for one in found.needs] == [("training", "trainings/night.veml")]
    assert set(found.parts) == {"file"}
    assert list(fact_rows(found)) == [
        "task",
        "training",
        "format",
        "quantisation",
        "device",
        "file",
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("task", "chess"),
        ("format", "pickle"),
        ("quantisation", "int3"),
        ("device", 1),
        ("device", "\ud800"),
        ("training", {}),
        ("training.name", "../x"),
        ("training.version", "ab"),
        ("training.tree", "AB" * 32),
        ("file.sha256", "ab"),
        ("file.bytes", -1),
        ("file.name", "x.onnx"),
        ("classes", "car"),
        ("classes", [1]),
        ("inputs", [1]),
        ("inputs.image", [1, -2]),
        ("inputs.image", [1, True]),
        ("inputs.image", [1] * 33),
        ("opset", 1.5),
        ("data.0.role", "train"),
        ("data.0.path", "a/.git"),
        ("parity.samples", None),
        ("parity.largest", {"boxes": "far"}),
        ("parity.more", 1),
        ("metrics.mAP", "high"),
        ("latency.median_ms", "~nan"),
        ("latency.median_ms", -1),
        ("latency.cpu", None),
        ("latency.runs", 0.5),
        ("latency.host", "here"),
        ("predictions.samples", -1),
        ("note", "hello"),
    ],
)  # fmt: skip
def test_refused(path: str, value: Any) -> None:
    record = json.loads(SOUND.to_bytes())
    place: Any = record
    *above, last = path.split(".")
    for step in above:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    with pytest.raises(FormatError, match=r"^inferences/a.veml: "):
        parse_inference_record(json.dumps(record).encode(), "inferences/a.veml")


def test_the_same_but_for_latency() -> None:
    slower = replace(SOUND, latency=Latency(99.0, 100.0, 1, 2, "Another CPU", 5, 50))
    assert SOUND.same_but_for_latency(slower)
    assert SOUND.same_but_for_latency(replace(SOUND, latency=None))
    assert not SOUND.same_but_for_latency(replace(SOUND, metrics={"mAP": 0.25}))
    assert not SOUND.same_but_for_latency(replace(SOUND, quantisation="none"))


def test_parity_in_words() -> None:
    assert "not as its checkpoint on 8 samples" in fact_rows(SOUND)["parity"]
    assert "1 detection of one alone" in fact_rows(SOUND)["parity"]
    good = Parity({"boxes": 0.25}, {"boxes": 0.5}, 1)
    assert good.holds
    words = "as its checkpoint on 1 sample: boxes differ by 0.25 pixels at most (allowed 0.5)"
    assert fact_rows(replace(SOUND, parity=good))["parity"] == words
    assert not Parity({"boxes": 0.75}, {"boxes": 0.5}, 1).holds
    assert not Parity({"boxes": 0.75}, {}, 1).holds  # nothing was allowed
    assert not Parity({"boxes": float("nan")}, {"boxes": 1.0}, 1).holds


def test_costs() -> None:
    rows = {one.metric: (one.old, one.new) for one in compare_costs(SOUND, None)}
    assert rows == {"bytes": (1000, None), "median ms": (12.5, None), "p95 ms": (15.25, None)}
