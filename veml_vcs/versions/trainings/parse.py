"""Read the record of a training version: a stranger's text, so every field is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast, get_args

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.ids import TreeId, VersionId, parse_hex
from veml_vcs.versions.models.flat import unflatten
from veml_vcs.versions.names import RecordNames, check_path
from veml_vcs.versions.text import load_record
from veml_vcs.versions.trainings.outcome import STATUSES, TASKS
from veml_vcs.versions.trainings.record import (
    NAMES,
    NUMBERS,
    CheckpointFacts,
    LogFacts,
    PredictionFacts,
    TrainingRecord,
)
from veml_vcs.versions.trainings.uses import ROLES, DataUse, Initial, InitialKind, ModelUse

_T = TypeVar("_T")
_MODELS = RecordNames("models/", "model", "")
_BLOB_DIGITS = 40
_MOST = 1 << 63
_MAX_ITEMS = 100_000
_MAX_METRIC = 1e308
_MAX_TEXT = 4096

_FIELDS = frozenset({
    "veml", "kind", "task", "status", "model", "data", "initial", "checkpoint", "config", "seed",
    "determinism", "libraries", "epochs", "iterations", "metrics", "per_class", "log",
    "predictions", "derived", "transferred_from", "rebuilt_from",
})  # fmt: skip
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
    record = load_record(data, where)
    if record.get("kind") != "training":
        kind = record.get("kind")
        raise FormatError(f"{where}: expected a training record, found kind {kind!r:.80}")
    try:
        _only(record, _FIELDS, "the record")
        return TrainingRecord(
            task=_choice(record, "task", TASKS),
            status=_choice(record, "status", STATUSES),
            model=_model(_part(record, "model", ("name", "version"))),
            data=_data(record),
            initial=_initial(_part(record, "initial", ("kind", "name", "version", "tree"))),
            checkpoint=_checkpoint(record),
            config=_flat(record, "config"),
            seed=_maybe_count(record, "seed"),
            determinism=_flat(record, "determinism"),
            libraries=_texts(record, "libraries"),
            epochs=_maybe_count(record, "epochs"),
            iterations=_maybe_count(record, "iterations"),
            metrics=_numbers(_dict(record, "metrics"), "metrics"),
            per_class={
                _name(name): _numbers(one, f"per_class {name!r:.80}")
                for name, one in _dict(record, "per_class").items()
            },
            log=_optional(record, "log", _log),
            predictions=_optional(record, "predictions", _predictions),
            transferred_from=_flat(record, "transferred_from"),
            rebuilt_from=_flat(record, "rebuilt_from"),
            derived=_flat(record, "derived"),
        )
    except (FormatError, InvalidInputError) as error:
        raise FormatError(f"{where}: {error!s:.300}") from error


def _only(found: Mapping[str, Any], fields: frozenset[str], what: str) -> None:
    unknown = sorted(found.keys() - fields)
    if unknown:
        raise FormatError(f"{what} has a field that no training record has: {unknown[0]!r:.80}")


def _dict(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name, {})
    if not isinstance(value, dict) or len(value) > _MAX_ITEMS:
        raise FormatError(f"{name!r:.80}: expected names and values, found {value!r:.80}")
    return value


def _part(record: Mapping[str, Any], name: str, fields: tuple[str, ...]) -> dict[str, Any]:
    if name not in record:
        raise FormatError(f"{name!r} is missing")
    value = _dict(record, name)
    _only(value, frozenset(fields), repr(name))
    return value


def _optional(
    record: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], _T]
) -> _T | None:
    return None if name not in record else read(record)


def _choice(record: Mapping[str, Any], name: str, choices: tuple[_T, ...]) -> _T:
    value = record.get(name)
    if not isinstance(value, str) or value not in choices:
        words = ", ".join(map(str, choices))
        raise FormatError(f"{name!r}: expected one of {words}, found {value!r:.80}")
    return value


def _count(record: Mapping[str, Any], name: str) -> int:
    value = record.get(name)
    if type(value) is not int or not 0 <= value < _MOST:
        raise FormatError(f"{name!r}: expected a count, found {value!r:.80}")
    return value


def _maybe_count(record: Mapping[str, Any], name: str) -> int | None:
    return None if name not in record else _count(record, name)


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise FormatError(f"{name!r:.80}: expected a text, found {value!r:.80}")
    return _name(value)


def _name(text: str) -> str:
    """Refuse what is no Unicode, and what is longer than any name."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"a text that is no Unicode: {text!r:.80}") from error
    if len(text) > _MAX_TEXT:
        raise FormatError(f"a text of {len(text):,} characters is longer than any: {text!r:.80}")
    return text


