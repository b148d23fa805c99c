"""Boxes as corners, and which object is which."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations import (
    Matching,
    box_of,
    image_size,
    iou,
    match_objects,
    objects_of,
)
from veml_vcs.samples.annotations.match import _boxes_by_left, _overlapping


def box(name: str, x: float, y: float, w: float, h: float, **more: Any) -> dict[str, Any]:
    return {"class": name, "xywh": [x, y, w, h], **more}


@pytest.mark.parametrize(
    ("obj", "corners"),
    [
        ({"xywh": [10, 20, 30, 40]}, (10, 20, 40, 60)),
        ({"xyxy": [10, 20, 30, 40]}, (10, 20, 30, 40)),
        ({"cxcywhn": [0.5, 0.5, 0.5, 0.25]}, (25, 75, 75, 125)),
        ({"xywh": [10, 20, -5, 5]}, (5, 20, 10, 25)),
        ({"xyxy": [30, 40, 10, 20]}, (10, 20, 30, 40)),
        ({"class": "car"}, None),
        ({"xywh": None}, None),
        ({"xywh": [1, 2, 3]}, None),
        ({"xywh": [1, 2, 3, "4"]}, None),
        ({"xywh": [1, 2, 3, True]}, None),
        ({"xywh": [1, 2, 3, float("nan")]}, None),
        ({"xywh": [1, 2, 3, 10**400]}, None),
    ],
)
def test_box_of(obj: dict[str, Any], corners: Any) -> None:
    assert box_of(obj, 100, 200) == corners


def test_a_relative_box_without_a_size_stays_relative() -> None:
    obj = {"cxcywhn": [0.5, 0.5, 0.5, 0.25]}
    assert box_of(obj) == box_of(obj, 100, None) == (0.25, 0.375, 0.75, 0.625)


def test_image_size() -> None:
    assert image_size(None, {"width": 0, "height": 5}, {"width": 4, "height": 5}) == (4, 5)
    assert image_size({"width": "4", "height": 5}, {"width": 4}) == (None, None)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0),
        ((0, 0, 2, 2), (0, 3, 2, 4), 0.0),
        ((1, 1, 1, 1), (1, 1, 1, 1), 1.0),  # a point is itself
        ((1, 1, 1, 1), (0, 0, 2, 2), 0.0),
    ],
)
def test_iou(a: Any, b: Any, expected: float) -> None:
    assert iou(a, b) == iou(b, a) == pytest.approx(expected)


def test_objects_of_refuses_what_is_no_list_of_dicts() -> None:
    assert objects_of(None) == objects_of({}) == []
    with pytest.raises(InvalidInputError, match="objects: expected a list, found dict"):
        objects_of({"objects": {}})
    with pytest.raises(InvalidInputError, match=r"objects\[1\]: expected a dict, found int"):
        objects_of({"objects": [{}, 3]})


CAR = box("car", 0, 0, 10, 10)


@pytest.mark.parametrize(
    ("old", "new", "pairs"),
    [
        pytest.param([], [], [], id="empty"),
        pytest.param([CAR], [], [], id="removed"),
        pytest.param([], [CAR], [], id="added"),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=1)],
            [box("dog", 500, 500, 9, 9, id=1)],
            [(0, 0)],
            id="an id decides alone",
        ),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=1), box("car", 50, 0, 9, 9, id=2)],
            [box("car", 50, 0, 9, 9, id=1), box("car", 0, 0, 9, 9, id=2)],
            [(0, 0), (1, 1)],
            id="ids beat content",
        ),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=1)],
            [box("car", 0, 0, 9, 9, id=1.0)],
            [(0, 0)],
            id="ids are numbers by value",
        ),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=1)],
            [box("dog", 500, 0, 9, 9, id="1")],
            [],
            id="a text is not a number",
        ),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=True)],
            [box("dog", 500, 0, 9, 9, id=1)],
            [],
            id="true is no id",
        ),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=[1])],
            [box("dog", 500, 0, 9, 9, id=[1])],
            [],
            id="a list is no id",
        ),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=1), box("car", 50, 0, 9, 9, id=1)],
            [box("car", 50, 0, 9, 9, id=1), box("dog", 900, 0, 9, 9)],
            [(1, 0)],
            id="an id that stands twice says nothing",
        ),
        pytest.param(
            [box("car", 0, 0, 9, 9, id=1), box("car", 50, 0, 9, 9, id=2)],
            [box("car", 50, 0, 9, 9, id=8), box("car", 0, 0, 9, 9, id=9)],
            [(0, 1), (1, 0)],
            id="numbered anew",
        ),
        pytest.param([CAR, CAR], [CAR, CAR, CAR], [(0, 0), (1, 1)], id="equal objects in order"),
        pytest.param([{"class": "a"}], [{"class": "a"}], [(0, 0)], id="no box, same content"),
        pytest.param([{"class": "a"}], [{"class": "a", "x": 1}], [], id="no box, other content"),
        pytest.param([CAR], [box("car", 3, 0, 10, 10)], [(0, 0)], id="moved"),
        pytest.param([CAR], [box("car", 7, 0, 10, 10)], [(0, 0)], id="moved far"),
        pytest.param([CAR], [box("car", 9, 0, 10, 10)], [], id="too far"),
        pytest.param([CAR], [box("dog", 3, 0, 10, 10)], [(0, 0)], id="relabelled"),
        pytest.param([CAR], [box("dog", 7, 0, 10, 10)], [], id="other class, far"),
        pytest.param(
            [{**CAR, "id": 1}],
            [box("car", 7, 0, 10, 10, id=2)],
            [],
            id="moved far against two ids",
        ),
        pytest.param(
            [{**CAR, "id": 1}],
            [box("car", 3, 0, 10, 10, id=2)],
            [(0, 0)],
            id="moved a little against two ids",
        ),
        pytest.param(
            [CAR],
            [box("dog", 0, 0, 10, 10), box("car", 3, 0, 10, 10)],
            [(0, 1)],
            id="the right class at half the overlap beats another class",
        ),
        pytest.param(
            [CAR],
            [box("car", 7, 0, 10, 10), box("dog", 1, 0, 10, 10)],
            [(0, 1)],
            id="another class at the place beats the right one far off",
        ),
        pytest.param(
            [CAR],
            [box("car", 2, 0, 10, 10), box("car", 1, 0, 10, 10)],
            [(0, 1)],
            id="the better overlap",
        ),
        pytest.param(
            [{**CAR, "a": 1}, {**CAR, "a": 2}],
            [{**CAR, "a": 3}, {**CAR, "a": 4}],
            [(0, 0), (1, 1)],
            id="ties in order",
        ),
        pytest.param(
            [{"class": "p", "xywh": [5, 5, 0, 0]}],
            [{"class": "p", "xywh": [5, 5, 0, 0], "seen": True}],
            [(0, 0)],
            id="a point in place",
        ),
    ],
)
def test_matching(old: list[Any], new: list[Any], pairs: list[tuple[int, int]]) -> None:
    matching = match_objects(old, new)
    assert list(matching.pairs) == pairs
    assert matching == Matching(
        tuple(pairs),
        tuple(sorted(set(range(len(old))) - {i for i, _ in pairs})),
        tuple(sorted(set(range(len(new))) - {j for _, j in pairs})),
    )


def test_a_relative_box_meets_pixels_at_a_known_size() -> None:
    old = [{"class": "car", "cxcywhn": [0.5, 0.5, 0.5, 0.5]}]
    new = [{"class": "car", "xyxy": [25, 50, 75, 150]}]
    assert match_objects(old, new, width=100, height=200).pairs == ((0, 0),)
    assert match_objects(old, new).pairs == ()


coordinates = st.integers(0, 12).map(float)
sizes = st.integers(0, 6).map(float)
plain_boxes = st.lists(
    st.tuples(coordinates, coordinates, sizes, sizes).map(lambda b: box("car", *b)), max_size=12
)


@given(plain_boxes, plain_boxes)
def test_the_sweep_finds_every_overlap_once(old: list[Any], new: list[Any]) -> None:
    sides = [_boxes_by_left(side, list(range(len(side))), (None, None)) for side in (old, new)]
    found = [(i, j) for i, j, _ in _overlapping(*sides)]
    boxes = [[box_of(obj) for obj in side] for side in (old, new)]
    expected = [
        (i, j)
        for i, a in enumerate(boxes[0])
        for j, b in enumerate(boxes[1])
        if a is not None and b is not None and iou(a, b) > 0
    ]
    assert sorted(found) == expected


@given(plain_boxes, plain_boxes)
def test_a_matching_is_one_to_one_and_leaves_nobody_out(old: list[Any], new: list[Any]) -> None:
    matching = match_objects(old, new)
    assert sorted([i for i, _ in matching.pairs] + list(matching.removed)) == list(range(len(old)))
    assert sorted([j for _, j in matching.pairs] + list(matching.added)) == list(range(len(new)))


@given(plain_boxes)
def test_a_list_matches_itself_in_place(objects: list[Any]) -> None:
    assert match_objects(objects, objects).pairs == tuple((i, i) for i in range(len(objects)))


def test_two_thousand_moved_boxes() -> None:
    rng = random.Random(5)
    old = [box("car", rng.randrange(4000), rng.randrange(4000), 40, 40) for _ in range(2000)]
    new = [box("car", obj["xywh"][0] + 1, obj["xywh"][1], 40, 40) for obj in old]
    order = rng.sample(range(2000), 2000)
    matching = match_objects(old, [new[i] for i in order])
    assert sum(order[j] == i for i, j in matching.pairs) >= 1995  # a few lie on one another
