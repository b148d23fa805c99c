"""Read the fields of a record: a stranger's text, so that every one is checked; write some back.

Each function takes the record, or a part of it, and raises ``FormatError`` with the field's name
where it is not what it should be. What fields there are is each kind's own matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.ids import TreeId, VersionId, parse_hex
from veml_vcs.versions.configs.flat import NUMBERS, unflatten
from veml_vcs.versions.lines import LineReader
from veml_vcs.versions.text import load_record

_T = TypeVar("_T")
_BLOB_DIGITS = 40
_MOST = 1 << 63
MAX_ITEMS = 100_000
_MAX_METRIC = 1e308
_MAX_TEXT = 4096


def read_record(data: bytes, where: str, reader: LineReader[_T]) -> _T:
    """Read a record of one kind.

    Args:
        data: The record's bytes.
        where: Its path, for messages.
        reader: What fields such a record can have, and what they stand for.

    Raises:
        FormatError: It is no record of that kind, or a field is not what it should be.
    """
    known = reader.lines(data)
    if known is not None:
        return known
    record = load_record(data, where)
    kind, found = reader.kind, record.get("kind")
    if found != kind:
        raise FormatError(f"{where}: expected a record of kind {kind}, found kind {found!r:.80}")
    try:
        unknown = record.keys() - reader.fields - {"veml", "kind"}
        if unknown:
            raise FormatError(f"a field that no {kind} record has: {min(unknown)!r:.80}")
        return reader.whole(record)
    except (FormatError, InvalidInputError) as error:
        raise FormatError(f"{where}: {error!s:.300}") from error


def mapping(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return names and values; none where the field is not there."""
    value = record.get(name, {})
    if not isinstance(value, dict) or len(value) > MAX_ITEMS:
        raise FormatError(f"{name!r:.80}: expected names and values, found {value!r:.80}")
    return value


def part(record: Mapping[str, Any], name: str, fields: tuple[str, ...]) -> dict[str, Any]:
    """Return a field that has fields itself, and no others than these."""
    if name not in record:
        raise FormatError(f"{name!r} is missing")
    return only(mapping(record, name), fields, repr(name))


def only(found: dict[str, Any], fields: tuple[str, ...], what: str) -> dict[str, Any]:
    """Refuse fields that are not among these."""
    unknown = [name for name in found if name not in fields]
    if unknown:
        raise FormatError(f"{what} has a field that it cannot have: {min(unknown)!r:.80}")
    return found


def optional(
    record: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], _T]
) -> _T | None:
    """Return what ``read`` makes of the record; None where it has no such field."""
    return None if name not in record else read(record)


def choice(record: Mapping[str, Any], name: str, choices: tuple[_T, ...]) -> _T:
    """Return one of some words."""
    value = record.get(name)
    if not isinstance(value, str) or value not in choices:
        words = ", ".join(map(str, choices))
        raise FormatError(f"{name!r}: expected one of {words}, found {value!r:.80}")
    return value


def count(record: Mapping[str, Any], name: str) -> int:
    """Return a whole number that is not negative."""
    value = record.get(name)
    if type(value) is not int or not 0 <= value < _MOST:
        raise FormatError(f"{name!r}: expected a count, found {value!r:.80}")
    return value


def maybe_count(record: Mapping[str, Any], name: str) -> int | None:
    """Return ``count``; None where the record has no such field."""
    return None if name not in record else count(record, name)


def text(record: Mapping[str, Any], name: str) -> str:
    """Return a text."""
    value = record.get(name)
    if not isinstance(value, str):
        raise FormatError(f"{name!r:.80}: expected a text, found {value!r:.80}")
    return check_text(value)


def check_text(value: str) -> str:
    """Refuse what is no Unicode, and what is longer than any name."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"a text that is no Unicode: {value!r:.80}") from error
    if len(value) > _MAX_TEXT:
        raise FormatError(f"a text of {len(value):,} characters is longer than any: {value!r:.80}")
    return value


def texts(record: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return names and texts."""
    value = mapping(record, name)
    return {check_text(one): text(value, one) for one in value}


def text_list(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return texts in their order; none where the field is not there."""
    value = record.get(name, [])
    sound = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if not sound or len(value) > MAX_ITEMS:
        raise FormatError(f"{name!r}: expected names, found {value!r:.80}")
    return tuple(map(check_text, value))


def tree(record: Mapping[str, Any]) -> TreeId:
    """Return the root of a tree: the field ``tree``."""
    return TreeId(parse_hex(text(record, "tree"), "tree"))


def version(record: Mapping[str, Any]) -> VersionId:
    """Return a version id: the field ``version``."""
    return blob(record.get("version"), "version")


def blob(value: Any, name: str) -> VersionId:
    """Return the id of a Git blob."""
    sound = isinstance(value, str) and len(value) == _BLOB_DIGITS
    if not sound or str(value).strip("0123456789abcdef"):
        raise FormatError(f"{name!r}: expected 40 lower-case hex digits, found {value!r:.80}")
    return VersionId(str(value))


def flat(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a flat config, or flat JSON values."""
    if name not in record:
        return {}
    value = mapping(record, name)
    try:
        unflatten(value)
    except FormatError as error:
        raise FormatError(f"{name!r}: {error!s:.200}") from error
    return value


def numbers(value: Any, what: str) -> dict[str, float]:
    """Return names and numbers."""
    if not isinstance(value, dict) or len(value) > MAX_ITEMS:
        raise FormatError(f"{what}: expected names and numbers, found {value!r:.80}")
    return {check_text(name): number(one, f"{what}: {name!r:.80}") for name, one in value.items()}


def numbers_by_class(record: Mapping[str, Any], name: str) -> dict[str, dict[str, float]]:
    """Return class -> name -> number."""
    return {
        check_text(of): numbers(one, f"{name} {of!r:.80}")
        for of, one in mapping(record, name).items()
    }


def number(value: Any, what: str) -> float:
    """Return a number, also one that JSON has none for."""
    if isinstance(value, str) and value in NUMBERS:
        return NUMBERS[value]
    # A whole number beyond any metric's could not be turned into a float.
    if type(value) not in (int, float) or not abs(value) < _MAX_METRIC:
        raise FormatError(f"{what}: expected a number, found {value!r:.80}")
    return cast(float, value)


def numbers_json(metrics: Mapping[str, float]) -> dict[str, Any]:
    """Return names and numbers as a record holds them."""
    return {name: _number_json(one) for name, one in metrics.items()}


def _number_json(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return next(word for word, one in NUMBERS.items() if str(one) == str(float(value)))
