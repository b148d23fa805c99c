"""A paired t interval, against tables, and its properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.lifecycle.verdict import paired


def test_one_seed_gives_no_verdict() -> None:
    found = paired([0.5], [0.3], more_is_better=True)
    assert (found.answer, found.spread, found.low) == ("no verdict", None, None)
    assert found.difference == pytest.approx(0.2)


def test_an_interval_of_a_table() -> None:
    """Differences 1, 2, 3: mean 2, deviation 1, and t(.975; 2) = 4.303."""
    found = paired([1.0, 2, 3], [0.0, 0, 0], more_is_better=True)
    half = 4.303 / math.sqrt(3)
    assert (found.difference, found.spread) == (2, 1)
    assert (found.low, found.high) == (pytest.approx(2 - half), pytest.approx(2 + half))
    assert found.answer == "no difference"


def test_the_pairs_decide_not_the_means() -> None:
    """Splits differ by far more than the ways; each pair says the same."""
    ours, theirs = [0.11, 0.52, 0.93], [0.1, 0.5, 0.9]
    assert paired(ours, theirs, more_is_better=True).answer == "no difference"
    assert paired([0.12, 0.52, 0.921], theirs, more_is_better=True).answer == "better"
    assert paired([0.12, 0.52, 0.921], theirs, more_is_better=False).answer == "worse"


NUMBERS = st.lists(st.floats(-10, 10), min_size=2, max_size=25)


@given(NUMBERS, st.randoms(use_true_random=False))
def test_either_way_round(first: list[float], chance: object) -> None:
    second = [one + chance.uniform(-1, 1) for one in first]  # type: ignore[attr-defined]
    one, other = (paired(a, b, more_is_better=True) for a, b in ((first, second), (second, first)))
    turned = {"better": "worse", "worse": "better"}
    assert turned.get(one.answer, one.answer) == other.answer
    assert one.low is not None
    assert other.high is not None
    assert one.low == pytest.approx(-other.high)


def test_lengths_must_match() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired([1.0, 2], [1.0], more_is_better=True)
