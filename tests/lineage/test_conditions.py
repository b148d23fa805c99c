"""Conditions: how they are written, and what fits."""

from __future__ import annotations

import pytest

from veml_vcs.errors import InvalidInputError
from veml_vcs.lineage.conditions import Condition, holds, parse_condition
from veml_vcs.lineage.graph import Node


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("mAP>.4", Condition("mAP", ">", 0.4)),
        (" samples >= 1000 ", Condition("samples", ">=", 1000.0)),
        ("format==onnx", Condition("format", "=", "onnx")),
        ("status!=partial", Condition("status", "!=", "partial")),
        ("AP/car (hard)<=-1e-3", Condition("AP/car (hard)", "<=", -0.001)),
        ("name=2024", Condition("name", "=", "2024")),
        ("name=lr=0.1", Condition("name", "=", "lr=0.1")),
        ("name!=a<b> !", Condition("name", "!=", "a<b> !")),
        ("mAP=nan", Condition("mAP", "=", "nan")),  # no number: nothing is equal to it
    ],
)
def test_what_is_written(text: str, right: Condition) -> None:
    assert parse_condition(text) == right


@pytest.mark.parametrize(
    "text", ["", "mAP", "mAP>", ">3", "a=b=c", "names=b=c", "name=", "a>=<3", "task>x", "mAP<inf"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_condition(text)


def test_what_fits() -> None:
    """Seen to fail with numbers compared as text, and with what is not there taken as 0 or ''."""
    node = Node("1", "training", "night", {"samples": 12, "task": "x", "metrics": {"mAP": 0.5}})

    def fits(text: str) -> bool:
        return holds(node, [parse_condition(text)])

    assert fits("samples>9")  # 12 comes before 9 in the alphabet
    assert fits("mAP>=.5")
    assert not fits("mAP>.5")
    assert fits("task=x")
    assert fits("name=night")
    for absent in ("seed", "mAP50"):
        assert not any(fits(f"{absent}{sign}0") for sign in ("=", "!=", "<", ">"))
    assert not fits("task!=3")  # text is not compared with numbers
    assert not fits("samples!=x")
    assert not holds(Node("1", "data", props={"on": True}), [Condition("on", "=", 1.0)])
    assert holds(node, [])
