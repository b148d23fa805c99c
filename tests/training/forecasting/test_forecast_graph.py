"""The graph of sensors: random walks, distances, and what stands in where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.training.forecasting.graph import correlations, similarities, transitions


def test_walks_go_along_the_edges_and_against_them() -> None:
    graph = np.array([[0, 2, 2], [0, 0, 1], [0, 0, 0]], float)
    along, against = transitions(graph)
    assert along.tolist() == [[0, 0.5, 0.5], [0, 0, 1], [0, 0, 0]]  # a sensor without edges: 0
    assert np.allclose(against, [[0, 0, 0], [1, 0, 0], [2 / 3, 1 / 3, 0]])


def test_distances_become_similarities() -> None:
    distance = np.array([[0, 1, 5], [1, 0, 2], [5, 2, 0]], float)
    near = similarities(distance, "distance")
    sigma = np.std([1, 5, 1, 2, 5, 2])
    assert near[0, 1] == pytest.approx(np.exp(-((1 / sigma) ** 2)))
    assert near[0, 2] == 0  # below the least
    assert np.diag(near).tolist() == [1, 1, 1]
    assert similarities(np.array([[0, 3.0], [3, 0]]), "distance").tolist() == [[1, 1], [1, 1]]
    assert np.array_equal(similarities(distance), distance)


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_a_weight_that_is_none(weight: float) -> None:
    with pytest.raises(FormatError, match="from sensor 0 to sensor 1"):
        similarities(np.array([[1, weight], [0, 1]]))


def test_weights_of_another_kind() -> None:
    with pytest.raises(InvalidInputError, match="expected similarity or distance"):
        similarities(np.eye(2), "metres")  # type: ignore[arg-type]


def test_sensors_that_move_together_are_joined() -> None:
    random = np.random.default_rng(0)
    base = random.normal(size=(200, 2))
    values = np.stack(
        [base[:, 0], base[:, 1], base[:, 0] + 0.1 * random.normal(size=200), np.full(200, 3.0)],
        axis=1,
    )
    values[5, 0] = np.nan
    graph = correlations(values, neighbours=1)
    assert graph[0, 2] > 0.9
    assert graph[2, 0] > 0.9
    assert graph[1, 0] < 0.3
    assert graph[3].tolist() == [0, 0, 0, 1]  # never changes: on its own
    assert ((graph > 0).sum(axis=1) <= 2).all()
