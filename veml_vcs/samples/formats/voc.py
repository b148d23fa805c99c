"""Pascal VOC: one XML file an image, boxes as corners in pixels; splits in ``ImageSets``.

Elements become fields under their own names. ``width``, ``height``, ``bndbox``, ``difficult`` and
``truncated`` are numbers, everything else is text. ``<filename>`` is kept only where it is not the
name of the image (and null where it is missing); see ``xml_text`` for the form of elements nobody
foresaw.

Lists of one column in ``ImageSets/Main`` are splits (those of other tasks are called
``Segmentation/train``). VOC's lists of two columns (image, presence of one class) repeat what the
boxes say; they are no annotation and stay the files they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation, ClassInfo, Facts
from veml_vcs.samples.formats.base import Format, Layout, Parsed, ReadFile, Refusal
from veml_vcs.samples.formats.keys import base_of, folder_of, images_in, suffix_of, without_suffix
from veml_vcs.samples.formats.lists import SplitLists
from veml_vcs.samples.formats.pairing import Pairing, pair
from veml_vcs.samples.formats.text import (
    Tally,
    decode,
    escaped,
    field,
    is_number,
    malformed,
    parse_number,
    unescaped,
)
from veml_vcs.samples.formats.xml_text import (
    Element,
    Node,
    fold,
    fold_node,
    opening_tag,
    parse_xml,
    unfold,
    unfold_children,
)

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_LENIENT_NUMBERS = ("difficult", "truncated")
_ROOT_RESERVED = frozenset(("objects", "labels", "splits", "sources", "width", "height"))
_OBJECT_RESERVED = frozenset(("class", "xyxy"))
_PART_RESERVED = frozenset(("xyxy",))
_ROOT_ORDER = ("folder", "filename", "path", "source", "size", "segmented")
_OBJECT_ORDER = ("name", "pose", "truncated", "difficult", "occluded", "bndbox")
_PROBES = 8


class Voc(Format):
    """Pascal VOC."""

    name = "voc"
    needs = "XML files with the root <annotation>, named like the images they speak of"

    def recognise(
        self, keys: Sequence[str], read: ReadFile, *, forced: bool = False
    ) -> Layout | Refusal:
        """See ``Format.recognise``."""
        documents = [key for key in keys if suffix_of(key) == ".xml"]
        if not documents:
            return Refusal("no .xml file")
        images = images_in(keys)
        paired = pair(images, documents, ".xml", lambda key: _is_annotation(read(key)))
        if not paired.own_source:
            return Refusal("no .xml file is named like an image")
        probes = list(paired.own_source.values())[:: max(1, len(paired.own_source) // _PROBES)]
        if not forced and not any(_is_annotation(read(key)) for key in probes):
            return Refusal(f"{probes[0]} and others have no <annotation> at the root")
        folders = paired.image_folders
        samples = tuple(key for key in images if _lies_in(key, folders))
        lists = {
            key: name
            for key in keys
            if (name := _split_of(key)) is not None and _is_split(read(key), key)
        }
        options = paired.pairing.to_json()
        if lists:
            options["lists"] = lists
        return Layout(self.name, samples, paired.own_source, tuple(lists), options)

    def read(self, layout: Layout, read: ReadFile, only: Collection[str] | None = None) -> Parsed:
        """See ``Format.read``."""
        known = {**dict.fromkeys(layout.samples, ""), **layout.own_source}
        lists = SplitLists.read(layout.options.get("lists", {}), known, read, bare=True)
        annotations: dict[str, Annotation] = {}
        reader = _Reader()
        wanted = None if only is None else frozenset(only)
        for key, source in sorted(layout.own_source.items()):
            if wanted is None or key in wanted:
                annotations[key] = reader.annotation(read(source), source, key)
        for key, splits in lists.splits.items():
            if wanted is None or key in wanted:
                annotations.setdefault(key, {})["splits"] = splits
        classes = tuple(ClassInfo(name) for name in sorted(reader.classes))
        facts = Facts(self.name, "detection", classes, dict(layout.options), lists.extra)
        absent = Tally("{count} images with annotations are not in the folder: {few}")
        samples = frozenset(layout.samples)
        for key in annotations:
            if key not in samples:
                absent.add(key)
        warnings = (*reader.warnings(), *lists.warnings, *absent.warnings())
        return Parsed(dict(sorted(annotations.items())), facts, warnings)

    def write(
        self,
        annotations: Mapping[str, Annotation],
        facts: Facts,
        only: Collection[str] | None = None,
    ) -> dict[str, bytes]:
        """See ``Format.write``."""
        pairing = Pairing.from_json(facts.layout, ".xml")
        described = sorted(key for key, value in annotations.items() if "objects" in value)
        result = {
            source: _document(annotations[key], key, folder_of(source))
            for key, source in pairing.sources_of(described).items()
            if only is None or source in only
        }
        lists: Mapping[str, str] = facts.layout.get("lists", {})
        for key, name in lists.items():
            if only is None or key in only:
                result[key] = SplitLists.write(key, name, annotations, facts.extra, bare=True)
        return result


def _lies_in(key: str, folders: frozenset[str]) -> bool:
    """Tell whether a key lies in one of the folders, at any depth."""
    folder = folder_of(key)
    while folder not in folders:
        if not folder:
            return False
        folder = folder_of(folder)
    return True


def _is_annotation(data: bytes) -> bool:
    """Tell whether the root of a document is ``<annotation>``, without parsing it."""
    return b"<annotation" in data[:4096]


def _split_of(key: str) -> str | None:
    """Return the name of the split a file may list, by its place."""
    folder, _, base = key.rpartition("/")
    if suffix_of(base) != ".txt" or "ImageSets" not in folder.split("/"):
        return None
    task = folder.rpartition("ImageSets")[2].strip("/")
    stem = without_suffix(base)
    return stem if task in ("", "Main") else f"{task}/{stem}"


def _is_split(data: bytes, key: str) -> bool:
    """Tell whether every line holds one name, and not a name and a number."""
    lines = decode(data, key).splitlines()
    return not all(_ends_in_flag(line) for line in lines) if lines else True


def _ends_in_flag(line: str) -> bool:
    parts = line.split()
    return not parts or (len(parts) > 1 and parts[-1] in ("-1", "0", "1"))


class _Reader:
    """Reads documents, and remembers classes and oddities."""

    def __init__(self) -> None:
        self.classes: set[str] = set()
        self._negative = Tally("{count} boxes have their corners in the wrong order: {few}")
        self._outside = Tally("{count} boxes reach out of their image: {few}")

    def warnings(self) -> list[str]:
        return [*self._negative.warnings(), *self._outside.warnings()]

    def annotation(self, data: bytes, source: str, key: str) -> Annotation:
        """Read one document.

        Raises:
            FormatError: It is no VOC annotation.
        """
        name, root = parse_xml(data, source)
        if name != "annotation":
            raise malformed(source, "the root", "<annotation>", f"<{name}>")
        objects: list[dict[str, Any]] = []
        annotation: Annotation = {"objects": objects, "filename": None}
        rest: list[tuple[str, Node]] = []
        once: set[str] = set()
        for name, node in root.children:
            if name == "object":
                objects.append(self._object(node, source, f"object {len(objects) + 1}"))
            elif name in ("filename", "size"):
                if name in once:
                    raise malformed(source, f"<{name}>", "one", "several")
                once.add(name)
                if name == "filename":
                    annotation["filename"] = fold_node(node)
                else:
                    _read_size(node, source, annotation)
            else:
                rest.append((name, node))
        if annotation["filename"] == base_of(key):
            del annotation["filename"]
        for name, value in fold(root.attributes, rest).items():
            annotation[escaped(name, _ROOT_RESERVED)] = value
        self._check_boxes(annotation, source)
        return annotation

    def _object(self, node: Node, source: str, place: str) -> dict[str, Any]:
        obj = _boxed(node, source, place, _OBJECT_RESERVED)
        name = obj.pop("name", None)
        if not isinstance(name, str) or not name:
            raise malformed(source, place, "one <name> with a class", repr(name))
        obj["class"] = name
        self.classes.add(name)
        for number in _LENIENT_NUMBERS:
            value = obj.get(number)
            if isinstance(value, str) and (parsed := parse_number(value)) is not None:
                obj[number] = parsed
        return obj

    def _check_boxes(self, annotation: Annotation, source: str) -> None:
        width, height = annotation.get("width"), annotation.get("height")
        for obj in annotation["objects"]:
            if "xyxy" in obj:
                left, top, right, bottom = obj["xyxy"]
                if right < left or bottom < top:
                    self._negative.add(source)
                elif left < -1 or top < -1 or _over(right, width) or _over(bottom, height):
                    self._outside.add(source)


def _over(value: float, limit: float | None) -> bool:
    """Tell whether a coordinate lies beyond the image; a pixel more is a matter of counting from 1.

    Tools that know no size write 0.
    """
    return bool(limit) and limit is not None and value > limit + 1


def _boxed(node: Node, source: str, place: str, reserved: frozenset[str]) -> dict[str, Any]:
    """Read an ``<object>`` or ``<part>``: everything it says, with its box as ``xyxy``."""
    if isinstance(node, str):
        raise malformed(source, place, "elements", repr(node))
    obj: dict[str, Any] = {}
    rest: list[tuple[str, Node]] = []
    parts: list[dict[str, Any]] = []
    for name, child in node.children:
        if name == "bndbox":
            if "xyxy" in obj:
                raise malformed(source, f"{place}, <bndbox>", "one", "several")
            _read_box(child, source, f"{place}, <bndbox>", obj)
        elif name == "part" and isinstance(child, Element):
            inner = f"{place}, part {len(parts) + 1}"
            parts.append(_boxed(child, source, inner, _PART_RESERVED))
        else:
            rest.append((name, child))
    for name, value in fold(node.attributes, rest).items():
        obj[escaped(name, reserved)] = value
    if parts:
        if "part" in obj:
            raise malformed(source, f"{place}, <part>", "elements in every part", "text in one")
        obj["part"] = parts
    return obj


def _read_box(node: Node, source: str, place: str, obj: dict[str, Any]) -> None:
    """Set ``xyxy``, and ``bndbox`` where a box says more than its corners."""
    if isinstance(node, str):
        raise malformed(source, place, "<xmin>, <ymin>, <xmax>, <ymax>", repr(node))
    sides: dict[str, int | float] = {}
    rest: list[tuple[str, Node]] = []
    for name, child in node.children:
        if name in _SIDES:
            if name in sides:
                raise malformed(source, place, f"one <{name}>", "several")
            sides[name] = _number(child, source, f"{place}, <{name}>")
        else:
            rest.append((name, child))
    if len(sides) < len(_SIDES):
        missing = ", ".join(f"<{name}>" for name in _SIDES if name not in sides)
        raise malformed(source, place, "<xmin>, <ymin>, <xmax>, <ymax>", f"no {missing}")
    obj["xyxy"] = [sides[name] for name in _SIDES]
    if rest or node.attributes:
        obj["bndbox"] = fold(node.attributes, rest)


def _read_size(node: Node, source: str, annotation: Annotation) -> None:
    """Set ``width`` and ``height``, and ``size`` where there is more (``depth``)."""
    if isinstance(node, str):
        annotation["size"] = node
        return
    rest: list[tuple[str, Node]] = []
    for name, child in node.children:
        if name in ("width", "height"):
            if name in annotation:
                raise malformed(source, "<size>", f"one <{name}>", "several")
            annotation[name] = _number(child, source, f"<size>, <{name}>")
        else:
            rest.append((name, child))
    if rest or node.attributes:
        annotation["size"] = fold(node.attributes, rest)


def _number(node: Node, source: str, place: str) -> int | float:
    value = parse_number(node) if isinstance(node, str) else None
    if value is None:
        raise malformed(source, place, "a number", repr(fold_node(node)))
    return value


def _document(annotation: Annotation, key: str, folder: str) -> bytes:
    """Write one annotation as a VOC document."""
    what = f"{key} in VOC"
    fields = {
        own: value
        for name, value in annotation.items()
        if (own := unescaped(name, _ROOT_RESERVED)) is not None
    }
    filename = fields.pop("filename", base_of(key))
    if filename is not None:
        fields["filename"] = filename
    sides = {name: annotation[name] for name in ("width", "height") if name in annotation}
    if sides or "size" in fields:
        size = fields.get("size", {})
        fields["size"] = {**sides, **size} if isinstance(size, dict) else size or sides
    lines = [opening_tag("annotation", fields, what)]
    _write_fields(fields, _ROOT_ORDER, lines, what, 1)
    for number, obj in enumerate(field(annotation, "objects", what), 1):
        _write_object(obj, "class", lines, f"{what}, object {number}", 1)
    return "\n".join([*lines, "</annotation>", ""]).encode()


def _write_object(obj: dict[str, Any], named: str, lines: list[str], what: str, depth: int) -> None:
    """Write an object (``named`` is ``class``) or a part (``name``)."""
    reserved = _OBJECT_RESERVED if named == "class" else _PART_RESERVED
    fields = {
        own: value for name, value in obj.items() if (own := unescaped(name, reserved)) is not None
    }
    parts = fields.pop("part", [])
    if named == "class":
        name = field(obj, "class", what)
        if not isinstance(name, str) or not name:
            raise InvalidInputError(f"{what}: expected a class name, found {name!r}")
        fields["name"] = name
    if "xyxy" in obj:
        box = obj["xyxy"]
        if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
            raise InvalidInputError(f"{what}: xyxy: expected four numbers, found {box!r:.80}")
        more = fields.get("bndbox", {})
        fields["bndbox"] = {**dict(zip(_SIDES, box, strict=True)), **more}
    element = "object" if named == "class" else "part"
    lines.append("\t" * depth + opening_tag(element, fields, what))
    _write_fields(fields, _OBJECT_ORDER, lines, what, depth + 1)
    if isinstance(parts, list):
        for part in parts:
            _write_object(part, "name", lines, what, depth + 1)
    else:
        unfold("part", parts, lines, what, depth + 1)
    lines.append("\t" * depth + f"</{element}>")


def _write_fields(
    fields: Mapping[str, Any], order: Sequence[str], lines: list[str], what: str, depth: int
) -> None:
    """Write fields as elements: the usual ones in the usual order, then the others by name."""
    first = [name for name in order if name in fields]
    for name in [*first, *sorted(fields.keys() - set(order))]:
        if name == "#children":
            unfold_children(fields[name], lines, what, depth)
        elif name == "#text":
            unfold_children([fields[name]], lines, what, depth)
        elif not name.startswith("@"):
            unfold(name, fields[name], lines, what, depth)
