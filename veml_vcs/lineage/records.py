"""What a record says of its version: one node, its facts, and edges to what it was made of."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from veml_vcs.lineage.graph import Edge, EdgeKind, FactKind, Node, VersionKind, normal, whole
from veml_vcs.versions.configs.facts import Part
from veml_vcs.versions.data import is_data_record, parse_data_record
from veml_vcs.versions.kinds import INFERENCE, KINDS, MODEL, TRAINING, kind_of

_VERSION = re.compile("[0-9a-f]{40}")
_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Said:
    """What one record says.

    Attributes:
        node: Its version; the name is empty, since a record does not say where it stands.
        facts: Nodes of facts.
        edges: From the version; a target may be in no commit.
        kinds: Of the targets that are versions: id -> kind.
    """

    node: Node
    facts: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    kinds: Mapping[str, VersionKind] = field(default_factory=dict)


class _Saying:
    """Collects what a record says."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.facts: dict[str, Node] = {}
        self.edges: dict[tuple[str, str], Edge] = {}
        self.kinds: dict[str, VersionKind] = {}

    def fact(self, kind: FactKind, name: str, shown: str | None = None, **props: Any) -> None:
        """Say that the version has a fact."""
        if not name:
            return
        node = _fact(kind, name, shown or name)
        before = self.facts.get(node.id)
        # Of two ways to write a name the first in order is shown, whoever said it first.
        if before is None or node.name < before.name:
            self.facts[node.id] = before = node
        self.edges["has", node.id] = Edge(
            self.version, "has", node.id, props | {"name": before.name} if props
            else {"name": before.name},
        )  # fmt: skip

    def part(self, kind: FactKind, part: Part) -> None:
        """Say that a model has a part: as its type, and with its depth where it has one."""
        self.fact(kind, part.type)
        depth = part.sizes.get("depth", part.sizes.get("arch"))
        if depth is not None:
            self.fact(kind, f"{part.type}{depth}", f"{part.type}-{depth}")

    def source(self, kind: EdgeKind, target: object, of: VersionKind, **props: Any) -> None:
        """Say what the version came from, if that is named by a version id."""
        if not is_version(target):
            return
        key = (kind, str(target))
        before = self.edges.get(key)
        if before is not None and "roles" in props:
            props["roles"] = sorted({*before.props.get("roles", ()), *props["roles"]})
        self.edges[key] = Edge(self.version, kind, str(target), props)
        self.kinds[str(target)] = min(of, self.kinds.get(str(target), of))  # as ``Writer`` has it

    def done(self, kind: VersionKind, props: dict[str, Any]) -> Said:
        left = {name: one for name, one in props.items() if one or type(one) in _NUMBERS}
        return Said(
            Node(self.version, kind, props=left),
            tuple(self.facts.values()),
            tuple(self.edges.values()),
            self.kinds,
        )


@lru_cache(10_000)
def _fact(kind: FactKind, name: str, shown: str) -> Node:
    return Node(f"{kind}:{normal(name)}", kind, whole(shown))


def is_version(text: object) -> bool:
    """Tell whether a value can be a version id; records of strangers say anything."""
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def read_record(data: bytes, version: str, path: str) -> Said | None:
    """Return what a record says; None of a file that is no record of a version.

    Args:
        data: The record's bytes.
        version: Its blob id.
        path: Where it stands, for messages; ``check_place`` tells whether it may.

    Raises:
        FormatError: It is damaged, or hostile.
    """
    if is_data_record(data):
        return _data(data, version, path)
    kind = kind_of(data)
    return None if kind is None else _READERS[kind.name](data, version, path)


@lru_cache(10_000)  # names have many versions; a refusal is not kept
def check_place(kind: str, path: str) -> None:
    """Refuse a place where no record of a kind can stand.

    Raises:
        FormatError: It is one.
    """
    of = _BY_FOLDER.get(kind)
    if of is not None:
        of.name_of(path)


def compared(version: str, kind: str, said: object) -> Edge | None:
    """Return what a line of a note says; None where it says nothing.

    Args:
        version: What the note is about; notes can be on anything.
        kind: ``drift`` or ``similar``.
        said: The line's JSON value.
    """
    edge, other = _COMPARED[kind]
    if not isinstance(said, Mapping) or not is_version(said.get(other)) or not is_version(version):
        return None
    report = said.get("report")
    told = {**_test(report), **(report if isinstance(report, Mapping) else {}), **said}
    return Edge(
        version, edge, said[other],
        {
            name: one for name, one in told.items()
            if name != other
            and (isinstance(one, str) or (isinstance(one, int | float) and abs(one) <= _LARGEST))
        },
    )  # fmt: skip


