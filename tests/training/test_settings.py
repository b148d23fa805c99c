"""``--set key=value``: what becomes of the value, and where it goes."""

from __future__ import annotations

from typing import Any

import pytest

from veml_vcs.errors import InvalidInputError
from veml_vcs.training.parts import READ
from veml_vcs.training.settings import apply_settings, parse_setting, variables_alone

CONFIG = {"a": {"b": 1, "list": [{"c": 2}, {"c": 3}]}, "text": "x"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=2", 2), ("a.b=0.5", 0.5), ("a.b=true", True), ("a.b=True", True), ("a.b=None", None),
        ("a.b=null", None), ("a.b=SGD", "SGD"), ('a.b="2"', "2"), ("a.b=[1, 2]", [1, 2]),
        ("a.b=x=y", "x=y"), ('a.b={"c": 1}', {"c": 1}), ("a.b=", ""),
    ],
)  # fmt: skip
def test_values(text: str, value: Any) -> None:
    assert parse_setting(text) == ("a.b", value)
    assert apply_settings(CONFIG, [text])["a"]["b"] == value
    assert CONFIG["a"]["b"] == 1  # type: ignore[index]


def test_places() -> None:
    found = apply_settings(CONFIG, ["a.list.1.c=9", "new.key=1", "text=y"])
    assert found["a"]["list"] == [{"c": 2}, {"c": 9}]
    assert (found["new"], found["text"]) == ({"key": 1}, "y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.b", "expected KEY=VALUE"),
        ("=1", "expected KEY=VALUE"),
        ("a.b.c=1", "a.b is 1, which has no keys"),
        ("a.list.5.c=1", "a.list is a list of 2, with places 0 to 1; found '5'"),
        ("a.list.x=1", "found 'x'"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        apply_settings(CONFIG, [text])


def test_a_variable_that_only_the_text_looks_at() -> None:
    config = {"iterations": 100, "train_cfg.max_iters": 100, "param_scheduler": [], "scale": 7}
    said = variables_alone(config, ["iterations=20", "param_scheduler=[]", "scale=8"], READ)
    assert len(said) == 2
    assert "--set iterations: only the config's own text" in said[0]
    assert "1 keys have its old value, 100, and keep it: train_cfg.max_iters" in said[0]
    assert "none has its old value" in said[1]
    assert variables_alone(config, ["train_cfg.max_iters=20", "new=1"], READ) == []
