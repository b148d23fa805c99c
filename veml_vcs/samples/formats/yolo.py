"""YOLO: one text file an image, boxes relative to the image's size; classes in ``data.yaml``.

A line is a class number and numbers. Four: centre and size of a box. Five: and a confidence. An
even count from six: a polygon, kept as ``segmentation_n``. With ``kpt_shape`` in ``data.yaml``: box
and keypoints, kept as ``keypoints_n``. An empty file says that there is nothing on the image
(``objects`` is empty), a missing one says nothing (no ``objects``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
from veml_vcs.samples.formats.classes import numbered
from veml_vcs.samples.formats.keys import ending, images_in
from veml_vcs.samples.formats.lists import SplitLists, check_splits
from veml_vcs.samples.formats.pairing import Pairing, pair
from veml_vcs.samples.formats.text import (
    Tally,
    decode,
    exact,
    field,
    format_number,
    is_number,
    malformed,
)
from veml_vcs.samples.formats.yolo_classes import (
    ClassList,
    find_class_list,
    is_class_file,
    read_class_list,
    write_class_list,
)
from veml_vcs.samples.formats.yolo_splits import find_lists, split_of, splits_by_folder

_PROBES = 16
_NUMERIC = frozenset("0123456789+-.eE \t\r\n")
_ROUNDING = 1e-3


class Yolo(Format):
    """YOLO (Darknet, Ultralytics, Roboflow)."""

    name = "yolo"
    needs = "text files of lines 'class x y width height', named like the images they speak of"
    pairs = True

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        images = images_in(keys)
        if not images:
            return Refusal("no images")
        found = find_class_list(keys, read)
        lists = find_lists(keys, read, found)
        texts = [key for key in ending(keys, ".txt") if key not in lists and not is_class_file(key)]
        paired = pair(images, texts, ".txt", lambda key: _looks_right(read(key), empty=False))
        sources = list(paired.own_source.values())
        probes = [read(key) for key in sources[:: max(1, len(sources) // _PROBES)]]
        by_yaml = found is not None and not found.yaml.keys().isdisjoint(("train", "val"))
        if not sources and not by_yaml:
            return Refusal(
                "no .txt file is named like an image, and no YAML file lists class names"
            )
        if not forced and not any(_looks_right(data, empty=False) for data in probes):
            if not by_yaml:
                return Refusal(f"{sources[0]} and others hold no lines of a number and a box")
            if not all(_looks_right(data, empty=True) for data in probes):
                return Refusal("the text files hold no lines of a class number and a box")
        options = paired.pairing.to_json()
        options["folders"] = options["folders"] or _usual_folders(images)
        if found is not None:
            options["classes"] = found.key
        if lists:
            options["lists"] = lists
        if splits := splits_by_folder(found, images):
            options["splits"] = splits
        shared = sorted({*lists, *([found.key] if found is not None else [])})
        return Layout(self.name, tuple(images), paired.own_source, tuple(shared), options)

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``."""
        options = layout.options
        class_list = read_class_list(options.get("classes"), read)
        samples = frozenset(layout.samples)
        known = sorted(samples.union(layout.own_source))
        lists = SplitLists.read(options.get("lists", {}), known, read, bare=False)
        reader = _Reader(class_list)
        wanted = None if only is None else frozenset(only)
        annotations: dict[str, Annotation] = {}
        absent = Tally("{count} images with labels or in lists are not in the folder: {few}")
        for key in sorted({*known, *lists.splits}):
            if wanted is not None and key not in wanted:
                continue
            annotation: Annotation = {}
            if (source := layout.own_source.get(key)) is not None:
                annotation["objects"] = reader.objects(read(source), source)
            splits = {*lists.splits.get(key, ()), *split_of(key, options)}
            if splits:
                annotation["splits"] = sorted(splits)
            if annotation:
                annotations[key] = annotation
            if key not in samples:
                absent.add(key)
        extra = {**class_list.extra, **lists.extra}
        facts = Facts(self.name, "detection", reader.classes(), dict(options), extra)
        warnings = (
            *class_list.warnings, *lists.warnings, *reader.outside.warnings(), *absent.warnings()
        )  # fmt: skip
        return Parsed(annotations, facts, warnings)

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``."""
        options = facts.layout
        lists: Mapping[str, str] = options.get("lists", {})
        for key, annotation in annotations.items():
            check_splits({key: annotation}, [*lists.values(), *split_of(key, options)])
            if lost := sorted(annotation.keys() - {"objects", "splits"}):
                raise InvalidInputError(f"{key}: YOLO has no place for {', '.join(lost)}")
        numbers = numbered(facts.classes, 0)
        keypoints = _keypoint_values(facts.extra.get(options.get("classes", ""), {}))
        pairing = Pairing.from_json(options, ".txt")
        labelled = sorted(key for key, value in annotations.items() if "objects" in value)
        result = {
            source: _label_file(annotations[key], numbers, keypoints, key)
            for key, source in pairing.sources_of(labelled).items()
            if only is None or source in only
        }
        for key, name in lists.items():
            if only is None or key in only:
                result[key] = SplitLists.write(key, name, annotations, facts.extra, bare=False)
        class_file = options.get("classes")
        if class_file is not None and (only is None or class_file in only):
            result[class_file] = write_class_list(class_file, facts, numbers)
        return result


def _usual_folders(images: Sequence[str]) -> dict[str, str]:
    """Return where labels would lie in a data set that has none: ``labels`` beside ``images``."""
    folders = {}
    for image in images:
        parts = image.split("/")[:-1]
        if "images" in parts:
            above = parts[: len(parts) - parts[::-1].index("images") - 1]
            folders["/".join([*above, "images"])] = "/".join([*above, "labels"])
    return dict(sorted(folders.items()))


def _looks_right(data: bytes, *, empty: bool) -> bool:
    """Tell whether the first line is a class number and a box; ``empty`` is the answer for none."""
    for line in data[:4096].split(b"\n"):
        parts = line.split()
        if parts:
            # The last part may be cut off; a NaN is a mistake in a YOLO file, not another format.
            return len(parts) >= 5 and parts[0].isdigit() and all(map(_is_float, parts[1:5]))
    return empty


def _is_float(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True


class _Reader:
    """Reads label files, and remembers classes and oddities."""

    def __init__(self, class_list: ClassList) -> None:
        self._list = class_list
        self._names = {info.id: info.name for info in class_list.classes}
        self._seen: set[int] = set()
        self._keypoints = class_list.keypoint_values
        self.outside = Tally("{count} boxes have a negative size or reach out of the image: {few}")

    def classes(self) -> tuple[ClassInfo, ...]:
        """Return the class list, or, where the data set has none, the numbers seen."""
        if self._list.is_complete:
            return self._list.classes
        return tuple(ClassInfo(str(number), number) for number in sorted(self._seen))

    def objects(self, data: bytes, source: str) -> list[dict[str, Any]]:
        """Read a label file.

        Raises:
            FormatError: A line is not a class number and numbers.
        """
        text = decode(data, source)
        plain = _NUMERIC.issuperset(text)
        objects = []
        for number, line in enumerate(text.split("\n"), 1):
            parts = line.split()
            if not parts:
                continue
            place = f"line {number}"
            if not plain and not _NUMERIC.issuperset(line):
                raise malformed(source, place, "a class number and finite numbers", repr(line))
            try:
                values = [exact(float(part)) for part in parts]
            except ValueError:
                raise malformed(source, place, "numbers", repr(line)) from None
            objects.append(self._object(values, source, place))
        return objects

    def _object(self, values: list[int | float | None], source: str, place: str) -> dict[str, Any]:
        if None in values:
            raise malformed(source, place, "numbers within the range of a double", str(values))
        number, *rest = values
        if not isinstance(number, int) or number < 0:
            raise malformed(source, place, "a class number (0, 1, 2...)", str(number))
        if self._list.is_complete and number not in self._names:
            known = f"one of the {len(self._names)} class numbers in {self._list.key}"
            raise malformed(source, place, known, str(number))
        self._seen.add(number)
        obj: dict[str, Any] = {"class": self._names.get(number, str(number))}
        count = len(rest)
        if count == 4:
            obj["cxcywhn"] = rest
        elif self._keypoints and count == 4 + self._keypoints:
            obj["cxcywhn"], obj["keypoints_n"] = rest[:4], rest[4:]
        elif self._keypoints:
            raise malformed(
                source, place, f"5 or {5 + self._keypoints} columns (kpt_shape)", f"{count + 1}"
            )
        elif count == 5:
            obj["cxcywhn"], obj["confidence"] = rest[:4], rest[4]
        elif count >= 6 and count % 2 == 0:
            obj["segmentation_n"] = rest
        else:
            expected = "5 columns (box), 6 (and confidence) or an odd number from 7 (polygon)"
            raise malformed(source, place, expected, f"{count + 1}")
        if "cxcywhn" in obj and _is_outside(obj["cxcywhn"]):
            self.outside.add(f"{source} {place}")
        return obj


def _is_outside(box: list[Any]) -> bool:
    x, y, width, height = box
    return bool(
        width < 0
        or height < 0
        or x - width / 2 < -_ROUNDING
        or y - height / 2 < -_ROUNDING
        or x + width / 2 > 1 + _ROUNDING
        or y + height / 2 > 1 + _ROUNDING
    )


def _keypoint_values(extra: Mapping[str, Any]) -> int:
    """Return how many numbers the keypoints of an object are."""
    shape = extra.get("kpt_shape")
    return shape[0] * shape[1] if isinstance(shape, list) else 0


def _label_file(
    annotation: Annotation, numbers: Mapping[str, int], keypoints: int, key: str
) -> bytes:
    """Write one label file."""
    lines = []
    for place, obj in enumerate(annotation["objects"], 1):
        what = f"{key} in YOLO, object {place}"
        name = field(obj, "class", what)
        if name not in numbers:
            raise InvalidInputError(f"{what}: class {name!r} is not in the class list")
        if "segmentation_n" in obj:
            fields = ["segmentation_n"]
        else:
            fields = ["cxcywhn", *(n for n in ("keypoints_n", "confidence") if n in obj)]
        if lost := sorted(obj.keys() - {"class", *fields}):
            raise InvalidInputError(f"{what}: YOLO has no place for {', '.join(lost)}")
        values: list[Any] = []
        for field_name in fields:
            value = field(obj, field_name, what)
            values += value if isinstance(value, list) else [value]
        if not all(map(is_number, values)):
            raise InvalidInputError(f"{what}: expected numbers, found {values!r:.80}")
        if not _is_shape(fields, len(values), keypoints):
            raise InvalidInputError(f"{what}: {len(values)} numbers for {' and '.join(fields)}")
        lines.append(" ".join([str(numbers[name]), *map(format_number, values)]) + "\n")
    return "".join(lines).encode()


def _is_shape(fields: list[str], count: int, keypoints: int) -> bool:
    """Tell whether so many numbers will be read back as these fields."""
    match fields:
        case ["segmentation_n"]:
            return count >= 6 and count % 2 == 0 and not keypoints
        case ["cxcywhn"]:
            return count == 4
        case ["cxcywhn", "keypoints_n"]:
            return bool(keypoints) and count == 4 + keypoints
        case ["cxcywhn", "confidence"]:
            return count == 5 and not keypoints
    return False
