"""What a record says in plain values, ready for the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from veml_vcs.lineage.graph import EdgeKind, NodeKind, VersionKind
from veml_vcs.lineage.records import Said

encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


class Told(NamedTuple):
    """What ``Said`` has, as the tables have it.

    Attributes:
        version: Its id.
        kind: Of it.
        props: What it says of itself.
        text: The same as JSON.
        facts: Id, kind and name of each.
        edges: Kind, target and JSON of each.
        kinds: Id and kind of each target that is a version.
    """

    version: str
    kind: VersionKind
    props: Mapping[str, Any]
    text: str
    facts: tuple[tuple[str, NodeKind, str], ...]
    edges: tuple[tuple[EdgeKind, str, str], ...]
    kinds: tuple[tuple[str, str], ...]


def told(said: Said) -> Told:
    """Return what a record says in plain values."""
    version, kind, _, props, _ = said.node
    return Told(
        version, kind, props, text_of(props),  # type: ignore[arg-type]  # no record is of a commit
        tuple([(one.id, one.kind, one.name) for one in said.facts]),
        tuple([(edge, target, text_of(about)) for _, edge, target, about in said.edges]),
        tuple(said.kinds.items()),
    )  # fmt: skip


def text_of(props: Mapping[str, Any]) -> str:
    """Return what a node or an edge says as the tables have it."""
    if not props:
        return "{}"
    if len(props) == 1:
        ((name, value),) = props.items()
        if type(value) in (str, int):  # most edges
            return _text_of_one(name, value)
        if type(value) is list and len(value) == 1 and type(value[0]) is str:
            return _text_of_list(name, value[0])
    return encode(props)


@lru_cache(10_000)
def _text_of_one(name: str, value: str | int) -> str:
    return encode({name: value})


@lru_cache(10_000)
def _text_of_list(name: str, value: str) -> str:
    return encode({name: [value]})
