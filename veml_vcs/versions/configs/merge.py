"""One dict merged into another as MMEngine does it; the whole of a config into what it inherits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from veml_vcs.versions.configs.budget import MAX_DEPTH


def merge_into(
    old: dict[Any, Any], new: Mapping[Any, Any], spend: Callable[[int], None], depth: int = 0
) -> dict[Any, Any]:
    """Merge a dict into another as MMEngine does: dicts by key, ``_delete_`` replaces one whole.

    Args:
        old: Is changed.
        new: What is merged into it.
        spend: Is told how many elements are copied, and refuses by raising.
        depth: How deep in the values this is.

    Returns:
        ``old``.

    Raises:
        TypeError: A dict would be merged into something that is none, or they are nested too deep.
    """
    spend(len(new))
    if depth > MAX_DEPTH:
        raise TypeError("dicts are nested too deep")
    for key, value in new.items():
        if isinstance(value, dict) and key in old and not value.get("_delete_", False):
            if not isinstance(old[key], dict):
                raise TypeError(
                    f"{key}: a dict cannot be merged into {type(old[key]).__name__}; "
                    "_delete_=True replaces it"
                )
            rest = {name: one for name, one in value.items() if name != "_delete_"}
            spend(len(old[key]) + len(rest))
            old[key] = merge_into(dict(old[key]), rest, spend, depth + 1)
        elif isinstance(value, dict) and key in old:
            old[key] = {name: one for name, one in value.items() if name != "_delete_"}
        else:
            old[key] = value
    return old
