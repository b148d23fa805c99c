"""Conditions on what a version says of itself: ``mAP>.4``, ``format=onnx``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from veml_vcs.errors import InvalidInputError
from veml_vcs.lineage.graph import Node

Sign = Literal["=", "!=", "<", "<=", ">", ">="]

_SIGNS: Mapping[Sign, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_FORM = re.compile(r"\s*([^=!<>]+?)\s*(==|=|!=|<=|>=|<|>)\s*(.*?)\s*", re.DOTALL)
_SIGN = re.compile("[=!<>]")


@dataclass(frozen=True)
class Condition:
    """What a version must say of itself.

    Attributes:
        name: ``name``, a property of the node, or a metric.
        sign: How they are compared.
        value: With what: a number, or text.
    """

    name: str
    sign: Sign
    value: float | str


def parse_condition(text: str) -> Condition:
    """Read ``NAME SIGN VALUE``; what can be a number is one.

    Raises:
        InvalidInputError: It is none, or text is to be more or less than something.
    """
    found = _FORM.fullmatch(text)
    # A version may be called lr=0.1; of anything else a second sign is a slip.
    if found is None or not found[3] or (found[1] != "name" and _SIGN.search(found[3])):
        raise InvalidInputError(
            f"{text} is no condition, expected NAME and one of = != < <= > >= and a value",
            hint="for example 'mAP>.4', format=onnx, 'samples>=1000'",
        )
    name, sign, value = found[1], found[2].replace("==", "="), found[3]
    try:
        number = math.nan if name == "name" else float(value)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return Condition(name, sign, number)  # type: ignore[arg-type]
    if sign not in ("=", "!="):
        raise InvalidInputError(f"{text}: {sign} needs a number, found {value}")
    return Condition(name, sign, value)  # type: ignore[arg-type]


def holds(node: Node, conditions: Iterable[Condition]) -> bool:
    """Tell whether a node fits all conditions; what it does not say fits none."""
    return all(_holds(said(node, one.name), one) for one in conditions)


def said(node: Node, name: str) -> object:
    """Return what a node says under a name: its name, a property, or a metric; None is nothing."""
    if name == "name":
        return node.name
    found = node.props.get(name)
    if found is None:
        metrics = node.props.get("metrics")
        found = metrics.get(name) if isinstance(metrics, Mapping) else None
    return found


def _holds(value: object, condition: Condition) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    if isinstance(value, str) != isinstance(condition.value, str):
        return False
    return _SIGNS[condition.sign](value, condition.value)