def _tree(record: Mapping[str, Any]) -> TreeId:
    return TreeId(parse_hex(_text(record, "tree"), "tree"))


def _version(record: Mapping[str, Any]) -> VersionId:
    value = record.get("version")
    sound = isinstance(value, str) and len(value) == _BLOB_DIGITS
    if not sound or str(value).strip("0123456789abcdef"):
        raise FormatError(f"'version': expected 40 lower-case hex digits, found {value!r:.80}")
    return VersionId(str(value))


def _model(value: dict[str, Any]) -> ModelUse:
    return ModelUse(_MODELS.check(_text(value, "name")), _version(value))


def _data(record: Mapping[str, Any]) -> tuple[DataUse, ...]:
    value = record.get("data")
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_ITEMS:
        raise FormatError(f"'data': expected the data versions, found {value!r:.80}")
    found = []
    for one in value:
        if not isinstance(one, dict):
            raise FormatError(f"'data': expected a data version, found {one!r:.80}")
        _only(one, frozenset({"path", "version", "tree", "role", "samples", "part"}), "'data'")
        path = _text(one, "path")
        check_path(path)
        role = _choice(one, "role", ROLES)
        part = _flat(one, "part")
        found.append(DataUse(path, _version(one), _tree(one), role, _count(one, "samples"), part))
    return tuple(found)


def _initial(value: dict[str, Any]) -> Initial:
    kind = cast(InitialKind, _choice(value, "kind", get_args(InitialKind)))
    if value.keys() - {"kind"} != _INITIAL[kind]:
        wanted = ", ".join(sorted(_INITIAL[kind])) or "nothing else"
        raise FormatError(f"'initial': {kind} goes with {wanted}, found {sorted(value)!r:.80}")
    name = None if "name" not in value else _text(value, "name")
    if kind == "training" and name is not None:
        NAMES.check(name)
    return Initial(
        kind,
        name,
        None if "version" not in value else _version(value),
        None if "tree" not in value else _tree(value),
    )


def _checkpoint(record: Mapping[str, Any]) -> CheckpointFacts:
    value = _part(record, "checkpoint", ("tree", "tensors", "bytes", "parameters"))
    return CheckpointFacts(
        _tree(value),
        _count(value, "tensors"),
        _count(value, "bytes"),
        _maybe_count(value, "parameters"),
    )


def _log(record: Mapping[str, Any]) -> LogFacts:
    value = _part(record, "log", ("tree", "rows", "columns"))
    columns = value.get("columns")
    if not isinstance(columns, list) or not all(isinstance(one, str) for one in columns):
        raise FormatError(f"'columns': expected names, found {columns!r:.80}")
    if len(columns) > _MAX_ITEMS or sorted(set(columns)) != columns:
        raise FormatError("'columns': not sorted, or a name stands twice")
    return LogFacts(_tree(value), _count(value, "rows"), tuple(map(_name, columns)))


def _predictions(record: Mapping[str, Any]) -> PredictionFacts:
    value = _part(record, "predictions", ("tree", "samples"))
    return PredictionFacts(_tree(value), _count(value, "samples"))


def _flat(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = _dict(record, name)
    try:
        unflatten(value)
    except FormatError as error:
        raise FormatError(f"{name!r}: {error!s:.200}") from error
    return value


def _texts(record: Mapping[str, Any], name: str) -> dict[str, str]:
    value = _dict(record, name)
    return {_name(one): _text(value, one) for one in value}


def _numbers(value: Any, what: str) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) > _MAX_ITEMS:
        raise FormatError(f"{what}: expected names and numbers, found {value!r:.80}")
    return {_name(name): _number(one, f"{what}: {name!r:.80}") for name, one in value.items()}


def _number(value: Any, what: str) -> float:
    if isinstance(value, str) and value in NUMBERS:
        return NUMBERS[value]
    # A whole number beyond any metric's could not be turned into a float.
    if type(value) not in (int, float) or not abs(value) < _MAX_METRIC:
        raise FormatError(f"{what}: expected a number, found {value!r:.80}")
    return cast(float, value)
