from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.analysis import similarity
from veml_vcs.analysis.distances import pairwise_distances
from veml_vcs.analysis.similarity import Summary, core_set_distance, energy_distance, rank
from veml_vcs.errors import InvalidInputError


def cloud(rows: int, dimension: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dimension))


def brute(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(2))


@pytest.mark.parametrize("offset", [0, 1e3, 1e9])
@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
def test_pairwise_agrees_with_brute_force(offset: float, scale: float) -> None:
    a, b = offset + scale * cloud(30), offset + scale * cloud(20, seed=1)
    np.testing.assert_allclose(pairwise_distances(a, b), brute(a, b), rtol=1e-9)


def test_equal_rows_are_exactly_zero_apart() -> None:
    a = 1e4 + cloud(40, 300)
    distances = pairwise_distances(a, a.copy())
    assert (np.diag(distances) == 0).all()
    assert np.count_nonzero(distances) == 40 * 39
    assert not pairwise_distances(np.repeat(a[:1], 4, 0), np.repeat(a[:1], 3, 0)).any()


@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 6), st.integers(0, 2**32))
def test_energy_properties(rows: int, other_rows: int, dimension: int, seed: int) -> None:
    a, b = cloud(rows, dimension, seed), 0.3 + cloud(other_rows, dimension, seed + 1)
    cross, aa, bb = brute(a, b).mean(), brute(a, a), brute(b, b)
    unbiased = energy_distance(a, b)
    expected = 2 * cross - aa.sum() / rows / (rows - 1) - bb.sum() / other_rows / (other_rows - 1)
    assert unbiased == pytest.approx(expected, abs=1e-9)
    assert unbiased == pytest.approx(energy_distance(b, a), abs=1e-12)
    biased = energy_distance(a, b, unbiased=False)
    assert biased == pytest.approx(2 * cross - aa.mean() - bb.mean(), abs=1e-9)
    assert biased >= max(0, unbiased)
    assert energy_distance(a, a.copy(), unbiased=False) == pytest.approx(0, abs=1e-12)
    rotation = np.linalg.qr(cloud(dimension, dimension, seed))[0]
    assert energy_distance(a @ rotation + 9, b @ rotation + 9) == pytest.approx(unbiased, abs=1e-9)


def test_core_set_distance_is_the_mean_of_all_pairs() -> None:
    assert core_set_distance([[0, 0], [0, 4]], [[3, 0]]) == 4
    a, b = cloud(10), cloud(7, seed=3)
    assert core_set_distance(a, b) == pytest.approx(brute(a, b).mean())


def summary(seed: int, shift: float = 0.0, rows: int = 150, scale: float = 1.0) -> Summary:
    points = shift + scale * cloud(rows, 6, seed)
    return Summary(points[:10], points)


def test_rank_puts_the_other_half_before_a_tight_stranger() -> None:
    known = {
        "other half": summary(1),
        "tight": summary(2, shift=0.4, scale=0.05),
        "far": summary(3, 5),
    }
    ranking = rank(summary(0), known)
    assert [found.name for found in ranking] == ["other half", "tight", "far"]
    # The paper's number has it the other way round, which is why it does not decide.
    assert ranking[1].core_set_distance < ranking[0].core_set_distance
    for found in ranking:
        assert found.energy == pytest.approx(
            energy_distance(
                summary(0).sample,
                known[found.name].sample + known[found.name].origin - summary(0).origin,
            ),
            abs=1e-4,
        )


def test_rank_refines_the_nearest_with_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "REFINED", 2)
    known = {f"v{i}": summary(i, shift=i / 4) for i in range(1, 6)}
    ranking = rank(summary(0), known)
    assert [found.name for found in ranking] == ["v1", "v2", "v3", "v4", "v5"]
    assert [found.rows for found in ranking] == [150, 150, 100, 100, 100]


def test_rank_with_ties_single_rows_and_nothing_known() -> None:
    same, lone = summary(1), Summary([[0.0] * 6], [[0.0] * 6])
    ranking = rank(summary(0), {"lone": lone, "b": same, "a": same})
    assert [found.name for found in ranking] == ["a", "b", "lone"]
    assert ranking[-1].energy is None
    assert rank(summary(0), {}) == ()


def test_stored_within_is_used_and_large_values_do_not_overflow() -> None:
    query, points = summary(0), cloud(150, 6, 1)
    stored = Summary(points[:10], points, within=(1.0, 2.0))
    (found,) = rank(query, {"stored": stored})
    cross = brute(cloud(150, 6), points).mean()
    assert found.energy == pytest.approx(2 * cross - query.within[1] - 2, abs=1e-4)
    (found,) = rank(query, {"huge": Summary(1e30 * cloud(5, 6), 1e30 * cloud(20, 6))})
    assert found.energy is not None
    assert np.isfinite(found.energy)


def test_refusals() -> None:
    with pytest.raises(InvalidInputError, match="5 and 6"):
        pairwise_distances(cloud(3, 5), cloud(3, 6))
    with pytest.raises(InvalidInputError, match=r"similarity with 'other'.* 6 and 5"):
        rank(summary(0), {"other": Summary(cloud(3), cloud(3))})
    with pytest.raises(InvalidInputError, match="at least 2 rows, found 1"):
        energy_distance(cloud(1), cloud(4))
    with pytest.raises(InvalidInputError, match=r"uniform sample.*rows 1$"):
        Summary([[0.0]], [[0.0], [np.nan]])
