from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veml_vcs.analysis import two_sample
from veml_vcs.analysis.coreset import greedy_k_center
from veml_vcs.analysis.drift import DriftReport, detect_drift, effect_word, paper_rule
from veml_vcs.analysis.similarity import energy_distance
from veml_vcs.analysis.two_sample import mean_embedding_test, permutation_test
from veml_vcs.errors import InvalidInputError


def cloud(rows: int, seed: int = 0, shift: float = 0.0, dimension: int = 6) -> np.ndarray:
    return shift + np.random.default_rng(seed).standard_normal((rows, dimension))


def detect(test: Any, rows: int = 200, **arguments: Any) -> DriftReport:
    train = cloud(400, 50)
    core = greedy_k_center(train, 12)
    given_ = {"centres": train[core.indices], "radius_profile": core.radius_profile, **arguments}
    return detect_drift(cloud(rows, 51), test, **given_)


# The permutation test


def test_statistic_is_the_energy_distance() -> None:
    a, b = cloud(60), cloud(45, 1, shift=0.2)
    result = permutation_test(a, b)
    assert result.statistic == pytest.approx(energy_distance(a, b, unbiased=False), rel=1e-4)
    assert result.energy == pytest.approx(energy_distance(a, b), rel=1e-3)
    assert (result.reference_rows, result.test_rows) == (60, 45)


def test_p_is_exact_on_a_tiny_case() -> None:
    # Of the 20 splits of 6 points into 3 and 3 two separate the clusters: the real one, mirrored.
    a, b = np.array([[0.0], [0.1], [0.2]]), np.array([[9.0], [9.1], [9.2]])
    assert permutation_test(a, b, permutations=4999).p_value == pytest.approx(0.1, abs=0.02)


def test_p_is_uniform_when_nothing_has_changed() -> None:
    for statistic in ("energy", "mean embedding"):
        p = []
        for seed in range(1000, 1300):
            pooled = cloud(50, seed, dimension=3)
            if statistic == "energy":
                result: Any = permutation_test(pooled[:30], pooled[30:], permutations=99, seed=seed)
            else:
                centres = cloud(4, seed + 5000, dimension=3)
                result = mean_embedding_test(
                    pooled[:30], pooled[30:], centres, permutations=99, seed=seed
                )
            p.append(result.p_value)
        assert min(p) >= 0.01
        # Kolmogorov-Smirnov: the largest gap exceeds 1.63 / sqrt(300) once in a hundred.
        levels = np.arange(1, 101) / 100
        gap = np.abs((np.array(p)[:, None] <= levels + 1e-9).mean(axis=0) - levels).max()
        assert gap < 1.63 / np.sqrt(300)


def test_shifts_are_found() -> None:
    found = [
        permutation_test(cloud(100, s), cloud(60, s + 500, shift=0.3), permutations=199).p_value
        for s in range(30)
    ]
    assert np.mean(np.array(found) <= 0.05) >= 0.9
    spread = [
        permutation_test(cloud(100, s), 1.5 * cloud(60, s + 500), permutations=199).p_value
        for s in range(20)
    ]
    assert np.mean(np.array(spread) <= 0.05) >= 0.9


