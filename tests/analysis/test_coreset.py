from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.analysis import active_set, points
from veml_vcs.analysis import distances as distances_module
from veml_vcs.analysis.coreset import assign, greedy_k_center, plain_greedy
from veml_vcs.errors import InvalidInputError


def cloud(rows: int, dimension: int, seed: int = 0, dtype: str = "f4") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dimension)).astype(dtype)


def pairwise(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(((a[:, None].astype("f8") - b[None].astype("f8")) ** 2).sum(2))


def assert_same(data: np.ndarray, k: int, **arguments: Any) -> None:
    fast, plain = greedy_k_center(data, k, **arguments), plain_greedy(data, k, **arguments)
    assert fast.indices.tolist() == plain.indices.tolist()
    assert fast.radius_profile.tolist() == plain.radius_profile.tolist()
    assert fast.masses is not None
    assert fast.nearest is not None
    assert fast.masses.sum() == len(data)
    assert np.bincount(fast.nearest, minlength=len(fast)).tolist() == fast.masses.tolist()
    distances = np.sqrt(
        distances_module.pair_squared_distances(data, data[fast.indices[fast.nearest]])
    )
    assert distances.max() <= fast.radius * (1 + 1e-4) + 1e-30


@pytest.fixture
def small_active_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make passes over the data, blocks and doubt happen on small inputs."""
    monkeypatch.setattr(active_set, "ACTIVE_ROWS", 16)
    monkeypatch.setattr(active_set, "_DOUBTFUL_ROWS", 8)
    monkeypatch.setattr(active_set, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(points, "BLOCK_BYTES", 2000)


HARD = {
    "random": lambda: cloud(700, 12),
    "half": lambda: cloud(700, 12, dtype="f2"),
    "double": lambda: cloud(500, 5, dtype="f8"),
    "integers": lambda: np.random.default_rng(1).integers(-9, 9, (400, 6)),
    "bytes": lambda: np.random.default_rng(1).integers(0, 255, (300, 7)).astype("u1"),
    "duplicates": lambda: np.repeat(cloud(40, 8), 25, axis=0),
    "shuffled duplicates": lambda: np.random.default_rng(2).permutation(
        np.repeat(cloud(40, 8), 25, axis=0)
    ),
    "collinear": lambda: np.outer(np.arange(300), [1.0, -2.0, 0.5]).astype("f4"),
    "lattice": lambda: np.array(list(itertools.product(range(7), repeat=3)), dtype="f4"),
    "one hot": lambda: np.eye(60, dtype="f4"),
    "offset": lambda: cloud(600, 10) + np.float32(1000),
    "huge offset": lambda: cloud(600, 10, dtype="f8") + 1e9,
    "offset lattice": lambda: np.array(list(itertools.product(range(6), repeat=3)), "f4") + 1e5,
    "two far clusters": lambda: np.concatenate([cloud(200, 6) * 1e-5, cloud(200, 6) * 1e-5 + 50]),
    "one far outlier": lambda: np.concatenate([cloud(400, 6), np.full((1, 6), 1e6, "f4")]),
    "huge values": lambda: cloud(300, 6) * np.float32(1e30),
    "tiny values": lambda: cloud(300, 6) * np.float32(1e-30),
    "mixed scales": lambda: cloud(300, 6) * np.logspace(-12, 0, 300, dtype="f4")[:, None],
    "one column": lambda: cloud(300, 1),
    "fortran order": lambda: np.asfortranarray(cloud(300, 6)),
    "a view": lambda: cloud(600, 12)[::2, ::3],
}


@pytest.mark.usefixtures("small_active_set")
@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("k", [1, 2, 37, 90])
def test_active_set_gives_the_centres_of_the_plain_loop(name: str, k: int) -> None:
    assert_same(HARD[name](), k, seed=k)


@pytest.mark.parametrize("name", HARD)
def test_same_centres_with_the_real_sizes(name: str) -> None:
    assert_same(HARD[name](), 50)


def test_same_centres_on_a_large_set_with_several_passes() -> None:
    data = np.maximum(cloud(30_000, 48) @ cloud(48, 48, seed=1), 0)
    assert_same(data, 150, start=7)


@pytest.mark.usefixtures("small_active_set")
@given(
    st.integers(1, 60),
    st.integers(1, 4),
    st.integers(1, 70),
    st.sampled_from([2, 5, 1000]),
    st.integers(0, 2**32),
)
def test_same_centres_on_arbitrary_small_integers(
    rows: int, dimension: int, k: int, spread: int, seed: int
) -> None:
    data = np.random.default_rng(seed).integers(0, spread, (rows, dimension)).astype("f4")
    assert_same(data, k, seed=seed)


@given(st.integers(3, 9), st.integers(1, 4), st.integers(0, 2**32))
def test_radius_is_at_most_twice_the_optimum(rows: int, k: int, seed: int) -> None:
    data = cloud(rows, 2, seed)
    k = min(k, rows)
    distances = pairwise(data, data)
    optimum = min(
        distances[:, list(centres)].min(1).max()
        for centres in itertools.combinations(range(rows), k)
    )
    assert greedy_k_center(data, k).radius <= 2 * optimum + 1e-9


def test_prefixes_are_core_sets_and_radii_never_grow() -> None:
    data = cloud(500, 7)
    whole = greedy_k_center(data, 40, start=3)
    assert (np.diff(whole.radius_profile) <= 0).all()
    for k in (1, 2, 17, 40, 90):
        alone, prefix = greedy_k_center(data, k, start=3), whole.prefix(min(k, 40))
        assert prefix.indices.tolist() == alone.indices[:40].tolist()
        assert prefix.radius == alone.radius_profile[: len(prefix)][-1]
    assert whole.prefix(99) is whole
    assert whole.prefix(5).masses is None


def test_each_radius_is_the_smallest_distance_among_the_next_centres() -> None:
    data = cloud(300, 5)
    core = greedy_k_center(data, 30)
    centres = data[core.indices]
    distances = pairwise(centres, centres) + np.diag(np.full(30, np.inf))
    for j in range(1, 30):
        assert core.radius_profile[j - 1] == pytest.approx(distances[: j + 1, : j + 1].min())


@given(st.integers(0, 2**32))
def test_equivariance(seed: int) -> None:
    random = np.random.default_rng(seed)
    data = random.standard_normal((80, 4))
    core = greedy_k_center(data, 12, start=0)
    order = random.permutation(80)
    permuted = greedy_k_center(data[order], 12, start=int(np.flatnonzero(order == 0)[0]))
    assert order[permuted.indices].tolist() == core.indices.tolist()
    rotation = np.linalg.qr(random.standard_normal((4, 4)))[0]
    for moved, scale in ((data * 7, 7), (data + 1e3, 1), (data @ rotation, 1)):
        same = greedy_k_center(moved, 12, start=0)
        assert same.indices.tolist() == core.indices.tolist()
        np.testing.assert_allclose(same.radius_profile, scale * core.radius_profile, rtol=1e-9)


def test_duplicates_and_interior_points_change_nothing() -> None:
    data = cloud(100, 4, dtype="f8")
    core = greedy_k_center(data, 10, start=0)
    inside = data.mean(0) + 1e-3 * cloud(50, 4)
    more = greedy_k_center(np.concatenate([data, data, inside]), 10, start=0)
    assert more.indices.tolist() == core.indices.tolist()
    assert more.radius == core.radius


def test_partitions_compose() -> None:
    data = cloud(60, 2, dtype="f8")
    parts = [data[i::4] for i in range(4)]
    merged = np.concatenate([part[greedy_k_center(part, 3).indices] for part in parts])
    centres = merged[greedy_k_center(merged, 3).indices]
    distances = pairwise(data, data)
    optimum = min(
        distances[:, list(chosen)].min(1).max() for chosen in itertools.combinations(range(60), 3)
    )
    assert assign(data, centres).distances.max() <= 4 * optimum


def test_fewer_distinct_rows_than_centres() -> None:
    core = greedy_k_center(np.repeat(np.eye(3), 5, axis=0), 10, start=6)
    assert core.indices.tolist() == [6, 0, 10]
    assert core.radius == 0
    assert core.masses is not None
    assert core.masses.tolist() == [5, 5, 5]
    assert len(greedy_k_center(cloud(4, 2), 100)) == 4
    alone = greedy_k_center(np.zeros((1, 3)), 5)
    assert (alone.indices.tolist(), alone.radius) == ([0], 0)


def test_streams_a_memory_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = cloud(20_000, 16, dtype="f2")
    path = tmp_path / "embeddings"
    data.tofile(path)
    mapped = np.memmap(path, dtype="f2", mode="r", shape=data.shape)
    monkeypatch.setattr(points, "BLOCK_BYTES", 64 << 10)
    largest = 0
    working = points.Points._working

    def spy(self: points.Points, rows: np.ndarray) -> points.FloatArray:
        nonlocal largest
        largest = max(largest, len(rows))
        return working(self, rows)

    monkeypatch.setattr(points.Points, "_working", spy)
    assert_same(mapped, 60)
    assert largest <= active_set.ACTIVE_ROWS


def test_rows_that_are_not_finite_are_named() -> None:
    data = cloud(9000, 6)
    data[41, 2] = np.nan
    data[8001, 0] = -np.inf
    with pytest.raises(InvalidInputError, match=r"rows 41, 8001$"):
        greedy_k_center(data, 3)
    with pytest.raises(InvalidInputError, match=r"rows a\.png$"):
        greedy_k_center(data[40:50], 3, names=["z", "a.png", *"bcdefghi"])
    data[:, 1] = np.inf
    with pytest.raises(InvalidInputError, match=r"rows 0, 1, 2, 3, 4 and 8995 more$"):
        assign(data, data)
    with pytest.raises(InvalidInputError, match=r"rows 1$"):
        greedy_k_center(np.array([[1.0], [1e200]]), 1)


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (np.zeros((0, 3)), {}, "at least 1 rows, found 0"),
        (np.zeros((3, 0)), {}, r"found \(3, 0\)"),
        (np.zeros(3), {}, r"found \(3,\)"),
        (np.zeros((3, 3), dtype=complex), {}, "complex128"),
        (np.array([["a"]]), {}, "dtype"),
        (np.zeros((3, 3)), {"k": 0}, "at least 1 centre"),
        (np.zeros((3, 3)), {"start": 3}, "row from 0 to 2, found 3"),
        (np.zeros((3, 3)), {"start": -1}, "found -1"),
        (np.zeros((3, 3)), {"seed": -1}, "seed"),
        (np.zeros((3, 3)), {"names": ["a"]}, "a name for each of 3 rows, found 1"),
    ],
)
def test_refusals(data: np.ndarray, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        greedy_k_center(data, **{"k": 2, **arguments})


def test_assign_agrees_with_brute_force_far_from_the_origin() -> None:
    data, centres = cloud(400, 5, dtype="f8") + 1e7, cloud(9, 5, seed=4, dtype="f8") + 1e7
    found = assign(data, centres)
    distances = pairwise(data, centres)
    assert found.nearest.tolist() == distances.argmin(1).tolist()
    np.testing.assert_allclose(found.distances, distances.min(1), rtol=1e-12)
    assert found.masses.tolist() == np.bincount(distances.argmin(1), minlength=9).tolist()
    with pytest.raises(InvalidInputError, match="5 and 4"):
        assign(data, centres[:, :4])


def test_progress_reaches_k() -> None:
    seen: list[tuple[int, int]] = []
    greedy_k_center(cloud(500, 4), 20, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (20, 20)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
