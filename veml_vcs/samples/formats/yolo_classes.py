"""YOLO's class lists: ``data.yaml``, ``classes.txt``, ``obj.names``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.samples.facts import ClassInfo, Facts
from veml_vcs.samples.formats.base import ReadFile
from veml_vcs.samples.formats.classes import source_name, unique_classes
from veml_vcs.samples.formats.keys import base_of, ending, suffix_of
from veml_vcs.samples.formats.text import decode, malformed, one_line
from veml_vcs.samples.formats.yaml_text import dump_yaml, parse_yaml, parse_yaml_text

_USUAL_YAML = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_CLASS_FILES = ("classes.txt", "obj.names", "predefined_classes.txt")
_MOST_YAML_FILES = 20
_MOST_KEYPOINT_VALUES = 10_000


@dataclass(frozen=True)
class FoundList:
    """A file that lists classes.

    Attributes:
        key: The file.
        yaml: Its top-level fields where it is YAML, else empty.
    """

    key: str
    yaml: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassList:
    """What a class list says.

    Attributes:
        key: The file, ``""`` where there is none.
        classes: In order of their numbers.
        is_complete: No other class can occur.
        keypoint_values: How many numbers the keypoints of one object are; 0 for none.
        extra: For ``Facts.extra``.
        warnings: Sentences for the user.
    """

    key: str = ""
    classes: tuple[ClassInfo, ...] = ()
    is_complete: bool = False
    keypoint_values: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def is_class_file(key: str) -> bool:
    """Tell whether a text file is usually a class list, by its name."""
    return base_of(key).lower() in _CLASS_FILES or suffix_of(key) == ".names"


def find_class_list(keys: Sequence[str], read: ReadFile) -> FoundList | None:
    """Return the class list of a data set: YAML before text, usual names and upper folders first.

    Raises:
        FormatError: A file called ``data.yaml`` cannot be understood. (Other YAML files may be
            anything.)
    """
    documents = ending(keys, ".yaml", ".yml")
    documents.sort(key=lambda key: (base_of(key).lower() not in _USUAL_YAML, key.count("/"), key))
    for key in documents[:_MOST_YAML_FILES]:
        try:
            content = parse_yaml(read(key), key)
        except FormatError:
            if base_of(key).lower() in _USUAL_YAML:
                raise
            continue
        if isinstance(content, dict) and ("names" in content or "nc" in content):
            return FoundList(key, content)
    texts = [key for key in ending(keys, ".txt", ".names") if is_class_file(key)]
    return FoundList(min(texts, key=lambda key: (key.count("/"), key))) if texts else None


def read_class_list(key: str | None, read: ReadFile) -> ClassList:
    """Read a class list.

    Raises:
        FormatError: It cannot be understood.
    """
    if key is None:
        return ClassList()
    data = read(key)
    if suffix_of(key) not in (".yaml", ".yml"):
        lines = decode(data, key).rstrip().split("\n") if data.strip() else []
        names = [(number, line.strip()) for number, line in enumerate(lines)]
        for number, name in names:
            if not name:
                raise malformed(key, f"line {number + 1}", "the name of a class", "an empty line")
        classes, warnings = unique_classes(((n, name, {}) for n, name in names), key)
        return ClassList(key, classes, True, warnings=tuple(warnings))

    content = parse_yaml(data, key)
    if not isinstance(content, dict):
        raise malformed(key, "the top", "a mapping", repr(content))
    rest = {name: value for name, value in content.items() if name != "names"}
    # Names as they stand: YAML would make `no` false, and 007 the number 7.
    named = _names(parse_yaml_text(data, key).get("names"), key)
    count = rest.get("nc")
    if count is not None:
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 1_000_000:
            raise malformed(key, "nc", "a number of classes", repr(count))
        if named is None:
            named = [(number, str(number)) for number in range(count)]
        elif count != len(named):
            raise malformed(key, "nc", f"{len(named)}, as many as names", str(count))
    classes, warnings = unique_classes(((n, name, {}) for n, name in named or ()), key)
    values = _keypoint_values(rest.get("kpt_shape"), key)
    extra = {key: rest} if rest else {}
    return ClassList(key, classes, named is not None, values, extra, tuple(warnings))


def write_class_list(key: str, facts: Facts, numbers: Mapping[str, int]) -> bytes:
    """Write a class list.

    Args:
        key: The file; its extension decides the form.
        facts: The classes, and the other fields of the file.
        numbers: Class name -> number.

    Raises:
        InvalidInputError: A text file cannot hold these numbers or names.
    """
    ordered = sorted(facts.classes, key=lambda info: numbers[info.name])
    in_order = [numbers[info.name] for info in ordered] == list(range(len(ordered)))
    names = [source_name(info) for info in ordered]
    if suffix_of(key) in (".yaml", ".yml"):
        content = dict(facts.extra.get(key, {}))
        if "nc" in content:
            content["nc"] = len(names)
        content["names"] = (
            names
            if in_order
            else {numbers[info.name]: name for info, name in zip(ordered, names, strict=True)}
        )
        return dump_yaml(content)
    if not in_order:
        raise InvalidInputError(
            f"{key}: expected the class numbers 0 to {len(names) - 1}, as a list without numbers "
            f"needs them, found {[numbers[info.name] for info in ordered]}"
        )
    return "".join(one_line(name, f"{key}: class") + "\n" for name in names).encode()


def _names(names: Any, key: str) -> list[tuple[int, str]] | None:
    """Return (number, name) in order; None where the file has no names."""
    if names is None:
        return None
    if isinstance(names, list):
        pairs = list(enumerate(names))
    elif isinstance(names, dict):
        pairs = []
        for number, name in names.items():
            if not (number.isascii() and number.isdigit() and len(number) < 10):
                raise malformed(key, "names", "class numbers (0, 1, 2...)", repr(number))
            pairs.append((int(number), name))
        pairs.sort(key=lambda pair: pair[0])
        for (one, _), (other, _) in pairwise(pairs):
            if one == other:
                raise malformed(key, "names", "each class number once", f"{one} twice")
    else:
        raise malformed(key, "names", "a list, or a mapping from number to name", repr(names))
    for number, name in pairs:
        if not isinstance(name, str) or not name.strip():
            raise malformed(key, f"names[{number}]", "the name of a class", repr(name))
    return [(number, name.strip()) for number, name in pairs]


def _keypoint_values(shape: Any, key: str) -> int:
    """Return the product of ``kpt_shape``, 0 where there is none."""
    if shape is None:
        return 0
    if (
        isinstance(shape, list)
        and len(shape) == 2
        and all(type(size) is int and size > 0 for size in shape)
        and shape[0] * shape[1] <= _MOST_KEYPOINT_VALUES
    ):
        return int(shape[0] * shape[1])
    raise malformed(key, "kpt_shape", "[number of keypoints, numbers of each]", repr(shape))
