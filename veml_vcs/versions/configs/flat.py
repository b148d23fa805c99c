"""A config as a flat list of keys and values, one a line: ``model.backbone.depth``: 50.

So a config is written into a record, compared and merged. Keys of dicts are joined by dots; in a
key, ``~`` is ``~0`` and ``.`` is ``~1`` (as a JSON Pointer does for its slash). A list is one
value: its elements have no names by which two sides could speak of the same one. Numbers that JSON
does not have are the texts ``~inf``, ``~-inf``, ``~nan``; a text of the config that begins with
``~`` gets one more.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import FormatError
from veml_vcs.versions.configs.budget import MAX_DEPTH, MAX_ITEMS, MAX_NUMBER

NUMBERS = {"~inf": math.inf, "~-inf": -math.inf, "~nan": math.nan}
"""What stands for a number that JSON has none for."""
MISSING = object()
"""Stands where a side has no such key; a config may hold None."""


@dataclass(frozen=True)
class ConfigChange:
    """One key of a config that differs.

    Attributes:
        key: The flat key.
        kind: ``added``, ``removed`` or ``changed``.
        old: The value before; None if it was not there.
        new: The value after; None if it is gone.
    """

    key: str
    kind: str
    old: Any = None
    new: Any = None


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flat form of a config, as a record holds it, sorted by key.

    Args:
        config: As ``read_config`` gives it.

    Raises:
        FormatError: A text in it is no Unicode, so that no file could hold it.
    """
    return dict(sorted(_flat(config, ""), key=lambda one: one[0]))


def _flat(value: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, one in value.items():
        key = before + _text(name.replace("~", "~0").replace(".", "~1"))
        if isinstance(one, Mapping) and one:
            yield from _flat(one, key + ".")
        else:
            yield key, written(one)


def written(value: Any) -> Any:
    """Return a value as a record holds it: texts and numbers escaped, dicts sorted."""
    if isinstance(value, str):
        return _text("~" + value if value.startswith("~") else value)
    if isinstance(value, float) and not math.isfinite(value):
        return next(text for text, one in NUMBERS.items() if str(one) == str(value))
    if isinstance(value, list):
        return [written(one) for one in value]
    if isinstance(value, Mapping):
        return {_text(name): written(one) for name, one in sorted(value.items())}
    return value


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(
            f"the config holds a text that is no Unicode: {text!r:.80}",
            hint="a record cannot hold it; write bytes in another way",
        ) from error
    return text


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config whose flat form this is, its keys in the order of the flat ones.

    What is said of a model must not hang on an order that a record does not keep.

    Raises:
        FormatError: It is no config's: a key is below a value, too much, too deep.
    """
    config: dict[str, Any] = {}
    left = [MAX_ITEMS]
    for key in sorted(flat):
        value = flat[key]
        parts = key.split(".")
        if "~" in key or not key.isascii():
            parts = [_name(part) for part in parts]
        if len(parts) > MAX_DEPTH:
            raise FormatError(f"the config key {key!r:.80} is nested too deep")
        place = config
        for part in parts[:-1]:
            if part not in place:
                _spend(left)
                place[part] = {}
            place = place[part]
            if not isinstance(place, dict):
                raise FormatError(f"the config key {key!r:.80} is below something that is no dict")
        if parts[-1] in place:
            raise FormatError(f"the config key {key!r:.80} is a value and a dict")
        place[parts[-1]] = _read(value, left, len(parts))
    return config


def _spend(left: list[int]) -> None:
    left[0] -= 1
    if left[0] < 0:
        raise FormatError(f"the config holds more than {MAX_ITEMS:,} values")


def _name(part: str) -> str:
    if "~" in part.replace("~0", "").replace("~1", ""):
        raise FormatError(f"the config key {part!r:.80} has a ~ that is neither ~0 nor ~1")
    return _text(part).replace("~1", ".").replace("~0", "~")


def _read(value: Any, left: list[int], depth: int) -> Any:
    _spend(left)
    if depth > MAX_DEPTH:
        raise FormatError("the config is nested too deep")
    if isinstance(value, str):
        if not value.isascii():
            _text(value)
        if not value.startswith("~"):
            return value
        if value in NUMBERS:
            return NUMBERS[value]
        if not value.startswith("~~"):
            raise FormatError(f"the config value {value!r:.80} begins with one ~")
        return value[1:]
    if isinstance(value, list):
        return [_read(one, left, depth + 1) for one in value]
    if isinstance(value, dict):
        return {_text(name): _read(one, left, depth + 1) for name, one in sorted(value.items())}
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise FormatError("the config holds a number beyond any config's")
    if isinstance(value, float) and not math.isfinite(value):
        raise FormatError("the config holds a number that JSON does not have")  # 1e999
    return value


def same(one: Any, other: Any) -> bool:
    """Tell whether two flat values are the same; 1, 1.0 and True are three."""
    if one is MISSING or other is MISSING:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def compare_configs(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[ConfigChange, ...]:
    """Return the keys that differ between two flat configs, sorted."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key, MISSING), new.get(key, MISSING)
        if same(before, after):
            continue
        if before is MISSING:
            found.append(ConfigChange(key, "added", None, after))
        elif after is MISSING:
            found.append(ConfigChange(key, "removed", before, None))
        else:
            found.append(ConfigChange(key, "changed", before, after))
    return tuple(found)
