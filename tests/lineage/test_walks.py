"""Walks over arrays, in blocks of a few keys: what they look at first is never all there is.

Against sets in plain Python, over any graph, in any order of keys. Seen to fail: with ``_leads_up``
always false, ``_is_open`` always false, without ``_again``, with ``highest`` as the last and not
the highest, with ``nearest`` without circles or with those behind others, with what was seen not
taken out of the next layer (the test does not end), with ``until`` that never ends, and with what
is next to the end put where it is a step too far; the count, without a bound.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veml_vcs.lineage.sqlite import shortest, walks
from veml_vcs.lineage.sqlite.adjacency import GROUP_SHIFT, Neighbours, rows_of

MOST = 14
APART = 50  # so that they lie in two rows of the table, and in eleven groups
Edges = set[tuple[int, int]]


def neighbours(edges: Edges) -> Neighbours:
    pairs = sorted(edges)
    against = [(near, far) for near, far in pairs if near <= far]
    return Neighbours(rows_of(pairs), MOST * APART, against)


def groups(edges: Edges) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for near, far in edges:
        found.setdefault(near >> GROUP_SHIFT, set()).add(far >> GROUP_SHIFT)
    return found


def above(start: int, edges: Edges) -> set[int]:
    found, new = {start}, {start}
    while new:
        new = {far for near, far in edges if near in new} - found
        found |= new
    return found


keys = st.integers(0, MOST - 1).map(lambda one: one * APART)
graphs = st.sets(st.tuples(keys, keys), max_size=2 * MOST)
histories = st.sets(st.tuples(keys, keys).map(lambda pair: (max(pair), min(pair))), min_size=MOST)


def apart(edges: Edges) -> Edges:
    return {(near * APART, far * APART) for near, far in edges}


LATE: dict[str, Any] = {"first": 9 * APART, "second": 8 * APART, "some": set()}
TWO = {(9, 7), (9, 6), (8, 7), (8, 6)}  # 9 and 8 have 7 and 6 in common


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "_BLOCK", APART)
        yield


@given(edges=graphs | histories, first=keys, second=keys, some=st.sets(keys, max_size=2))
@example(edges=apart({(9, 3), (8, 3), (3, 2), (2, 3)}), **LATE)
@example(edges=apart({*TWO, (7, 1), (1, 6)}), **LATE)
@example(edges=apart({*TWO, (7, 1), (1, 6), (2, 2)}), **LATE)
def test_nearest_common(edges: Edges, first: int, second: int, some: set[int]) -> None:
    edges |= {(one, (one + 9 * APART) % (MOST * APART)) for one in some}  # against the order
    up = {key: above(key, edges) for key in range(0, MOST * APART, APART)}
    both = up[first] & up[second]
    right = {
        one for one in both
        if not any(one in up[other] and other not in up[one] for other in both)
    }  # fmt: skip
    there, back = neighbours(edges), neighbours({(far, near) for near, far in edges})
    found = walks.nearest_common(first, second, there)
    assert found.nearest == right
    for start in (first, second):
        steps = walks.layers(start, there)
        for end in right:
            way = walks.ways_of(start, end, (there, back), found)
            assert end in steps[len(way) - 1]
            far = walks.layers(end, back)
            assert way == [
                one & other for one, other in zip(steps, far[len(way) - 1 :: -1], strict=False)
            ]


def steps(start: int, edges: Edges) -> dict[int, int]:
    found = walks.layers(start, neighbours(edges))
    return {one: step for step, layer in enumerate(found) for one in layer}


@pytest.mark.parametrize("near", [0, 2, 5, 99])
@given(edges=graphs, start=keys, end=keys, along=st.booleans())
@example(
    edges=apart({(0, 1), (1, 2), (0, 2), (5, 6), (6, 7), (5, 7)}),
    start=0,
    end=5 * APART,
    along=False,
)  # no way
def test_what_lies_between(edges: Edges, start: int, end: int, along: bool, near: int) -> None:
    back = {(far, near) for near, far in edges}
    ahead = [edges] if along else [edges, back]
    from_there = [back] if along else [back, edges]
    far = {key: steps(key, set().union(*of)) for key, of in ((start, ahead), (end, from_there))}
    if start == end:
        far[start] = {start: 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortest, "_NEAR", near)  # from there on by a bound
        found = shortest.between(
            start,
            end,
            [neighbours(some) for some in ahead],
            [neighbours(some) for some in from_there],
            lambda: groups(set().union(*from_there)),
        )
    if end not in far[start]:
        assert found is None
        return
    whole = far[start][end]
    assert found == [
        {key for key in far[start] if far[start][key] == step and far[end].get(key) == whole - step}
        for step in range(whole + 1)
    ]


LONG = 20_000


@given(
    leaps=st.lists(st.tuples(st.integers(0, 99), st.integers(1, 9)), min_size=99),
    start=st.integers(90, 99),
    end=st.integers(0, 9),
)
def test_a_bound_leaves_nothing_out(leaps: list[tuple[int, int]], start: int, end: int) -> None:
    """Where a way is long: it was right by chance in small graphs."""
    edges = {(key * 9, max(0, key - by) * 9) for key, by in leaps}
    back = {(far, near) for near, far in edges}
    both = [neighbours(edges), neighbours(back)]
    asked = start * 9, end * 9, both, both
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortest, "_NEAR", 1000)
        right = shortest.between(*asked, dict)
        patch.setattr(shortest, "_NEAR", 4)
        assert shortest.between(*asked, lambda: groups(edges | back)) == right


def test_by_a_bound_little_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a history in which some things come from what is far back: not all that is between."""
    edges = {(key, key - by) for key in range(LONG) for by in (17, 23) if by <= key}
    edges |= {(key, key - 400) for key in range(400, LONG, 40)}
    back = {(far, near) for near, far in edges}
    both = [Neighbours(rows_of(sorted(some)), LONG, []) for some in (edges, back)]
    looked: list[int] = []

    def around(nodes: set[int], ways: list[Neighbours]) -> set[int]:
        looked.extend(nodes)
        return walks.around(nodes, ways)

    monkeypatch.setattr(shortest, "around", around)
    monkeypatch.setattr(shortest, "_NEAR", 500)
    asked = LONG - 1, 3, both, both, lambda: groups(edges | back)
    found = shortest.between(*asked)
    bound = len(looked)
    looked.clear()
    monkeypatch.setattr(shortest, "_NEAR", LONG)
    assert shortest.between(*asked) == found
    assert len(looked) > 10_000
    assert bound < 850


@given(edges=graphs, start=keys, ends=st.sets(keys, max_size=3))
@example(edges=apart({(0, 1), (1, 2), (2, 3)}), start=0, ends={APART})
def test_layers(edges: Edges, start: int, ends: set[int]) -> None:
    found = walks.layers(start, neighbours(edges))
    assert set().union(*found) == above(start, edges)
    for number, layer in enumerate(found[1:]):
        assert all(any((near, far) in edges for near in found[number]) for far in layer)
    until = walks.layers(start, neighbours(edges), ends)
    assert until == found[: len(until)]
    assert ends & set().union(*found) <= set().union(*until)
    assert not ends <= set().union(*until[:-1]) or len(until) == 1
