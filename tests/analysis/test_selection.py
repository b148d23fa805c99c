"""Selection for labelling: properties of the choice, on small pools."""

from __future__ import annotations

import numpy as np
import pytest

from veml_vcs.analysis.coreset import plain_greedy
from veml_vcs.analysis.selection import (
    box_uncertainty,
    cover_radius,
    k_center,
    prob_cover,
    pseudo_labels,
)
from veml_vcs.errors import InvalidInputError

RNG = np.random.default_rng(0)
POOL = RNG.normal(size=(60, 8)) + np.repeat(np.eye(8)[:3] * 6, 20, axis=0)
"""Three clusters of 20."""


def unit(points: np.ndarray) -> np.ndarray:
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize("budget", [1, 3, 17, 60])
def test_each_row_is_chosen_once(budget: int) -> None:
    for chosen in (
        k_center(POOL, budget),
        k_center(POOL, budget, labelled=POOL[:5]),
        prob_cover(POOL, budget, clusters=3),
        prob_cover(POOL, budget, clusters=3, labelled=POOL[:5]),
    ):
        assert len(chosen) == budget
        assert len(set(chosen.tolist())) == budget
        assert set(chosen.tolist()) <= set(range(60))


def test_copies_are_chosen_once_each() -> None:
    copies = np.repeat(POOL[:2], 4, axis=0)
    for chosen in (k_center(copies, 8), prob_cover(copies, 8, clusters=2)):
        assert sorted(chosen.tolist()) == list(range(8))


def test_k_center_is_the_greedy_of_unit_rows_and_nested() -> None:
    assert k_center(POOL, 9).tolist() == plain_greedy(unit(POOL), 9).indices.tolist()
    with_old = k_center(POOL, 9, labelled=POOL[:5]).tolist()
    assert k_center(POOL, 4, labelled=POOL[:5]).tolist() == with_old[:4]


def test_k_center_goes_where_nothing_is_labelled() -> None:
    first = k_center(POOL, 2, labelled=POOL[:20]).tolist()
    assert {row // 20 for row in first} == {1, 2}


def test_prob_cover_begins_where_most_is_covered() -> None:
    """One row of each cluster, before a second of any: the balls hold the clusters."""
    tight = np.repeat(np.eye(8)[:3] * 6, 20, axis=0) + RNG.normal(size=(60, 8)) * 0.05
    assert {row // 20 for row in prob_cover(tight, 3, clusters=3).tolist()} == {0, 1, 2}
    rest = prob_cover(tight, 2, clusters=3, labelled=tight[:1]).tolist()
    assert {row // 20 for row in rest} == {1, 2}


def test_radius_never_grows_with_purity() -> None:
    labels = pseudo_labels(POOL, 3)
    assert len(set(labels.tolist())) == 3
    radii = [cover_radius(POOL, labels, purity) for purity in (0.1, 0.5, 0.9)]
    assert radii == sorted(radii, reverse=True)


def test_a_detector_is_unsure_in_the_middle() -> None:
    assert box_uncertainty([]) == 0
    assert box_uncertainty([1.0, 0.0]) == 0
    assert box_uncertainty([0.5]) == 1
    assert box_uncertainty([0.5, 0.4]) > box_uncertainty([0.5]) > box_uncertainty([0.9])


@pytest.mark.parametrize("budget", [0, 61])
def test_a_budget_is_of_the_pool(budget: int) -> None:
    for choose in (k_center, lambda points, n: prob_cover(points, n, clusters=3)):
        with pytest.raises(InvalidInputError, match="budget"):
            choose(POOL, budget)
    with pytest.raises(InvalidInputError, match="clusters"):
        prob_cover(POOL, 2, clusters=1)
