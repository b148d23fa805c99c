"""Edit boxes of one Pascal VOC file, as a labelling tool would.

    python edit_voc.py FILE move INDEX DX DY
    python edit_voc.py FILE relabel INDEX CLASS
    python edit_voc.py FILE add CLASS XMIN YMIN XMAX YMAX
    python edit_voc.py FILE remove INDEX

The demo uses it in place of a person with a mouse; ``INDEX`` counts the objects from 0.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def move(root: ET.Element, index: str, dx: str, dy: str) -> None:
    """Shift one box by ``dx`` and ``dy`` pixels."""
    box = _child(_object(root, index), "bndbox")
    for corner, by in zip(CORNERS, (dx, dy, dx, dy), strict=True):
        edge = _child(box, corner)
        edge.text = str(int(edge.text or "0") + int(by))


def relabel(root: ET.Element, index: str, name: str) -> None:
    """Give one box another class."""
    _child(_object(root, index), "name").text = name


def add(root: ET.Element, name: str, *corners: str) -> None:
    """Draw a new box; ``corners`` are xmin, ymin, xmax, ymax in pixels."""
    new = ET.SubElement(root, "object")
    for field, text in (
        ("name", name),
        ("pose", "Unspecified"),
        ("truncated", "0"),
        ("difficult", "0"),
    ):
        ET.SubElement(new, field).text = text
    box = ET.SubElement(new, "bndbox")
    for corner, value in zip(CORNERS, corners, strict=True):
        ET.SubElement(box, corner).text = str(int(value))


def remove(root: ET.Element, index: str) -> None:
    """Delete one box."""
    root.remove(_object(root, index))


def _object(root: ET.Element, index: str) -> ET.Element:
    objects = root.findall("object")
    if not 0 <= int(index) < len(objects):
        raise SystemExit(f"edit_voc.py: there is no box {index}; the file has {len(objects)}")
    return objects[int(index)]


def _child(element: ET.Element, name: str) -> ET.Element:
    child = element.find(name)
    if child is None:
        raise SystemExit(f"edit_voc.py: <{element.tag}> has no <{name}>")
    return child


ACTIONS: dict[str, Callable[..., None]] = {
    "move": move,
    "relabel": relabel,
    "add": add,
    "remove": remove,
}


def main(arguments: list[str]) -> None:
    """Run from the command line."""
    if len(arguments) < 2 or arguments[1] not in ACTIONS:
        raise SystemExit(__doc__)
    file, action, *values = arguments
    tree = ET.parse(file)
    ACTIONS[action](tree.getroot(), *values)
    ET.indent(tree, "\t")
    Path(file).write_text(ET.tostring(tree.getroot(), encoding="unicode"), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
