"""What auto chooses, what a budget is, what is kept: no network is run."""

from __future__ import annotations

import pytest

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.lifecycle.rebuild.moved import Moved, choose_method
from veml_vcs.lifecycle.rebuild.request import budget_of
from veml_vcs.lifecycle.rebuild.state import Rebuild, read_rebuild
from veml_vcs.training.plan import Part

DRIFTED = Moved({"verdict": "drift"}, "dusk has drifted from day")


@pytest.mark.parametrize(
    ("verdict", "labelled", "budget", "labels_from", "method"),
    [
        ("no drift", 10, None, None, None),
        ("no drift", 0, "3", None, None),
        ("drift", 10, None, None, "full"),
        ("drift", 3, None, None, "full"),
        ("drift", 0, "3", None, "active"),
        ("drift", 10, "3", None, "active"),
        ("drift", 0, None, "labels", "active"),
        ("drift", 0, None, None, "adapt"),
        ("no verdict", 0, None, None, "adapt"),
    ],
)
def test_auto(
    verdict: str, labelled: int, budget: str | None, labels_from: str | None, method: str | None
) -> None:
    found, why = choose_method(
        Moved({"verdict": verdict}, "what was measured"), labelled=labelled, samples=10,
        budget=budget, labels_from=labels_from,
    )  # fmt: skip
    assert found == method
    assert why.startswith("what was measured")


@pytest.mark.parametrize(
    ("text", "count"), [("1", 1), ("50", 50), ("30%", 15), ("100%", 50), ("2.4 %", 1)]
)
def test_budget(text: str, count: int) -> None:
    assert budget_of(text, 50) == count


@pytest.mark.parametrize(
    "text", ["0", "-3", "51", "101%", "0%", "0.4%", "2.5", "", "%", "nan", "inf%"]
)
def test_budget_that_is_none(text: str) -> None:
    with pytest.raises(InvalidInputError, match="--budget"):
        budget_of(text, 50)


def test_a_state_comes_back() -> None:
    part = Part("dusk", "{}", ("a", "b"), {"seed": 0, "fraction": 0.2})
    one = Rebuild(
        name="n", training="first@HEAD", version="0" * 40, method="active", why="", new=part,
        chosen=("b", "a"), test=part, settings=("a=1",), drift={"p": 0.001}, waits=True,
    )  # fmt: skip
    assert read_rebuild(one.to_bytes(), "here") == one
    assert one.rebuilt_from()["drift.p"] == 0.001
    assert one.rebuilt_from()["training"] == "first"
    for damaged in (
        b"",
        b"[]",
        one.to_bytes()[:-2],
        one.to_bytes().replace(b'"veml": 1', b'"veml": 2'),
    ):
        with pytest.raises(FormatError):
            read_rebuild(damaged, "here")
