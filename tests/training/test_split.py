"""Which samples are held back: the same ones everywhere, duplicates together, sides that stay."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import SampleId
from veml_vcs.training.split import split_by_name, split_by_seed


def samples(count: int, first: int = 0) -> dict[str, SampleId]:
    numbers = range(first, first + count)
    return {f"{i:03}.jpg": SampleId(hashlib.sha256(b"%d" % i).digest()) for i in numbers}


@given(st.integers(5, 60), st.floats(0.1, 0.8), st.integers(0, 5))
def test_both_parts_are_all_samples(count: int, fraction: float, seed: int) -> None:
    found = split_by_seed(samples(count), fraction, seed)
    assert sorted((*found.train, *found.val)) == sorted(samples(count))
    assert len(found.val) == max(1, round(fraction * count))
    assert found.val_part == {"seed": seed, "fraction": fraction}


def test_order_and_names_do_not_matter() -> None:
    some = samples(30)
    backwards = dict(reversed(some.items()))
    assert set(split_by_seed(some, 0.3, 4).val) == set(split_by_seed(backwards, 0.3, 4).val)
    renamed = {"x" + key: one for key, one in some.items()}
    held = {"x" + key for key in split_by_seed(some, 0.3, 4).val}
    assert held == set(split_by_seed(renamed, 0.3, 4).val)
    assert set(split_by_seed(some, 0.3, 5).val) != set(split_by_seed(some, 0.3, 4).val)


@given(st.integers(0, 9))
def test_same_bytes_are_on_one_side(seed: int) -> None:
    """Seen to fail with samples drawn by key."""
    some = samples(12)
    twins = some | {"twin-" + key: one for key, one in some.items()}
    held = split_by_seed(twins, 0.25, seed).val
    assert {key for key in held if "twin-" not in key} == {
        key.removeprefix("twin-") for key in held if "twin-" in key
    }


def test_a_growing_data_set_keeps_most_sides() -> None:
    before, after = samples(100), samples(110)
    held = set(split_by_seed(before, 0.2, 0).val)
    assert len(held & set(split_by_seed(after, 0.2, 0).val)) >= 16


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_no_fraction(fraction: float) -> None:
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        split_by_seed(samples(10), fraction, 0)


def test_too_few() -> None:
    with pytest.raises(InvalidInputError, match="nothing is left to train on"):
        split_by_seed(samples(1), 0.5, 0)
    with pytest.raises(InvalidInputError, match="cannot be split"):
        split_by_seed({}, 0.5, 0)


SAID = {
    "a": {"splits": ["train"]}, "b": {"splits": ["train", "val"]}, "c": {"splits": ["val"]},
    "d": {"splits": ["test"]}, "e": {},
}  # fmt: skip


def test_splits_of_the_data_set() -> None:
    found = split_by_name(SAID, SAID, "val")
    assert (found.train, found.val) == (("a",), ("b", "c"))
    assert (found.train_part, found.val_part) == ({"split": "train"}, {"split": "val"})
    without = {key: one for key, one in SAID.items() if key in "de"}
    found = split_by_name(without, without, "test")
    assert (found.train, found.val, found.train_part) == (("e",), ("d",), {"without": "test"})


def test_no_such_split() -> None:
    with pytest.raises(InvalidInputError, match="has the splits test, train, val"):
        split_by_name(SAID, SAID, "dev")
    with pytest.raises(InvalidInputError, match="has no splits of its own"):
        split_by_name({"a": 1}, {}, "val")
    with pytest.raises(InvalidInputError, match="no sample is left to train on"):
        split_by_name(["c"], SAID, "val")
