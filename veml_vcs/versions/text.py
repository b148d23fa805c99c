"""Canonical JSON for records: sorted keys, one fact a line, so that ``git diff`` reads well."""

from __future__ import annotations

import json
import math
from typing import Any

from veml_vcs.errors import FormatError

FORMAT_VERSION = 1
MAX_RECORD_BYTES = 16 << 20


def dump_record(record: dict[str, Any]) -> bytes:
    """Return the bytes of a record.

    Top-level keys are sorted, one a line; a list or an object directly below has one item a line;
    everything deeper stands on its item's line. The text ends with a newline.

    Raises:
        FormatError: A text in it has half a surrogate pair, which is no character.
    """
    lines = []
    for key in sorted(record):
        value = record[key]
        if isinstance(value, dict) and value:
            items = [f"{_dump(name)}: {_dump(value[name])}" for name in sorted(value)]
            text = "{\n  " + ",\n  ".join(items) + "\n }"
        elif isinstance(value, (list, tuple)) and value:
            text = "[\n  " + ",\n  ".join(_dump(item) for item in value) + "\n ]"
        else:
            text = _dump(value)
        lines.append(f" {_dump(key)}: {text}")
    return _whole_characters("{\n" + ",\n".join(lines) + "\n}\n", "a record")


def load_record(data: bytes, where: str) -> dict[str, Any]:
    """Return the fields of a record.

    Args:
        data: The bytes of the record.
        where: Its path, for messages.

    Raises:
        FormatError: It is not a record, or one that a newer veml wrote.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise FormatError(f"{where}: a record of {len(data)} bytes is larger than any real one")
    if b"\n<<<<<<< " in data or data.startswith(b"<<<<<<< "):
        raise FormatError(
            f"{where}: git left conflict marks in this record",
            hint="git checkout --ours -- FILE (or --theirs), then veml checkout; or let veml merge",
        )
    try:
        record = _DECODER.decode(data.decode("utf-8"))
        # Nothing else brings half a pair in, and veml writes no escapes but of controls.
        text = _dump(record) if b"\\u" in data else ""
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where}: not a veml record: {error!s:.200}") from error
    _whole_characters(text, where)
    if not isinstance(record, dict) or type(record.get("veml")) is not int:
        raise FormatError(f"{where}: not a veml record (no format version under 'veml')")
    if record["veml"] > FORMAT_VERSION:
        raise FormatError(
            f"{where}: written by a newer veml (format {record['veml']!s:.20}, this one reads "
            f"{FORMAT_VERSION})",
            hint="pip install --upgrade veml",
            kind="newer-format",
        )
    return record


def load_value(data: bytes, begin: int) -> Any:
    """Return the JSON value that a text is from some byte on, checked as ``load_record`` does.

    Args:
        data: ASCII up to there.
        begin: Where it begins; whitespace around it is refused.

    Raises:
        ValueError: It is none, or not one alone.
        RecursionError: It is nested too deep.
        FormatError: A text in it has half a surrogate pair.
    """
    text = data.decode("utf-8")
    value, end = _DECODER.raw_decode(text, begin)
    if end != len(text):
        raise ValueError("more than one value")
    if b"\\u" in data:
        _whole_characters(_dump(value), "a field")
    return value


def _whole_characters(text: str, where: str) -> bytes:
    """Return a text as UTF-8.

    Raises:
        FormatError: It has half a surrogate pair: JSON and YAML can spell one, UTF-8 cannot.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        about = ascii(text[max(0, error.start - 20) : error.start + 20])
        raise FormatError(
            f"{where}: expected whole characters, found half a surrogate pair near {about}",
            hint="give the class, field or file that is named there a name in UTF-8",
        ) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _number(text: str) -> float:
    found = float(text)
    if math.isinf(found):  # nothing that is written again could hold it
        raise ValueError(f"{text:.40} is larger than any number")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_number, object_pairs_hook=_unique)
"""Kept: making one takes as long as reading a short record."""


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
