"""Which files of a folder make a series with a graph: by names, or as ``series.json`` says.

By names alone, since what a record says must follow from a data set's content in the same way
whether all of it is read or only what changed. No numbers are read here; imports no numpy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import FormatError

CONFIG = "series.json"
"""A file of this name at the top of a data set says how its series is laid out."""

MAX_CONFIG_BYTES = 1 << 20
_LISTS = ("values", "time", "features")
_WORDS = ("adjacency", "sensor", "array")
_FORMS = ("wide", "long")
_KNOWN = frozenset((*_LISTS, *_WORDS, "form"))
_GRAPH_WORDS = frozenset(("edges", "edgelist"))
_WEIGHTS = re.compile(r"w_\d+")
_PEMS = re.compile(r"pems\w*\d")


@dataclass(frozen=True)
class SeriesLayout:
    """How the files of a series play together.

    Attributes:
        adjacency: Key of the file with the graph (``series.json``: its ``edges``); None where there
            is none.
        values: Keys of the files with values; empty: all that fit the graph.
        form: ``wide`` (a column a sensor), ``long`` (a column says the sensor); None to find out.
        time: Columns that tell the time, of a table; empty to find out.
        sensor: Column that tells the sensor, of a long table; None to find out.
        features: Columns that are features, of a long table; empty: all others with numbers.
        array: Name of the array with the values in an NPZ file; None to find out.
    """

    adjacency: str | None = None
    values: tuple[str, ...] = ()
    form: str | None = None
    time: tuple[str, ...] = ()
    sensor: str | None = None
    features: tuple[str, ...] = ()
    array: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what differs from the default as JSON values, for ``Facts.layout``."""
        facts = {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}
        return {name: value for name, value in facts.items() if value}

    @staticmethod
    def from_json(facts: Any) -> SeriesLayout | None:
        """Undo ``to_json``; None for what no version of veml wrote (a stranger's record)."""
        if not isinstance(facts, Mapping):
            return None
        try:
            return _checked(facts, "the record")
        except FormatError:
            return None


def find_series(
    samples: Sequence[str], keys: Sequence[str], read: Callable[[str], bytes]
) -> SeriesLayout | None:
    """Return the layout of a series among files of numbers; None if there is none.

    Args:
        samples: Keys of the files of numbers, sorted.
        keys: All keys.
        read: Returns a file's bytes; asked for ``series.json`` alone.

    Raises:
        FormatError: ``series.json`` names a graph or values, and is wrong.
    """
    if CONFIG in keys:
        told = _told(read(CONFIG), set(samples))
        if told is not None:
            return told
    graphs = [key for key in samples if _names_graph(key, samples)]
    if not graphs or len(samples) < 2:
        return None
    return SeriesLayout(min(graphs, key=lambda key: (not _says_adjacency(key), len(key), key)))


def _told(data: bytes, samples: set[str]) -> SeriesLayout | None:
    """Read ``series.json``; None if it is about something else."""
    if len(data) > MAX_CONFIG_BYTES:
        return None
    try:
        facts = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or not facts:
        return None
    # A file that names neither files nor edges is ours if it says nothing that we do not know.
    if not facts.keys() & {"adjacency", "values", "edges"} and facts.keys() - _KNOWN:
        return None
    if "edges" in facts:
        if "adjacency" in facts:
            raise FormatError(f"{CONFIG}: has edges, and names another graph ('adjacency')")
        facts = {name: value for name, value in facts.items() if name != "edges"}
        facts["adjacency"] = CONFIG
    found = _checked(facts, CONFIG)
    for key in (*found.values, *([found.adjacency] if found.adjacency else [])):
        if key not in samples and key != CONFIG:
            raise FormatError(f"{CONFIG}: names {key!r:.100}, which is no file of numbers here")
    return found


def _checked(facts: Mapping[str, Any], source: str) -> SeriesLayout:
    odd = sorted(facts.keys() - _KNOWN)
    if odd:
        raise FormatError(f"{source}: expected {', '.join(sorted(_KNOWN))}, found {odd[0]!r:.60}")
    lists: dict[str, tuple[str, ...]] = {}
    for name in _LISTS:
        given = facts.get(name, [])
        given = [given] if isinstance(given, str) else given
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise FormatError(f"{source}: {name}: expected a list of names, found {given!r:.60}")
        lists[name] = tuple(given)
    for name in _WORDS:
        given = facts.get(name)
        if given is not None and (not isinstance(given, str) or not given):
            raise FormatError(f"{source}: {name}: expected a name, found {given!r:.60}")
    form = facts.get("form")
    if form is not None and form not in _FORMS:
        raise FormatError(f"{source}: form: expected wide or long, found {form!r:.60}")
    return SeriesLayout(
        facts.get("adjacency"), lists["values"], form, lists["time"], facts.get("sensor"),
        lists["features"], facts.get("array"),
    )  # fmt: skip


def _stem(key: str) -> str:
    return key.rsplit("/", 1)[-1].split(".")[0].lower()


def _says_adjacency(key: str) -> bool:
    return any(word.startswith("adj") for word in re.split(r"[^a-z0-9]+", _stem(key)))


def _names_graph(key: str, samples: Sequence[str]) -> bool:
    """Tell whether a file is called like a graph."""
    stem = _stem(key)
    if _says_adjacency(key) or _WEIGHTS.fullmatch(stem):
        return True
    if _GRAPH_WORDS & set(re.split(r"[^a-z0-9]+", stem.replace("edge_list", "edgelist"))):
        return True
    # PEMS04.csv lists the roads between the sensors of PEMS04.npz.
    beside = key.rsplit(".", 1)[0]
    return bool(_PEMS.fullmatch(stem)) and key.endswith(".csv") and f"{beside}.npz" in samples
