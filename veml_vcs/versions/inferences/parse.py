"""Read the record of an inference version: a stranger's text, so every field is checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.ids import SampleId, parse_hex
from veml_vcs.versions.fields import (
    check_text,
    choice,
    count,
    flat,
    mapping,
    maybe_count,
    number,
    numbers,
    numbers_by_class,
    optional,
    part,
    read_record,
    text,
    text_list,
    texts,
    tree,
    version,
)
from veml_vcs.versions.inferences.outcome import (
    FORMATS,
    QUANTISATIONS,
    Latency,
    Parity,
    TrainingUse,
)
from veml_vcs.versions.inferences.record import FileFacts, InferenceRecord
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.lines import LineReader
from veml_vcs.versions.trainings.outcome import TASKS
from veml_vcs.versions.trainings.uses import PredictionFacts, Role, data_uses

ROLES: tuple[Role, ...] = ("val", "calibration")
_MOST_AXES = 32
_LONGEST_AXIS = 1 << 40


def parse_inference_record(data: bytes, where: str) -> InferenceRecord:
    """Read the record of an inference version.

    Args:
        data: The record's bytes.
        where: Its path, for messages.

    Raises:
        FormatError: It is not the record of an inference version, or a field has a wrong type.
    """
    return read_record(data, where, _READER)


def _training(record: Mapping[str, Any]) -> TrainingUse:
    value = part(record, "training", ("name", "version", "tree"))
    return TrainingUse(TRAINING.check(text(value, "name")), version(value), tree(value))


def _file(record: Mapping[str, Any]) -> FileFacts:
    value = part(record, "file", ("tree", "sha256", "bytes"))
    sha256 = SampleId(parse_hex(text(value, "sha256"), "sha256"))
    return FileFacts(tree(value), sha256, count(value, "bytes"))


def _inputs(record: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    found = mapping(record, "inputs")
    return {check_text(name): _shape(shape, name) for name, shape in found.items()}


def _shape(value: Any, name: str) -> tuple[int, ...]:
    axes = value if isinstance(value, list) else [None]
    sound = all(type(one) is int and -1 <= one < _LONGEST_AXIS for one in axes)
    if not sound or len(axes) > _MOST_AXES:
        raise FormatError(f"'inputs': {name!r:.80}: expected a shape, found {value!r:.80}")
    return tuple(axes)


def _parity(record: Mapping[str, Any]) -> Parity:
    value = part(record, "parity", ("largest", "tolerance", "samples", "unmatched"))
    return Parity(
        numbers(mapping(value, "largest"), "largest"),
        numbers(mapping(value, "tolerance"), "tolerance"),
        count(value, "samples"),
        count(value, "unmatched"),
    )


def _latency(record: Mapping[str, Any]) -> Latency:
    names = ("median_ms", "p95_ms", "batch", "threads", "cpu", "warm_up", "runs")
    value = part(record, "latency", names)
    return Latency(
        _milliseconds(value, "median_ms"),
        _milliseconds(value, "p95_ms"),
        count(value, "batch"),
        count(value, "threads"),
        text(value, "cpu"),
        count(value, "warm_up"),
        count(value, "runs"),
    )


def _milliseconds(value: Mapping[str, Any], name: str) -> float:
    found = number(value.get(name), name)
    if not 0 <= found < math.inf:
        raise FormatError(f"{name!r}: expected milliseconds, found {found!r}")
    return found


_READER = LineReader(
    "inference",
    {
        "task": lambda record: choice(record, "task", TASKS),
        "training": _training,
        "format": lambda record: choice(record, "format", FORMATS),
        "quantisation": lambda record: choice(record, "quantisation", QUANTISATIONS),
        "device": lambda record: text(record, "device"),
        "file": _file,
        "classes": lambda record: text_list(record, "classes"),
        "inputs": _inputs,
        "preprocess": lambda record: flat(record, "preprocess"),
        "postprocess": lambda record: flat(record, "postprocess"),
        "options": lambda record: flat(record, "options"),
        "opset": lambda record: maybe_count(record, "opset"),
        "libraries": lambda record: texts(record, "libraries"),
        "data": lambda record: data_uses(record, ROLES),
        "parity": lambda record: optional(record, "parity", _parity),
        "metrics": lambda record: numbers(mapping(record, "metrics"), "metrics"),
        "per_class": lambda record: numbers_by_class(record, "per_class"),
        "checkpoint_metrics": lambda record: numbers(
            mapping(record, "checkpoint_metrics"), "checkpoint_metrics"
        ),
        "latency": lambda record: optional(record, "latency", _latency),
        "predictions": lambda record: optional(record, "predictions", PredictionFacts.from_record),
    },
    lambda values: InferenceRecord(**values),
)
