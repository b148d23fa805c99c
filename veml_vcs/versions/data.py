"""The record of a data version: the text in the Git tree that says what a data set is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.ids import TreeId, parse_hex
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.tree.entry import check_key
from veml_vcs.versions.lines import LineReader
from veml_vcs.versions.text import FORMAT_VERSION, dump_record, load_record

RECORD_SUFFIX = ".veml"


@dataclass(frozen=True)
class ClassCount:
    """How often a class occurs in a data version.

    Attributes:
        objects: Boxes (or other objects) of the class.
        samples: Samples that have the class, as a label or as an object.
    """

    objects: int = 0
    samples: int = 0


@dataclass(frozen=True)
class DataRecord:
    """What one data version is.

    Attributes:
        tree: Root of the tree of entries.
        facts: Format, classes, layout and dataset-level content.
        samples: Number of samples.
        files: Number of other files (annotation files among them).
        objects: Number of objects in all annotations.
        content_bytes: Sum of the sizes of samples and files.
        class_counts: Class name -> how often it occurs.
        sources: Keys of the annotation files that speak of many samples.
        annotations: Annotation files outside the folder, as paths from the repository's root.
        derived: How the version was made, if not by ``add`` (JSON values).
    """

    tree: TreeId
    facts: Facts
    samples: int = 0
    files: int = 0
    objects: int = 0
    content_bytes: int = 0
    class_counts: Mapping[str, ClassCount] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    derived: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the canonical text of the record."""
        record: dict[str, Any] = {
            "veml": FORMAT_VERSION,
            "kind": "data",
            "tree": self.tree.hex(),
            "format": self.facts.format,
            "task": self.facts.task,
            "samples": self.samples,
            "files": self.files,
            "objects": self.objects,
            "bytes": self.content_bytes,
            "classes": [self._class_line(one) for one in self.facts.classes],
        }
        if self.facts.layout:
            record["layout"] = dict(self.facts.layout)
        if self.facts.extra:
            record["extra"] = dict(self.facts.extra)
        if self.sources:
            record["sources"] = list(self.sources)
        if self.annotations:
            record["annotations"] = list(self.annotations)
        if self.derived:
            record["derived"] = dict(self.derived)
        return dump_record(record)

    def _class_line(self, one: ClassInfo) -> dict[str, Any]:
        count = self.class_counts.get(one.name, ClassCount())
        line: dict[str, Any] = {
            "name": one.name,
            "objects": count.objects,
            "samples": count.samples,
        }
        if one.id is not None:
            line["id"] = one.id
        if one.extra:
            line["extra"] = dict(one.extra)
        return line


def parse_data_record(data: bytes, where: str) -> DataRecord:
    """Read the record of a data version.

    Args:
        data: The record's bytes.
        where: Its path, for messages.

    Raises:
        FormatError: It is not the record of a data version, or a field has a wrong type.
    """
    known = _READER.lines(data)
    if known is not None:
        return known
    record = load_record(data, where)
    if record.get("kind") != "data":
        raise FormatError(f"{where}: expected a data record, found kind {record.get('kind')!r:.80}")
    try:
        return _READER.whole(record)
    except (FormatError, InvalidInputError, TypeError) as error:
        raise FormatError(f"{where}: {error!s:.300}") from error


def _build(values: Mapping[str, Any]) -> DataRecord:
    classes, counts = values["classes"]
    return DataRecord(
        values["tree"],
        Facts(values["format"], values["task"], classes, values["layout"], values["extra"]),
        values["samples"],
        values["files"],
        values["objects"],
        values["bytes"],
        counts,
        values["sources"],
        values["annotations"],
        values["derived"],
    )


def is_data_record(data: bytes) -> bool:
    """Tell cheaply whether a ``*.veml`` file describes a data version."""
    return b'\n "kind": "data",\n' in data


def dataset_path(record_path: str) -> str:
    """Return the folder that a record stands beside, from the path of the record.

    A Git tree of a stranger's can hold any path, so it is checked here: a record at
    ``.git/hooks.veml`` would otherwise have its data set written among Git's hooks.

    Args:
        record_path: Path of the ``*.veml`` file, from the repository's root.

    Raises:
        FormatError: The folder would be none inside the work tree.
    """
    path = record_path.removesuffix(RECORD_SUFFIX)
    try:
        if path.startswith("/") or not path.rpartition("/")[2]:
            raise InvalidInputError("not a usable folder of a data set")
        return check_key(path)
    except InvalidInputError as error:
        raise FormatError(
            f"{record_path!r:.200}: a record cannot stand here: {error}",
            hint="this history was made to do harm, or by a broken tool; do not use it",
            kind="hostile-path",
        ) from error


def _classes(
    record: dict[str, Any],
) -> tuple[tuple[ClassInfo, ...], dict[str, ClassCount]]:
    classes = [_class_info(line) for line in _typed(record, "classes", list)]
    counts = {one.name: count for one, count in classes}
    if len(counts) != len(classes):
        raise FormatError("a class name stands twice")
    return tuple(one for one, _ in classes), counts


def _keys(record: dict[str, Any], name: str, above: str = "") -> tuple[str, ...]:
    keys = tuple(_typed(record, name, list, []))
    for key in keys:
        if not isinstance(key, str):
            raise FormatError(f"expected the name of a file, found {key!r:.80}")
        check_key(above + key)
    return keys


def _class_info(line: Any) -> tuple[ClassInfo, ClassCount]:
    if not isinstance(line, dict):
        raise FormatError(f"class {line!r} is not an object")
    number = line.get("id")
    if number is not None and type(number) is not int:
        raise FormatError(f"class id {number!r} is not a whole number")
    info = ClassInfo(_typed(line, "name", str), number, _typed(line, "extra", dict, {}))
    return info, ClassCount(_count(line, "objects"), _count(line, "samples"))


def _typed(record: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    value = record.get(name, default)
    if not isinstance(value, kind):
        raise FormatError(f"{name!r}: expected {kind.__name__}, found {value!r:.80}")
    return value


def _count(record: dict[str, Any], name: str) -> int:
    value = record.get(name)
    if type(value) is not int or value < 0:
        raise FormatError(f"{name!r}: expected a count, found {value!r:.80}")
    return value


_READER = LineReader(
    "data",
    {
        "classes": _classes,
        "annotations": lambda record: _keys(record, "annotations", "/"),
        "sources": lambda record: _keys(record, "sources"),
        "tree": lambda record: TreeId(parse_hex(_typed(record, "tree", str), "tree")),
        "format": lambda record: _typed(record, "format", str),
        "task": lambda record: _typed(record, "task", str),
        "layout": lambda record: _typed(record, "layout", dict, {}),
        "extra": lambda record: _typed(record, "extra", dict, {}),
        "samples": lambda record: _count(record, "samples"),
        "files": lambda record: _count(record, "files"),
        "objects": lambda record: _count(record, "objects"),
        "bytes": lambda record: _count(record, "bytes"),
        "derived": lambda record: _typed(record, "derived", dict, {}),
    },
    _build,
    others=True,
)