def test_detectable_effect_is_usually_found() -> None:
    base = permutation_test(cloud(150, 1), cloud(100, 2), permutations=199)
    # For a mean shift s of d normal variables E = s^2 / E|X - X'|, up to second order and 1 / d.
    within = np.sqrt(2 * 6 - 1)
    shift = base.minimum_detectable_effect * within * np.sqrt(2 / 6)
    hits = [
        permutation_test(cloud(150, s), cloud(100, s + 900, shift), permutations=99).p_value <= 0.05
        for s in range(100)
    ]
    assert 0.55 <= np.mean(hits) <= 0.97
    smaller = [
        permutation_test(cloud(150, s), cloud(100, s + 900, shift / 3), permutations=99).p_value
        <= 0.05
        for s in range(100)
    ]
    assert np.mean(smaller) <= 0.3


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_row_order_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = cloud(40, seed), cloud(30, seed + 1, 0.2)
    b[3] = b[4] = a[5]
    shuffled = random.permutation(a), random.permutation(b)
    assert permutation_test(a, b, permutations=99) == permutation_test(*shuffled, permutations=99)
    centres = cloud(5, seed + 2)
    first, second = (
        mean_embedding_test(x, y, centres, permutations=99) for x, y in ((a, b), shuffled)
    )
    assert (first.statistic, first.p_value) == (second.statistic, second.p_value)
    # The same rule decides which rows a large sample is cut to.
    cut = permutation_test(a, b, permutations=99, max_rows=20)
    assert cut == permutation_test(*shuffled, permutations=99, max_rows=20)
    assert (cut.reference_rows, cut.test_rows) == (20, 20)


def test_identical_rows_and_extreme_data() -> None:
    same = np.ones((20, 3))
    result = permutation_test(same, same)
    assert (result.p_value, result.statistic, result.effect, result.z) == (1, 0, 0, 0)
    apart = permutation_test(same, same + 1)
    assert apart.effect == pytest.approx(1)
    assert apart.p_value == pytest.approx(0.001)
    assert mean_embedding_test(same, same, same[:1]).p_value == 1
    for scale in (1e-20, 1e30):
        extreme = permutation_test(scale * cloud(50), scale * cloud(50, 1, 1.0))
        assert extreme.p_value == pytest.approx(0.001)
    offset = permutation_test(cloud(50) + 1e6, cloud(50, 1, 1.0) + 1e6)
    assert offset.p_value == pytest.approx(0.001)


def test_integers_have_tied_splits() -> None:
    # All splits of equal values are ties with the real one: p must be 1, whatever rounding does.
    values = np.repeat([[0.1, 0.7]], 60, axis=0)
    assert permutation_test(values[:37], values[37:]).p_value == 1


def test_large_samples_are_read_in_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(two_sample, "_HASHED_AT_ONCE", 7)
    a, b = cloud(100).astype("f2"), cloud(90, 1).astype("f2")
    blocks = permutation_test(a, b, permutations=99)
    monkeypatch.undo()
    assert blocks == permutation_test(a, b, permutations=99)


# Where


def test_the_centre_that_lost_its_samples_is_named() -> None:
    random = np.random.default_rng(0)
    centres = 10.0 * np.eye(5)
    labels, kept = random.integers(0, 5, 400), random.integers(0, 4, 300)
    reference = centres[labels] + random.standard_normal((400, 5))
    test = centres[kept] + random.standard_normal((300, 5))
    result = mean_embedding_test(reference, test, centres)
    assert result.p_value == pytest.approx(0.001)
    assert result.most_changed[0] == 4
    assert result.z[4] > 3
    assert (np.diff(np.abs(result.z[result.most_changed])) <= 0).all()
    assert result.z[:4].max() < 0


# The paper's rule


def test_paper_rule() -> None:
    train = [[0.0, 0.0], [10.0, 0.0]]
    rule = paper_rule([[3.0, 0.0], [10.0, 5.0]], train, 4.0)
    assert (rule.distance, rule.radius, rule.ratio, rule.drifted) == (4, 4, 1, False)
    assert paper_rule([[3.0, 0.0], [10.0, 5.0]], train, 3.9).drifted
    assert paper_rule(train, train, 0.0).ratio is None
    assert not paper_rule(train, train, 0.0).drifted
    for radius in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidInputError, match="covering_radius"):
            paper_rule(train, train, radius)


# The report


def test_verdicts() -> None:
    assert detect(cloud(120, 2)).verdict == "no drift"
    moved = detect(cloud(120, 2, shift=0.8))
    assert (moved.verdict, moved.effect_word) == ("drift", "medium")
    assert moved.where.p_value == pytest.approx(0.001)
    far = detect(cloud(120, 1, shift=9.0))
    assert (far.effect_word, far.paper.drifted, far.where.outside) == ("large", True, 120)
    assert far.where.outside_share == 1
    assert far.where.reference_outside_share < 0.1