def _test(report: object) -> Mapping[str, Any]:
    """Return the test of a report of drift, which says how large it is."""
    part = report.get("test") if isinstance(report, Mapping) else None
    return part if isinstance(part, Mapping) else {}


_COMPARED: Mapping[str, tuple[EdgeKind, str]] = {
    "drift": ("drifted_from", "train"), "similar": ("similar_to", "other"),
}  # fmt: skip


def _data(data: bytes, version: str, path: str) -> Said:
    record = parse_data_record(data, path)
    saying = _Saying(version)
    for one in record.facts.classes:
        count = record.class_counts.get(one.name)
        saying.fact("class", one.name, objects=count.objects if count else 0)
    for origin in _maps(record.derived.get("from")):
        saying.source(
            "derived_from", origin.get("version"), "data",
            operation=str(record.derived.get("operation", "")),
        )  # fmt: skip
    return saying.done(
        "data",
        {
            "format": record.facts.format,
            "task": record.facts.task,
            "samples": record.samples,
            "objects": record.objects,
            "bytes": record.content_bytes,
            "tree": record.tree.hex(),
            "operation": str(record.derived.get("operation", "")),
        },
    )


def _model(data: bytes, version: str, path: str) -> Said:
    record = MODEL.parse(data, path)
    facts = record.facts
    saying = _Saying(version)
    saying.fact("architecture", facts.architecture)
    if facts.backbone is not None:
        saying.part("backbone", facts.backbone)
    for neck in facts.necks:
        saying.part("neck", neck)
    for head in facts.heads:
        saying.part("head", head)
    for loss in facts.losses.values():
        saying.fact("loss", loss)
    saying.fact("optimiser", facts.optimiser)
    for one in facts.schedule:
        saying.fact("schedule", one)
    for one in facts.transforms:
        saying.fact("transform", one)
    return saying.done(
        "model",
        {
            "architecture": facts.architecture,
            "backbone": str(facts.backbone) if facts.backbone else None,
            "learning_rate": facts.learning_rate,
            "epochs": facts.epochs,
            "iterations": facts.iterations,
            "batch_size": facts.batch_size,
            "parameters": record.parameters,
        },
    )


def _training(data: bytes, version: str, path: str) -> Said:
    record = TRAINING.parse(data, path)
    saying = _Saying(version)
    for use in record.data:
        saying.source("trained_on", use.version, "data", roles=[use.role])
    saying.source("uses", record.model.version, "model")
    if record.initial.version is not None:
        saying.source("initialised_from", record.initial.version, "training")
    for origin in _maps(record.derived.get("from")):
        saying.source("derived_from", origin.get("version"), "training")
    _from(saying, "transferred_from", record.transferred_from)
    _from(saying, "rebuilt_from", record.rebuilt_from)
    return saying.done(
        "training",
        {
            "task": record.task,
            "status": record.status,
            "seed": record.seed,
            "epochs": record.epochs,
            "iterations": record.iterations,
            "metrics": _finite(record.metrics),
            "parameters": record.checkpoint.parameters,
        },
    )


def _inference(data: bytes, version: str, path: str) -> Said:
    record = INFERENCE.parse(data, path)
    saying = _Saying(version)
    saying.source("deployed_from", record.training.version, "training")
    for use in record.data:
        saying.source("measured_on", use.version, "data", roles=[use.role])
    return saying.done(
        "inference",
        {
            "task": record.task,
            "format": record.format,
            "quantisation": record.quantisation,
            "device": record.device,
            "bytes": record.file.size_bytes,
            "metrics": _finite(record.metrics),
            "median_ms": record.latency.median_ms if record.latency else None,
        },
    )


def _from(
    saying: _Saying,
    kind: Literal["transferred_from", "rebuilt_from"],
    said: Mapping[str, Any],
) -> None:
    """Point to the training and the data that a lifecycle was taken over from, with its numbers."""
    numbers = {
        name: one for name, one in said.items()
        if isinstance(one, int | float | str) and not is_version(one)
    }  # fmt: skip
    for name, one in said.items():
        of: VersionKind = "data" if "data" in name else "training"
        saying.source(kind, one, of, **numbers)


def _maps(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list | tuple):
        yield from (one for one in value if isinstance(one, Mapping))


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: one for name, one in metrics.items() if math.isfinite(one)}


_NUMBERS = frozenset((int, float, bool))
"""Of these 0 says something."""
_BY_FOLDER = {one.name: one for one in KINDS}
_READERS: Mapping[str, Callable[[bytes, str, str], Said]] = {
    "model": _model, "training": _training, "inference": _inference,
}  # fmt: skip
