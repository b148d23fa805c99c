"""Read the record of a training version: a stranger's text, so every field is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from veml_vcs.errors import FormatError
from veml_vcs.versions.fields import (
    choice,
    count,
    flat,
    mapping,
    maybe_count,
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
from veml_vcs.versions.kinds import MODEL, TRAINING
from veml_vcs.versions.lines import LineReader
from veml_vcs.versions.trainings.outcome import STATUSES, TASKS
from veml_vcs.versions.trainings.record import CheckpointFacts, LogFacts, TrainingRecord
from veml_vcs.versions.trainings.uses import (
    ROLES,
    DataUse,
    Initial,
    InitialKind,
    ModelUse,
    PredictionFacts,
    data_uses,
)

_INITIAL_KINDS: tuple[InitialKind, ...] = get_args(InitialKind)
_INITIAL: dict[str, frozenset[str]] = {
    "random": frozenset(),
    "training": frozenset({"name", "version", "tree"}),
    "checkpoint": frozenset({"tree"}),
    "pretrained": frozenset({"name"}),
}


def parse_training_record(data: bytes, where: str) -> TrainingRecord:
    """Read the record of a training version.

    Args:
        data: The record's bytes.
        where: Its path, for messages.

    Raises:
        FormatError: It is not the record of a training version, or a field has a wrong type.
    """
    return read_record(data, where, _READER)


def _model(value: dict[str, Any]) -> ModelUse:
    return ModelUse(MODEL.check(text(value, "name")), version(value))


def _data(record: Mapping[str, Any]) -> tuple[DataUse, ...]:
    found = data_uses(record, ROLES)
    if not found:
        raise FormatError("'data': expected the data versions, found none")
    return found


def _initial(value: dict[str, Any]) -> Initial:
    kind = choice(value, "kind", _INITIAL_KINDS)
    if value.keys() - {"kind"} != _INITIAL[kind]:
        wanted = ", ".join(sorted(_INITIAL[kind])) or "nothing else"
        raise FormatError(f"'initial': {kind} goes with {wanted}, found {sorted(value)!r:.80}")
    name = None if "name" not in value else text(value, "name")
    if kind == "training" and name is not None:
        TRAINING.check(name)
    return Initial(
        kind,
        name,
        None if "version" not in value else version(value),
        None if "tree" not in value else tree(value),
    )


def _checkpoint(record: Mapping[str, Any]) -> CheckpointFacts:
    value = part(record, "checkpoint", ("tree", "tensors", "bytes", "parameters"))
    return CheckpointFacts(
        tree(value),
        count(value, "tensors"),
        count(value, "bytes"),
        maybe_count(value, "parameters"),
    )


def _log(record: Mapping[str, Any]) -> LogFacts:
    value = part(record, "log", ("tree", "rows", "columns"))
    columns = text_list(value, "columns")
    if "columns" not in value or tuple(sorted(set(columns))) != columns:
        raise FormatError("'columns': not there, not sorted, or a name stands twice")
    return LogFacts(tree(value), count(value, "rows"), columns)


_READER = LineReader(
    "training",
    {
        "task": lambda record: choice(record, "task", TASKS),
        "status": lambda record: choice(record, "status", STATUSES),
        "model": lambda record: _model(part(record, "model", ("name", "version"))),
        "data": _data,
        "initial": lambda record: _initial(
            part(record, "initial", ("kind", "name", "version", "tree"))
        ),
        "checkpoint": _checkpoint,
        "config": lambda record: flat(record, "config"),
        "seed": lambda record: maybe_count(record, "seed"),
        "determinism": lambda record: flat(record, "determinism"),
        "libraries": lambda record: texts(record, "libraries"),
        "epochs": lambda record: maybe_count(record, "epochs"),
        "iterations": lambda record: maybe_count(record, "iterations"),
        "metrics": lambda record: numbers(mapping(record, "metrics"), "metrics"),
        "per_class": lambda record: numbers_by_class(record, "per_class"),
        "log": lambda record: optional(record, "log", _log),
        "predictions": lambda record: optional(record, "predictions", PredictionFacts.from_record),
        "transferred_from": lambda record: flat(record, "transferred_from"),
        "rebuilt_from": lambda record: flat(record, "rebuilt_from"),
        "derived": lambda record: flat(record, "derived"),
    },
    lambda values: TrainingRecord(**values),
)
