"""One Pascal VOC document, written from an annotation: the inverse of ``voc_file``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.formats.keys import base_of
from veml_vcs.samples.formats.text import field, is_number, unescaped
from veml_vcs.samples.formats.voc_file import (
    OBJECT_RESERVED,
    PART_RESERVED,
    ROOT_RESERVED,
    SIDES,
)
from veml_vcs.samples.formats.xml_text import opening_tag, unfold, unfold_children

_ROOT_ORDER = ("folder", "filename", "path", "source", "size", "segmented")
_OBJECT_ORDER = ("name", "pose", "truncated", "difficult", "occluded", "bndbox")


def write_document(annotation: Annotation, key: str) -> bytes:
    """Write one annotation.

    Args:
        annotation: With ``objects``.
        key: Of the sample.

    Raises:
        InvalidInputError: XML, or VOC, has no form for something in it.
    """
    what = f"{key} in VOC"
    fields = {
        own: value
        for name, value in annotation.items()
        if (own := unescaped(name, ROOT_RESERVED)) is not None
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
    reserved = OBJECT_RESERVED if named == "class" else PART_RESERVED
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
        fields["bndbox"] = {**dict(zip(SIDES, box, strict=True)), **more}
    element = "object" if named == "class" else "part"
    lines.append("\t" * depth + opening_tag(element, fields, what))
    _write_fields(fields, _OBJECT_ORDER, lines, what, depth + 1)
    if isinstance(parts, list) and all(isinstance(part, dict) for part in parts):
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
