"""What Neo4j answers to a question of the user's, as plain JSON values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neo4j.graph import Node, Path, Relationship

from veml_vcs.errors import InvalidInputError, shown


@dataclass(frozen=True)
class Answer:
    """Rows of an answer.

    Attributes:
        columns: Their names.
        rows: Their values: JSON's; a node is its ``labels`` and ``properties``, a relationship its
            ``type``, the ids of its ends and its ``properties``.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return each row as column -> value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def plain(value: Any) -> Any:
    """Return a value of Neo4j's as JSON values."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Node):
        return {"labels": sorted(value.labels), "properties": plain(dict(value))}
    if isinstance(value, Relationship):
        ends = {
            name: None if one is None else one.get("id")
            for name, one in (("start", value.start_node), ("end", value.end_node))
        }
        return {"type": value.type, **ends, "properties": plain(dict(value))}
    if isinstance(value, Path):
        return {
            "nodes": [plain(one) for one in value.nodes],
            "relationships": [plain(one) for one in value.relationships],
        }
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value.iso_format() if hasattr(value, "iso_format") else str(value)


def parameters(given: Sequence[str]) -> dict[str, Any]:
    """Return ``NAME=VALUE`` as parameters; a value that is no JSON is text.

    Raises:
        InvalidInputError: One has no name, or is there twice.
    """
    found: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name.removeprefix("$"):
            raise InvalidInputError(f"--param {shown(one)}: expected NAME=VALUE")
        name = name.removeprefix("$")
        if name in found:
            raise InvalidInputError(f"--param {shown(name)}: given twice")
        try:
            found[name] = json.loads(text)
        except (ValueError, RecursionError):
            found[name] = text
    return found
