"""What reading a whole version once told of it, so that a small edit is understood without that.

Hints (see ``Layout.hints``) follow from a version alone, so they stay true after a checkout or a
merge went elsewhere: they are kept for the versions that were seen last, in the stat cache. Losing
them costs reading the annotation file once. Which hints a format needs is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from veml_vcs.versions.data import DataRecord

_MOST_VERSIONS = 32
_MOST_BYTES = 1 << 20
"""Every command reads the stat cache; the newest hints are kept whatever their size."""


def recall(stored: bytes, version: DataRecord) -> dict[str, Any]:
    """Return the hints of a version; nothing where none are kept.

    Args:
        stored: What the stat cache holds.
        version: The version.
    """
    found: dict[str, Any] = json.loads(stored or b"{}").get(_name(version), {})
    return found


def noted(stored: bytes, version: DataRecord, hints: Mapping[str, Any]) -> bytes:
    """Return what the stat cache shall hold once the hints of a version are known.

    Args:
        stored: What it holds.
        version: The version.
        hints: Its hints; empty ones are not worth a place.
    """
    if not hints:
        return stored
    kept = {_name(version): dict(hints)}
    total = 0
    for name, one in json.loads(stored or b"{}").items():
        total += len(json.dumps(one))
        if len(kept) == _MOST_VERSIONS or total > _MOST_BYTES:
            break
        kept.setdefault(name, one)
    return json.dumps(kept).encode()


def _name(version: DataRecord) -> str:
    return f"{version.tree.hex()} {version.facts.format}"