def test_farthest_samples_come_first() -> None:
    test = cloud(60, 1)
    test[17] += 50
    test[3] += 20
    report = detect(test)
    assert [sample.row for sample in report.where.farthest[:2]] == [17, 3]
    assert [sample.outside for sample in report.where.farthest[:2]] == [True, True]
    assert report.where.outside >= 2
    distances = [sample.distance for sample in report.where.farthest]
    assert distances == sorted(distances, reverse=True)


def test_small_sets_are_looked_at_with_few_balls() -> None:
    # All rows are centres: the whole core set has radius 0, and no other row is in its balls.
    train = cloud(60, 50)
    core = greedy_k_center(train, 100)
    report = detect_drift(
        cloud(60, 51),
        np.concatenate([cloud(60, 52), cloud(1, 53, shift=30.0)]),
        centres=train[core.indices],
        radius_profile=core.radius_profile,
    )
    assert core.radius == 0
    assert report.where.balls < 60
    assert report.where.radius == core.radius_profile[report.where.balls - 1]
    assert report.where.reference_outside_share <= 0.05
    assert report.where.outside_share < 0.2
    assert report.where.farthest[0].row == 60
    assert report.where.farthest[0].outside


def test_few_rows() -> None:
    assert detect(cloud(4, 1)).verdict == "no verdict"
    assert "no verdict" in detect(cloud(1, 1)).notes[0]
    low = detect(cloud(12, 1))
    assert low.verdict == "no drift"
    assert low.notes[0].startswith("Low power: the test set has 12 rows")
    assert detect(cloud(50, 1), rows=3).verdict == "no verdict"


def test_notes() -> None:
    cut = detect(cloud(300, 1), max_rows=100)
    assert "The test used 100 of the 300 rows of the test set." in cut.notes
    assert any("usually be found" in note for note in cut.notes)
    hidden = detect(cloud(150, 1, shift=0.6))
    assert hidden.verdict == "drift"
    assert any("paper's rule says no drift" in note for note in hidden.notes)
    zero = detect_drift(cloud(50), cloud(50, 1), centres=[[0.0] * 6], radius_profile=[0.0])
    assert zero.paper.ratio is None
    assert any("radius 0" in note for note in zero.notes)


@given(st.integers(1, 40), st.integers(0, 2**32), st.sampled_from([0.0, 1.0, 1e20]))
@settings(max_examples=25)
def test_report_is_json(rows: int, seed: int, scale: float) -> None:
    report = detect(scale * cloud(rows, seed), permutations=19)
    text = json.dumps(report.as_dict(), allow_nan=False)
    assert json.loads(text)["verdict"] == report.verdict


def test_effect_words() -> None:
    words = [effect_word(effect) for effect in (0, 0.0999, 0.1, 0.25, 0.39, 0.4, 1)]
    assert words == ["negligible", "negligible", "small", "medium", "medium", "large", "large"]


@pytest.mark.parametrize(
    ("test", "arguments", "message"),
    [
        (np.zeros((0, 6)), {}, "test: expected at least 1 rows"),
        (np.zeros((9, 5)), {}, "found 6 and 5"),
        (np.full((9, 6), np.nan), {}, "rows 0, 1"),
        (cloud(9), {"centres": np.zeros((1, 6))}, "each of 1 centres"),
        (cloud(9), {"centres": np.zeros((12, 4))}, "found 6 and 4"),
        (cloud(9), {"radius_profile": np.full(12, np.nan)}, "radius_profile"),
        (cloud(9), {"alpha": 1.5}, "alpha: expected a number between 0 and 1"),
        (cloud(9), {"alpha": 0.01, "permutations": 98}, "at least 99 for alpha = 0.01, found 98"),
        (cloud(9), {"max_rows": 1}, "max_rows"),
    ],
)
def test_refusals(test: np.ndarray, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        detect(test, **arguments)
