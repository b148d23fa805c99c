"""``--set key=value``: change a config's values without editing it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.versions.models import flatten, unflatten

_WORDS = {"True": True, "False": False, "None": None}


def parse_setting(text: str) -> tuple[str, Any]:
    """Split ``key=value``; the value is JSON, or a word of Python's, else a text.

    Raises:
        InvalidInputError: There is no ``=``, or no key.
    """
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise InvalidInputError(
            f"--set {text!r}: expected KEY=VALUE", hint="--set optim_wrapper.optimizer.lr=0.001"
        )
    if value in _WORDS:
        return key.strip(), _WORDS[value]
    try:
        return key.strip(), json.loads(value)
    except ValueError:
        return key.strip(), value


def apply_settings(config: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return a config with values changed or added.

    Args:
        config: Nested and plain; it is not changed.
        settings: Each ``KEY=VALUE``, keys joined by dots; a number is a place in a list.

    Raises:
        InvalidInputError: A key leads through something that has no keys, or out of a list.
    """
    changed = unflatten(flatten(config))
    for text in settings:
        key, value = parse_setting(text)
        _put(changed, key, value)
    return changed


def variables_alone(
    before: Mapping[str, Any], settings: Iterable[str], read: Iterable[str]
) -> list[str]:
    """Say which settings changed a variable that nothing but the config's own text looks at.

    A config makes other values of its variables (``max_iters=iterations``). Its text was read long
    before, so those values stay.

    Args:
        before: The config, flat, as it was.
        settings: Each ``KEY=VALUE``.
        read: Names at the top of a config that a training reads.

    Returns:
        A sentence each.
    """
    said = []
    for text in settings:
        key, _ = parse_setting(text)
        if "." in key or key in read or key not in before:
            continue
        old = before[key]
        same = [
            name
            for name, one in before.items()
            if name != key and type(one) is type(old) and one == old and one not in (0, 1)
        ]
        listed = ", ".join(same[:4]) + (", ..." if len(same) > 4 else "")
        left = f"{len(same)} keys have its old value, {old!r:.60}, and keep it: {listed}"
        said.append(
            f"--set {key}: only the config's own text looks at this variable, and what it made of "
            f"it stays; set those keys instead ({left if same else 'none has its old value'})"
        )
    return said


def _put(config: dict[str, Any], key: str, value: Any) -> None:
    place: Any = config
    parts = key.split(".")
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        above = ".".join(parts[:depth]) or "the config"
        if isinstance(place, list):
            if not part.isdigit() or int(part) >= len(place):
                raise InvalidInputError(
                    f"--set {key}: {above} is a list of {len(place)}, with places 0 to "
                    f"{len(place) - 1}; found {part!r}"
                )
            index: Any = int(part)
        elif isinstance(place, dict):
            index = part
        else:
            raise InvalidInputError(f"--set {key}: {above} is {place!r:.60}, which has no keys")
        if last:
            place[index] = value
        elif isinstance(place, dict):
            place = place.setdefault(index, {})
        else:
            place = place[index]
