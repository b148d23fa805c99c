"""Walks over arrays, in blocks of a few keys: what they look at first is never all there is.

Against sets in plain Python, over any graph, in any order of keys. Seen to fail: with ``_leads_up``
always false, ``_is_open`` always false, without ``_again``, with ``highest`` as the last and not
the highest, with ``nearest`` without circles or with those behind others, with the layer before
one not taken out of the next (the test does not end) and with ``until`` that never ends.
"""

from __future__ import annotations

from array import array
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veml_vcs.lineage.sqlite import walks
from veml_vcs.lineage.sqlite.adjacency import Neighbours

MOST = 14
Edges = set[tuple[int, int]]


def neighbours(edges: Edges) -> Neighbours:
    pairs = sorted(edges)
    counts = [sum(near == key for near, _ in pairs) for key in range(MOST)]
    return Neighbours(
        list(accumulate(counts, initial=0)),
        array("i", [far for _, far in pairs]),
        [(near, far) for near, far in pairs if near <= far],
    )


def above(start: int, edges: Edges) -> set[int]:
    found, new = {start}, {start}
    while new:
        new = {far for near, far in edges if near in new} - found
        found |= new
    return found


keys = st.integers(0, MOST - 1)
graphs = st.sets(st.tuples(keys, keys), max_size=2 * MOST)
histories = st.sets(st.tuples(keys, keys).map(lambda pair: (max(pair), min(pair))), min_size=MOST)


TWO = {(9, 7), (9, 6), (8, 7), (8, 6)}  # 9 and 8 have 7 and 6 in common


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "_BLOCK", 1)
        yield


@given(edges=graphs | histories, first=keys, second=keys, some=st.sets(keys, max_size=2))
@example(edges={(9, 3), (8, 3), (3, 2), (2, 3)}, first=9, second=8, some=set())
@example(edges={*TWO, (7, 1), (1, 6)}, first=9, second=8, some=set())
@example(edges={*TWO, (7, 1), (1, 6), (2, 2)}, first=9, second=8, some=set())
def test_nearest_common(edges: Edges, first: int, second: int, some: set[int]) -> None:
    edges |= {(one, (one + 9) % MOST) for one in some}  # a few against the order
    up = {key: above(key, edges) for key in range(MOST)}
    both = up[first] & up[second]
    right = {
        one for one in both
        if not any(one in up[other] and other not in up[one] for other in both)
    }  # fmt: skip
    assert walks.nearest_common(first, second, neighbours(edges)) == right


@given(edges=graphs, start=keys, end=keys)
@example(edges={(0, 1), (1, 2), (0, 2), (5, 6), (6, 7), (5, 7)}, start=0, end=5)  # no way
def test_what_lies_between(edges: Edges, start: int, end: int) -> None:
    back = {(far, near) for near, far in edges}
    steps = {key: walks.layers(key, neighbours(edges | back)) for key in (start, end)}
    far = {
        key: {one: step for step, layer in enumerate(found) for one in layer}
        for key, found in steps.items()
    }
    found = walks.between(start, end, (neighbours(edges), neighbours(back)))
    if end not in far[start]:
        assert found is None
        return
    whole = far[start][end]
    assert found == [
        {key for key in far[start] if far[start][key] == step and far[end][key] == whole - step}
        for step in range(whole + 1)
    ]


@given(edges=graphs, start=keys, ends=st.sets(keys, max_size=3))
@example(edges={(0, 1), (1, 2), (2, 3)}, start=0, ends={1})
def test_layers(edges: Edges, start: int, ends: set[int]) -> None:
    found = walks.layers(start, neighbours(edges))
    assert set().union(*found) == above(start, edges)
    for number, layer in enumerate(found[1:]):
        assert all(any((near, far) in edges for near in found[number]) for far in layer)
    until = walks.layers(start, neighbours(edges), ends)
    assert until == found[: len(until)]
    assert ends & set().union(*found) <= set().union(*until)
    assert not ends <= set().union(*until[:-1]) or len(until) == 1
