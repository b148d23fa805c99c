"""One Pascal VOC document, checked and turned into an annotation."""

from __future__ import annotations

from typing import Any

from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats.keys import base_of
from veml_vcs.samples.formats.text import Tally, escaped, malformed, parse_number
from veml_vcs.samples.formats.xml_text import Element, Node, fold, fold_node, parse_xml

SIDES = ("xmin", "ymin", "xmax", "ymax")
ROOT_RESERVED = frozenset(("objects", "labels", "splits", "sources", "width", "height"))
OBJECT_RESERVED = frozenset(("class", "xyxy", "xywh", "cxcywhn", "source"))
PART_RESERVED = frozenset(("xyxy", "xywh", "cxcywhn"))

_LENIENT_NUMBERS = ("difficult", "truncated")
"""Numbers by the book; some tools write words, which stay words."""


class DocumentReader:
    """Reads documents, and remembers classes and oddities.

    Attributes:
        classes: Names seen so far.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self.classes: set[str] = set()
        self._negative = Tally("{count} boxes have their corners in the wrong order: {few}")
        self._outside = Tally("{count} boxes reach out of their image: {few}")

    def warnings(self) -> list[str]:
        """Return what was odd in the documents read."""
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
        annotation.update(_escaped(fold(root.attributes, rest), ROOT_RESERVED))
        self._check_boxes(annotation, source)
        return annotation

    def _object(self, node: Node, source: str, place: str) -> dict[str, Any]:
        obj = _boxed(node, source, place, OBJECT_RESERVED)
        if "class" not in obj:
            raise malformed(source, place, "a <name>", "none")
        self.classes.add(obj["class"])
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


def _escaped(fields: dict[str, Any], reserved: frozenset[str]) -> dict[str, Any]:
    """Return the fields under names that are not ours."""
    if reserved.isdisjoint(fields):  # No name of an XML element has a $ in it.
        return fields
    return {escaped(name, reserved): value for name, value in fields.items()}


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
        if name == "name" and "class" in reserved:
            if "class" in obj or not isinstance(child, str) or not child:
                raise malformed(source, place, "one <name> with a class", repr(fold_node(child)))
            obj["class"] = child
        elif name == "bndbox":
            if "xyxy" in obj:
                raise malformed(source, f"{place}, <bndbox>", "one", "several")
            _read_box(child, source, f"{place}, <bndbox>", obj)
        elif name == "part" and isinstance(child, Element):
            inner = f"{place}, part {len(parts) + 1}"
            parts.append(_boxed(child, source, inner, PART_RESERVED))
        else:
            rest.append((name, child))
    obj.update(_escaped(fold(node.attributes, rest), reserved))
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
        if name in SIDES:
            if name in sides:
                raise malformed(source, place, f"one <{name}>", "several")
            sides[name] = _number(child, source, f"{place}, <{name}>")
        else:
            rest.append((name, child))
    if len(sides) < len(SIDES):
        missing = ", ".join(f"<{name}>" for name in SIDES if name not in sides)
        raise malformed(source, place, "<xmin>, <ymin>, <xmax>, <ymax>", f"no {missing}")
    obj["xyxy"] = [sides[name] for name in SIDES]
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
