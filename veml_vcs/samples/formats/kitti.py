"""KITTI objects: one text file an image, 15 columns an object (16 with a score).

Columns, as the benchmark's development kit gives them: type, truncated, occluded, alpha, box (left,
top, right, bottom; pixels), dimensions (height, width, length; metres), location (x, y, z; metres,
camera coordinates), rotation_y (radians), score. ``DontCare`` is a class like any other here. An
empty file says that there is nothing on the image, a missing one says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
from veml_vcs.samples.formats.keys import base_of, ending, folder_of, images_in
from veml_vcs.samples.formats.pairing import Pairing, pair
from veml_vcs.samples.formats.text import (
    Tally,
    decode,
    field,
    format_number,
    is_number,
    malformed,
    one_line,
    parse_number,
)

FIELDS: tuple[tuple[str, int], ...] = (
    ("truncated", 1),
    ("occluded", 1),
    ("alpha", 1),
    ("xyxy", 4),
    ("dimensions", 3),
    ("location", 3),
    ("rotation_y", 1),
)
"""Name and number of columns of each field behind the class; ``score`` may follow."""

_COLUMNS = 1 + sum(count for _, count in FIELDS)
_WHOLE = ("occluded",)
_PROBES = 16


class Kitti(Format):
    """KITTI object detection."""

    name = "kitti"
    needs = f"text files of lines with {_COLUMNS} or {_COLUMNS + 1} columns, named like the images"
    pairs = True

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        images = images_in(keys)
        texts = ending(keys, ".txt")
        paired = pair(images, texts, ".txt", lambda key: _looks_right(read(key)))
        sources = list(paired.own_source.values())
        if not sources:
            return Refusal("no .txt file is named like an image")
        probes = sources[:: max(1, len(sources) // _PROBES)]
        if not forced and not any(_looks_right(read(key)) for key in probes):
            return Refusal(f"{sources[0]} and others do not have {_COLUMNS} columns")
        # testing/image_2 has no labels, yet its images are samples; disparity maps are not.
        names = {base_of(folder) for folder in paired.image_folders}
        samples = tuple(key for key in images if base_of(folder_of(key)) in names)
        return Layout(self.name, samples, paired.own_source, (), paired.pairing.to_json())

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``."""
        samples = frozenset(layout.samples)
        wanted = None if only is None else frozenset(only)
        annotations: dict[str, Annotation] = {}
        classes: set[str] = set()
        swapped = Tally("{count} boxes have their corners in the wrong order: {few}")
        absent = Tally("{count} images with labels are not in the folder: {few}")
        for key, source in sorted(layout.own_source.items()):
            if wanted is not None and key not in wanted:
                continue
            objects = _objects(read(source), source)
            annotations[key] = {"objects": objects}
            for obj in objects:
                classes.add(obj["class"])
                left, top, right, bottom = obj["xyxy"]
                if right < left or bottom < top:
                    swapped.add(source)
            if key not in samples:
                absent.add(key)
        infos = tuple(ClassInfo(name) for name in sorted(classes))
        facts = Facts(self.name, "detection", infos, dict(layout.options))
        return Parsed(annotations, facts, (*swapped.warnings(), *absent.warnings()))

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``."""
        pairing = Pairing.from_json(facts.layout, ".txt")
        for key, annotation in annotations.items():
            if lost := sorted(annotation.keys() - {"objects"}):
                raise InvalidInputError(f"{key}: KITTI has no place for {', '.join(lost)}")
        labelled = sorted(key for key, value in annotations.items() if "objects" in value)
        return {
            source: _label_file(annotations[key], key)
            for key, source in pairing.sources_of(labelled).items()
            if only is None or source in only
        }


def _looks_right(data: bytes) -> bool:
    """Tell whether the first line has the columns of an object."""
    for line in data[:4096].split(b"\n"):
        parts = line.split()
        if parts:
            return len(parts) in (_COLUMNS, _COLUMNS + 1) and not parts[0][:1].isdigit()
    return False


def _objects(data: bytes, source: str) -> list[dict[str, Any]]:
    """Read a label file.

    Raises:
        FormatError: A line has other columns.
    """
    objects = []
    for number, line in enumerate(decode(data, source).split("\n"), 1):
        parts = line.split()
        if not parts:
            continue
        place = f"line {number}"
        if len(parts) not in (_COLUMNS, _COLUMNS + 1):
            raise malformed(source, place, f"{_COLUMNS} or {_COLUMNS + 1} columns", f"{len(parts)}")
        values: list[int | float] = []
        for column, part in enumerate(parts[1:], 2):
            value = parse_number(part)
            if value is None:
                raise malformed(source, f"{place}, column {column}", "a finite number", repr(part))
            values.append(value)
        obj: dict[str, Any] = {"class": parts[0]}
        start = 0
        for name, count in FIELDS:
            obj[name] = values[start] if count == 1 else values[start : start + count]
            start += count
        if len(values) > start:
            obj["score"] = values[start]
        objects.append(obj)
    return objects


def _label_file(annotation: Annotation, key: str) -> bytes:
    """Write one label file, with two decimals where they suffice, as KITTI's own files have."""
    lines = []
    for place, obj in enumerate(annotation["objects"], 1):
        what = f"{key} in KITTI, object {place}"
        known = {"class", "score", *(name for name, _ in FIELDS)}
        if lost := sorted(obj.keys() - known):
            raise InvalidInputError(f"{what}: KITTI has no place for {', '.join(lost)}")
        columns = [one_line(field(obj, "class", what), f"{what}: class", forbidden=" \t")]
        fields = [*FIELDS, ("score", 1)] if "score" in obj else FIELDS
        for name, count in fields:
            value = field(obj, name, what)
            values = value if count > 1 and isinstance(value, list) else [value]
            if len(values) != count or not all(map(is_number, values)):
                raise InvalidInputError(
                    f"{what}: {name}: expected {count} numbers, found {value!r}"
                )
            columns += [_text(value, name in _WHOLE) for value in values]
        lines.append(" ".join(columns) + "\n")
    return "".join(lines).encode()


def _text(value: int | float, whole: bool) -> str:
    if whole and isinstance(value, int):
        return str(value)
    short = f"{value:.2f}"
    return short if float(short) == value else format_number(value)
