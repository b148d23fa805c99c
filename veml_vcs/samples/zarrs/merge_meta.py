"""Three-way merge of Zarr metadata files: attributes and consolidated metadata, key by key.

Not of what chunks depend on: whether that may be merged is decided before (``repository``).
"""

from __future__ import annotations

import json
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.annotations.conflicts import MISSING, Choice, Conflict, ConflictKind, Ledger
from veml_vcs.samples.annotations.three_way import merge_value
from veml_vcs.samples.zarrs.meta import MAX_META_BYTES

_INDENTS = (2, 4, None)


def merge_meta(
    base: bytes | None, ours: bytes, theirs: bytes, choice: Choice | None
) -> tuple[bytes, list[Conflict]]:
    """Merge a metadata file that both sides changed.

    Args:
        base: The common ancestor's; None if there was none.
        ours: Our side's.
        theirs: Their side's.
        choice: The side all conflicts are settled to; None leaves them open, and ours stands.

    Returns:
        The merged file, a side's own bytes where that side has all of it; and what both sides
        changed differently.

    Raises:
        FormatError: One is no JSON object, or says what JSON cannot (NaN).
    """
    values = [MISSING if one is None else _parsed(one) for one in (base, ours, theirs)]
    ledger = Ledger(choice)
    try:
        merged = merge_value(*values, kind=ConflictKind.FIELD_BOTH, path="", ledger=ledger)
    except (InvalidInputError, RecursionError) as error:
        raise FormatError(f"metadata that cannot be merged: {error!s:.100}") from error
    if not isinstance(merged, dict):
        raise FormatError("metadata that one side replaced whole")
    for data, side in ((ours, values[1]), (theirs, values[2])):
        if merged == side:
            return data, ledger.conflicts
    return json.dumps(merged, indent=_indent_of(ours, values[1])).encode(), ledger.conflicts


def _parsed(data: bytes) -> Any:
    try:
        facts = json.loads(data) if len(data) <= MAX_META_BYTES else None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"metadata that are no JSON: {error!s:.100}") from error
    if not isinstance(facts, dict):
        raise FormatError("metadata that are no JSON object")
    return facts


def _indent_of(data: bytes, facts: Any) -> int | None:
    """Return how a file is indented, as Python's own writer does it."""
    for indent in _INDENTS:
        if json.dumps(facts, indent=indent).encode() == data.rstrip():
            return indent
    return _INDENTS[0]
