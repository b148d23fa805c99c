"""Results as JSON: the fields of the library's dataclasses, nothing renamed, nothing left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum


def to_json(value: object) -> str:
    """Return a result as a JSON text.

    Ids (bytes) become hex, enums their names, sets sorted lists, and numbers that are not finite
    null. Only ASCII is written: what is odd in a name is an escape, whatever the terminal.
    """
    return json.dumps(plain(value), indent=2, ensure_ascii=True, allow_nan=False)


def plain(value: object) -> object:
    """Return a value made of JSON's types alone."""
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, Enum) else value.name.lower()
    if isinstance(value, Enum):
        return str(value.value) if isinstance(value.value, str) else value.name.lower()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray | memoryview):
        return value.hex()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    raise TypeError(f"no JSON form for {type(value).__name__}")


def _key(key: object) -> str:
    text = plain(key)
    return text if isinstance(text, str) else json.dumps(text)
