from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.analysis.sampling import holdout_size, split_holdout, uniform_sample
from veml_vcs.errors import InvalidInputError


def ids(count: int, first: int = 0) -> list[bytes]:
    return [hashlib.sha256(str(i).encode()).digest() for i in range(first, first + count)]


@given(st.lists(st.binary(max_size=4)), st.integers(0, 30), st.integers(0, 2**64 - 1))
def test_the_draw_is_the_front_of_the_hash_order(
    sample_ids: list[bytes], size: int, seed: int
) -> None:
    rows = uniform_sample(sample_ids, size, seed=seed)
    order = sorted(
        range(len(sample_ids)),
        key=lambda row: (hashlib.sha256(seed.to_bytes(8) + sample_ids[row]).digest(), row),
    )
    assert rows.dtype == np.int64
    assert rows.tolist() == order[:size]


def test_row_order_does_not_matter_and_seeds_do() -> None:
    sample_ids = ids(500)
    backwards = sample_ids[::-1]
    draw = [sample_ids[row] for row in uniform_sample(sample_ids, 40, seed=5)]
    assert [backwards[row] for row in uniform_sample(backwards, 40, seed=5)] == draw
    assert [sample_ids[row] for row in uniform_sample(sample_ids, 40, seed=6)] != draw
    assert [sample_ids[row] for row in uniform_sample(sample_ids, 9, seed=5)] == draw[:9]


def test_versions_that_share_samples_share_most_of_the_draw() -> None:
    old, new = ids(1000), ids(950, first=100)
    drawn = {old[row] for row in uniform_sample(old, 300)}
    shared = drawn & {new[row] for row in uniform_sample(new, 300)}
    assert len(shared) >= 240


def test_the_draw_is_uniform() -> None:
    sample_ids = ids(50)
    counts = np.zeros(50)
    for seed in range(400):
        counts[uniform_sample(sample_ids, 10, seed=seed)] += 1
    # Each count is binomial(400, .2): mean 80, standard deviation 8.
    assert counts.min() > 80 - 4 * 8
    assert counts.max() < 80 + 4 * 8


@given(st.integers(1, 300))
def test_split_covers_everything_once(count: int) -> None:
    split = split_holdout(ids(count), seed=3)
    assert sorted([*split.holdout, *split.fit]) == list(range(count))
    assert len(split.holdout) == holdout_size(count) < count


@pytest.mark.parametrize(
    ("samples", "held_out"),
    [(1, 0), (2, 1), (10, 5), (130, 65), (300, 100), (501, 101), (5000, 1000), (10**6, 1000)],
)
def test_holdout_size(samples: int, held_out: int) -> None:
    assert holdout_size(samples) == held_out


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match="size: expected 0 or more samples, found -1"):
        uniform_sample(ids(3), -1)
    with pytest.raises(InvalidInputError, match="seed"):
        uniform_sample(ids(3), 1, seed=2**64)
    with pytest.raises(InvalidInputError, match="at least 1 sample"):
        split_holdout([])
