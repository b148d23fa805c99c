"""Values of annotations in few characters: numbers, boxes, fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_LONGEST = 60


def number(value: float) -> str:
    """Return a number with at most four digits after the point, and none that say nothing."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text if text not in ("-0", "") else "0"


def value_text(value: Any, longest: int = _LONGEST) -> str:
    """Return a JSON value on one line, cut where it is long."""
    if isinstance(value, bool) or value is None:
        text = json.dumps(value)
    elif isinstance(value, int | float):
        text = number(value)
    elif isinstance(value, str):
        text = value
    elif isinstance(value, list) and value and all(type(one) in (int, float) for one in value):
        text = ", ".join(map(number, value[:9]))
        text = f"[{text}{', …' if len(value) > 9 else ''}]"
    elif isinstance(value, dict) and len(value) == 1 and (box := box_text(value)):
        text = box
    else:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def box_text(obj: Mapping[str, Any] | None) -> str:
    """Return an object's box as its format writes it: ``10,20 30x40`` or ``10,20 .. 40,60``."""
    if obj is None:
        return ""
    for name in ("xywh", "xyxy", "cxcywhn"):
        box = obj.get(name)
        if isinstance(box, list) and len(box) == 4:
            a, b, c, d = (number(one) if type(one) in (int, float) else str(one) for one in box)
            if name == "xywh":
                return f"{a},{b} {c}x{d}"
            return f"{a},{b} .. {c},{d}" if name == "xyxy" else f"{a},{b} ± {c}x{d}"
    return ""


def class_text(obj: Mapping[str, Any] | None) -> str:
    """Return an object's class name."""
    name = None if obj is None else obj.get("class")
    return name if isinstance(name, str) else "" if name is None else str(name)
