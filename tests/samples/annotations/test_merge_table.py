"""Every case of the three-way merge of an annotation, in tables.

Objects are written as short as ``car(0)``: a car with its box at x = 0, ten pixels square. A case
is base, ours, theirs, what stands in the merge, and the keys of the conflicts.
"""

from __future__ import annotations

from typing import Any

import pytest

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations import (
    AnnotationMerge,
    Conflict,
    ConflictKind,
    MergeCounts,
    merge_annotation,
    resolve,
)


def car(x: float, **more: Any) -> dict[str, Any]:
    return {"class": "car", "xywh": [x, 0, 10, 10], **more}


def dog(x: float, **more: Any) -> dict[str, Any]:
    return {**car(x, **more), "class": "dog"}


OBJECTS = [
    # One side does something, or both do the same.
    ("nothing", [car(0)], [car(0)], [car(0)], [car(0)], []),
    ("moved here", [car(0)], [car(1)], [car(0)], [car(1)], []),
    ("moved there", [car(0)], [car(0)], [car(1)], [car(1)], []),
    ("moved alike", [car(0)], [car(1)], [car(1.0)], [car(1)], []),
    ("removed here", [car(0), car(50)], [car(50)], [car(0), car(50)], [car(50)], []),
    ("removed there", [car(0), car(50)], [car(0), car(50)], [car(50)], [car(50)], []),
    ("removed by both", [car(0), car(50)], [car(50)], [car(50)], [car(50)], []),
    ("removed both by one each", [car(0), car(50)], [car(50)], [car(0)], [], []),
    ("added here", [], [car(0)], [], [car(0)], []),
    ("added there", [], [], [car(0)], [car(0)], []),
    ("added by each", [], [car(0)], [car(50)], [car(0), car(50)], []),
    ("added alike", [], [car(0)], [car(0)], [car(0)], []),
    ("added alike, other ids", [], [car(0, id=1)], [car(0, id=2)], [car(0, id=1)], []),
    ("two alike here, one there", [], [car(0), car(0)], [car(0)], [car(0), car(0)], []),
    # Both sides, different fields of one object.
    ("moved, relabelled", [car(0)], [car(1)], [dog(0)], [dog(1)], []),
    ("moved, field", [car(0, a=1)], [car(1, a=1)], [car(0, a=2)], [car(1, a=2)], []),
    ("fields", [car(0, a=1, b=1)], [car(0, a=2, b=1)], [car(0, a=1, b=2)], [car(0, a=2, b=2)], []),
    ("field removed", [car(0, a=1, b=1)], [car(0, b=1)], [car(0, a=1, b=2)], [car(0, b=2)], []),
    ("field added alike", [car(0)], [car(0, a=1)], [car(0, a=1.0)], [car(0, a=1)], []),
    (
        "attributes by key",
        [car(0, attributes={"a": 1, "b": {"c": 1, "d": 1}})],
        [car(0, attributes={"a": 2, "b": {"c": 2, "d": 1}})],
        [car(0, attributes={"a": 1, "b": {"c": 1}})],
        [car(0, attributes={"a": 2, "b": {"c": 2}})],
        [],
    ),
    (
        "attributes begun by both",
        [car(0)],
        [car(0, attributes={"a": 1})],
        [car(0, attributes={"b": 2})],
        [car(0, attributes={"a": 1, "b": 2})],
        [],
    ),
    # Conflicts.
    ("moved-both", [car(0)], [car(1)], [car(2)], [car(1)], ["moved-both:objects#0.xywh"]),
    (
        "moved-both, the shape goes with the box",
        [car(0, id=7, area=100, segmentation=[[0]])],
        [car(1, id=7, area=100, segmentation=[[1]])],
        [car(2, id=7, area=200, segmentation=[[2]])],
        [car(1, id=7, area=100, segmentation=[[1]])],
        ["moved-both:objects[id=7].xywh"],
    ),
    (
        "class-both",
        [car(0, id="x")],
        [dog(0, id="x")],
        [{**car(0, id="x"), "class": "van"}],
        [dog(0, id="x")],
        ['class-both:objects[id="x"].class'],
    ),
    (
        "field-both",
        [car(0, a=1)],
        [car(0, a=2)],
        [car(0, a=3)],
        [car(0, a=2)],
        ["field-both:objects#0.a"],
    ),
    (
        "field-both: true is not 1",
        [car(0)],
        [car(0, a=1)],
        [car(0, a=True)],
        [car(0, a=1)],
        ["field-both:objects#0.a"],
    ),
    (
        "field removed and changed",
        [car(0, a=1)],
        [car(0)],
        [car(0, a=3)],
        [car(0)],
        ["field-both:objects#0.a"],
    ),
    (
        "attribute in conflict, another not",
        [car(0, attributes={"a": 1, "b": 1})],
        [car(0, attributes={"a": 2, "b": 1})],
        [car(0, attributes={"a": 3, "b": 3})],
        [car(0, attributes={"a": 2, "b": 3})],
        ["field-both:objects#0.attributes.a"],
    ),
    (
        "several conflicts of one object",
        [car(0, id=7, a=1)],
        [dog(1, id=7, a=2)],
        [{**car(2, id=7, a=3), "class": "van"}],
        [dog(1, id=7, a=2)],
        [
            "class-both:objects[id=7].class",
            "field-both:objects[id=7].a",
            "moved-both:objects[id=7].xywh",
        ],
    ),
    (
        "removed here, changed there",
        [car(0, id=7)],
        [],
        [car(3, id=7)],
        [car(3, id=7)],
        ["removed-changed:objects[id=7]"],
    ),
    (
        "changed here, removed there",
        [car(0)],
        [car(3)],
        [],
        [car(3)],
        ["removed-changed:objects#0"],
    ),
    (
        "an id that stands twice in base names nothing",
        [car(0, id=7), car(50, id=7)],
        [car(1, id=7), car(50, id=7)],
        [car(2, id=7), car(50, id=7)],
        [car(1, id=7), car(50, id=7)],
        ["moved-both:objects#0.xywh"],
    ),
    ("added-both", [], [car(0)], [car(0.25)], [car(0)], ["added-both:objects+0"]),
    (
        "added-both, with ids",
        [dog(50)],
        [dog(50), car(0, id=7)],
        [dog(50), car(0.25, id=7)],
        [dog(50), car(0, id=7)],
        ["added-both:objects[id=7]"],
    ),
    ("added, not quite as near", [], [car(0)], [car(1)], [car(0), car(1)], []),
    ("added at one place, other class", [], [car(0)], [dog(0)], [car(0), dog(0)], []),
    (
        "added alike, each says something more",
        [],
        [car(0, a=1, attributes={"c": 1})],
        [car(0, b=2, attributes={"d": 2})],
        [car(0, a=1, b=2, attributes={"c": 1, "d": 2})],
        [],
    ),
    # Ids.
    (
        "both tools gave max + 1",
        [car(0, id=1)],
        [car(0, id=1), car(50, id=2)],
        [car(0, id=1), car(100, id=2)],
        [car(0, id=1), car(50, id=2), car(100)],
        [],
    ),
    ("id changed there", [car(0, id=1)], [car(0, id=1)], [car(0, id=5)], [car(0, id=5)], []),
    ("id changed by both", [car(0, id=1)], [car(0, id=4)], [car(0, id=5)], [car(0, id=4)], []),
    (
        "id changed there to one taken here",
        [car(0, id=1)],
        [car(0, id=1), car(50, id=5)],
        [car(0, id=5)],
        [car(0, id=1), car(50, id=5)],
        [],
    ),
    ("a new id is no change", [car(0, id=1)], [], [car(0, id=5)], [], []),
    (
        "an unhashable id is just a field",
        [car(0, id=[1])],
        [car(0, id=[1]), car(50, id=9)],
        [car(0, id=[2])],
        [car(0, id=[2]), car(50, id=9)],
        [],
    ),
    (
        "the changed one returns, its new id is taken",
        [car(0, id=1, a=1)],
        [car(500, id=5)],
        [car(0, id=5, a=2)],
        [car(500, id=5), car(0, a=2)],
        ["removed-changed:objects[id=1]"],
    ),
    # Objects without a box are matched by content alone.
    ("no box, changed there", [{"a": 1}], [{"a": 1}], [{"a": 2}], [{"a": 2}], []),
    (
        "no box, changed by both: nothing is lost",
        [{"a": 1}],
        [{"a": 2}],
        [{"a": 3}],
        [{"a": 2}, {"a": 3}],
        [],
    ),
    # Order.
    (
        "theirs stands where it stood among its neighbours",
        [car(0), car(50)],
        [car(0), car(50), car(200)],
        [car(0), car(100), car(50), car(300)],
        [car(0), car(100), car(50), car(200), car(300)],
        [],
    ),
    (
        "rearranged there; ours follows what it followed",
        [car(0), car(50)],
        [car(0), car(50), car(200)],
        [car(50), car(0)],
        [car(50), car(200), car(0)],
        [],
    ),
    (
        "rearranged by both: ours",
        [car(0), car(50), car(100)],
        [car(50), car(0), car(100)],
        [car(100), car(50), car(0)],
        [car(50), car(0), car(100)],
        [],
    ),
]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "conflicts"),
    [pytest.param(*case[1:], id=case[0]) for case in OBJECTS],
)
def test_objects(base: Any, ours: Any, theirs: Any, merged: Any, conflicts: list[str]) -> None:
    result = merge_annotation({"objects": base}, {"objects": ours}, {"objects": theirs})
    assert result.merged == {"objects": merged}
    assert sorted(conflict.key for conflict in result.conflicts) == conflicts
    assert result.counts.balanced
    assert (result.counts.base, result.counts.merged) == (len(base), len(merged))


BOTH = [
    ("moved", [car(0, id=7)], [car(1, id=7)], [car(2, id=7)], [car(1, id=7), car(2)]),
    ("relabelled", [car(0)], [dog(0)], [{**car(0), "class": "van"}],
     [dog(0), {**car(0), "class": "van"}]),
    ("a field", [car(0, id=7, a=1)], [car(0, id=7, a=2)], [car(0, id=7, a=3)],
     [car(0, id=7, a=2), car(0, a=3)]),
    ("what does not conflict is in both", [car(0, id=7, a=1, b=1)], [car(1, id=7, a=5, b=1)],
     [car(2, id=7, a=1, b=5)], [car(1, id=7, a=5, b=5), car(2, a=5, b=5)]),
    ("added", [], [car(0)], [car(0.25)], [car(0), car(0.25)]),
    ("added under one id", [], [car(0, id=7)], [car(0.25, id=7)], [car(0, id=7), car(0.25)]),
    ("added under two ids", [], [car(0, id=7)], [car(0.25, id=8)],
     [car(0, id=7), car(0.25, id=8)]),
    ("added under an id that ours gave to another", [], [car(0, id=7), car(90, id=8)],
     [car(0.25, id=8)], [car(0, id=7), car(0.25), car(90, id=8)]),
    ("renumbered there", [car(0, id=7)], [car(1, id=7)], [car(2, id=9)],
     [car(1, id=9), car(2)]),
    ("nothing to settle", [car(0)], [car(1)], [car(0)], [car(1)]),
    ("removed here: has no meaning, the changed one stands", [car(0)], [], [car(1)], [car(1)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"), [pytest.param(*case[1:], id=case[0]) for case in BOTH]
)
def test_both_are_kept(base: Any, ours: Any, theirs: Any, merged: Any) -> None:
    sides = [{"objects": side} for side in (base, ours, theirs)]
    assert resolve(*sides, "both") == {"objects": merged}  # type: ignore[arg-type]
    result = merge_annotation(*sides, chooser=lambda _: "both")  # type: ignore[arg-type]
    assert result.counts.balanced
    assert (result.counts.base, result.counts.merged) == (len(base), len(merged))
    left = [one.kind for one in result.conflicts if one.choice is None]
    assert left == ([ConflictKind.REMOVED_CHANGED] if base and not ours else [])


def test_both_of_one_conflict_and_a_side_of_the_other() -> None:
    sides = [{"objects": [obj]} for obj in (car(0, a=1), car(1, a=2), car(2, a=3))]

    def choose(one: Conflict) -> Any:
        return "both" if one.kind == ConflictKind.MOVED_BOTH else "base"

    merged = merge_annotation(*sides, chooser=choose).merged  # type: ignore[arg-type]
    assert merged == {"objects": [car(1, a=1), car(2, a=1)]}


FIELDS: list[tuple[str, Any, Any, Any, Any, list[str]]] = [
    ("none at all", None, None, None, None, []),
    ("empty", {}, {}, {}, {}, []),
    ("new here", None, {"a": 1}, None, {"a": 1}, []),
    ("new there", None, None, {"a": 1}, {"a": 1}, []),
    ("new and empty", None, None, {}, {}, []),
    ("new on both", None, {"a": 1, "b": 1}, {"b": 1, "c": 1}, {"a": 1, "b": 1, "c": 1}, []),
    ("new on both, contradicting", None, {"a": 1}, {"a": 2}, {"a": 1}, ["image-field-both:a"]),
    ("removed here", {"a": 1}, None, {"a": 1.0}, None, []),
    ("removed there", {"a": 1}, {"a": 1}, None, None, []),
    ("removed by both", {"a": 1}, None, None, None, []),
    (
        "removed here, changed there",
        {"a": 1},
        None,
        {"a": 2},
        {"a": 2},
        ["annotation-removed-changed:annotation"],
    ),
    (
        "changed here, removed there",
        {"a": 1},
        {"a": 2},
        None,
        {"a": 2},
        ["annotation-removed-changed:annotation"],
    ),
    ("emptied here", {"a": 1}, {}, {"a": 1}, {}, []),
    ("fields", {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 2}, []),
    ("field-both", {"a b": 1}, {"a b": 2}, {"a b": 3}, {"a b": 2}, ['image-field-both:["a b"]']),
    (
        "dicts by key",
        {"meta": {"a": 1, "b": 1}},
        {"meta": {"a": 2, "b": 1}},
        {"meta": {"a": 1}},
        {"meta": {"a": 2}},
        [],
    ),
    (
        "a list is one value",
        {"a": [1]},
        {"a": [1, 2]},
        {"a": [0, 1]},
        {"a": [1, 2]},
        ["image-field-both:a"],
    ),
    ("null is a value", {"a": 1}, {"a": None}, {"a": 1}, {"a": None}, []),
    ("id by both", {"id": 1}, {"id": 2}, {"id": 3}, {"id": 2}, []),
    (
        "objects begun by both",
        {},
        {"objects": []},
        {"objects": [car(0)]},
        {"objects": [car(0)]},
        [],
    ),
    ("objects dropped", {"objects": []}, {}, {"objects": []}, {}, []),
    (
        "objects emptied",
        {"objects": [car(0)]},
        {"objects": []},
        {"objects": [car(0)]},
        {"objects": []},
        [],
    ),
    # Sets.
    (
        "labels",
        {"labels": ["a", "b"]},
        {"labels": ["b", "c"]},
        {"labels": ["a", "d", "b"]},
        {"labels": ["d", "b", "c"]},
        [],
    ),
    (
        "labels removed",
        {"labels": ["a", "b"]},
        {"labels": ["b"]},
        {"labels": ["a"]},
        {"labels": []},
        [],
    ),
    (
        "splits stay sorted",
        {"splits": ["train"]},
        {"splits": ["train", "val"]},
        {"splits": ["dev", "test", "train"]},
        {"splits": ["dev", "test", "train", "val"]},
        [],
    ),
    (
        "moved to one split alike",
        {"splits": ["a"]},
        {"splits": ["b"]},
        {"splits": ["b"]},
        {"splits": ["b"]},
        [],
    ),
    (
        "one label, relabelled by both",
        {"labels": ["cat"]},
        {"labels": ["dog"]},
        {"labels": ["cow"]},
        {"labels": ["dog"]},
        ["labels-both:labels"],
    ),
    (
        "first label by both",
        {},
        {"labels": ["dog"]},
        {"labels": ["cow"]},
        {"labels": ["dog"]},
        ["labels-both:labels"],
    ),
    (
        "one split, moved by both",
        {"splits": ["train"]},
        {"splits": ["val"]},
        {"splits": ["test"]},
        {"splits": ["val"]},
        ["splits-both:splits"],
    ),
    (
        "sources",
        {},
        {"sources": ["a.json"]},
        {"sources": ["b.json"]},
        {"sources": ["a.json", "b.json"]},
        [],
    ),
    (
        "no set",
        {"labels": ["a", "a"]},
        {"labels": ["a"]},
        {"labels": []},
        {"labels": ["a"]},
        ["image-field-both:labels"],
    ),
    (
        "no texts",
        {"labels": [[1]]},
        {"labels": [[2]]},
        {"labels": []},
        {"labels": [[2]]},
        ["image-field-both:labels"],
    ),
]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "conflicts"),
    [pytest.param(*case[1:], id=case[0]) for case in FIELDS],
)
def test_fields(base: Any, ours: Any, theirs: Any, merged: Any, conflicts: list[str]) -> None:
    result = merge_annotation(base, ours, theirs)
    assert result.merged == merged
    assert [conflict.key for conflict in result.conflicts] == conflicts


def test_counts() -> None:
    base = [car(100 * i, id=i) for i in range(6)]
    ours = [*base[1:3], car(301, id=3), *base[4:], car(1000), car(2000), car(3000)]
    theirs = [base[0], base[2], *base[5:], car(2000), car(3000.1), car(4000)]
    result = merge_annotation({"objects": base}, {"objects": ours}, {"objects": theirs})
    assert result.counts == MergeCounts(
        base=6,
        added_ours=1,
        added_theirs=1,
        added_both=2,
        removed_ours=1,
        removed_theirs=2,  # 1 and 4; 3 was changed here, so it stands
        removed_both=0,
        merged=7,
    )
    assert [conflict.kind for conflict in result.conflicts] == ["removed-changed", "added-both"]
    assert sum([result.counts] * 2, MergeCounts()).merged == 14


def test_counts_of_whole_annotations() -> None:
    two = {"objects": [car(0), car(50)]}
    three = {"objects": [car(0), car(80), car(120)]}
    assert merge_annotation(two, None, None).counts == MergeCounts(base=2, removed_both=2)
    assert merge_annotation(two, None, two).counts == MergeCounts(base=2, removed_ours=2)
    assert merge_annotation(two, two, None).counts == MergeCounts(base=2, removed_theirs=2)
    kept = MergeCounts(base=2, removed_theirs=1, added_theirs=2, merged=3)
    assert merge_annotation(two, None, three).counts == kept
    kept = MergeCounts(base=2, removed_ours=1, added_ours=2, merged=3)
    assert merge_annotation(two, three, None).counts == kept
    assert merge_annotation(None, None, three).counts == MergeCounts(added_theirs=3, merged=3)


def test_a_conflict_carries_the_three_values() -> None:
    base, ours, theirs = car(0, area=1), car(1, area=2), {**dog(2), "xywh": [2, 0, 10, 10]}
    result = merge_annotation({"objects": [base]}, {"objects": [ours]}, {"objects": [theirs]})
    assert result.conflicts == (
        Conflict(
            ConflictKind.MOVED_BOTH,
            "objects#0.xywh",
            {"xywh": [0, 0, 10, 10], "area": 1},
            {"xywh": [1, 0, 10, 10], "area": 2},
            {"xywh": [2, 0, 10, 10]},
        ),
    )
    removed = merge_annotation({"objects": [base]}, {"objects": []}, {"objects": [ours]})
    assert removed.conflicts == (
        Conflict(ConflictKind.REMOVED_CHANGED, "objects#0", base, None, ours),
    )


RESOLVED: list[tuple[str, Any, Any, Any, dict[str, Any]]] = [
    (
        "what does not conflict is merged as ever",
        {"objects": [car(0, a=0), car(50)], "w": 1, "h": 1},
        {"objects": [car(1, a=0), car(50)], "w": 2, "h": 2},
        {"objects": [car(2, a=5), car(53)], "w": 3, "h": 1},
        {
            "ours": {"objects": [car(1, a=5), car(53)], "w": 2, "h": 2},
            "theirs": {"objects": [car(2, a=5), car(53)], "w": 3, "h": 2},
            "base": {"objects": [car(0, a=5), car(53)], "w": 1, "h": 2},
        },
    ),
    (
        "removed-changed",
        {"objects": [car(0)]},
        {"objects": []},
        {"objects": [car(1)]},
        {"ours": {"objects": []}, "theirs": {"objects": [car(1)]}, "base": {"objects": [car(0)]}},
    ),
    (
        "added-both",
        {"objects": []},
        {"objects": [car(0, id=1)]},
        {"objects": [car(0.25, id=2)]},
        {
            "ours": {"objects": [car(0, id=1)]},
            "theirs": {"objects": [car(0.25, id=2)]},
            "base": {"objects": []},
        },
    ),
    (
        "added-both, and its id is taken by another",
        {"objects": []},
        {"objects": [car(0, id=1), car(90, id=2)]},
        {"objects": [car(0.25, id=2)]},
        {"theirs": {"objects": [car(0.25), car(90, id=2)]}},
    ),
    (
        "the field that base does not have",
        {},
        {"a": 1},
        {"a": 2},
        {"ours": {"a": 1}, "theirs": {"a": 2}, "base": {}},
    ),
    (
        "annotation removed and changed",
        {"a": 1},
        None,
        {"a": 2},
        {"ours": None, "theirs": {"a": 2}, "base": {"a": 1}},
    ),
    (
        "annotation changed and removed",
        {"a": 1},
        {"a": 2},
        None,
        {"ours": {"a": 2}, "theirs": None, "base": {"a": 1}},
    ),
    (
        "labels",
        {"labels": ["a"]},
        {"labels": ["b"]},
        {"labels": ["c"]},
        {"ours": {"labels": ["b"]}, "theirs": {"labels": ["c"]}, "base": {"labels": ["a"]}},
    ),
]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "choice", "expected"),
    [
        pytest.param(base, ours, theirs, choice, expected, id=f"{name}: {choice}")
        for name, base, ours, theirs, results in RESOLVED
        for choice, expected in results.items()
    ],
)
def test_resolve(base: Any, ours: Any, theirs: Any, choice: Any, expected: Any) -> None:
    assert resolve(base, ours, theirs, choice) == expected


def test_refusals() -> None:
    choice: Any = "mine"
    with pytest.raises(InvalidInputError, match="expected ours, theirs, base or both, found 'm"):
        resolve({}, {}, {}, choice)
    with pytest.raises(InvalidInputError, match=r"objects\[0\]: expected a dict"):
        merge_annotation({}, {"objects": [1]}, {})


def test_inputs_are_left_as_they_were() -> None:
    sides = [
        {"objects": [car(0, attributes={"a": 1})], "labels": ["x"]},
        {"objects": [car(1, attributes={"a": 1, "b": 2})], "labels": ["x", "y"]},
        {"objects": [car(0, attributes={"c": 1})], "labels": []},
    ]
    before = repr(sides)
    result: AnnotationMerge = merge_annotation(sides[0], sides[1], sides[2])
    assert result.merged == {
        "objects": [car(1, attributes={"b": 2, "c": 1})],
        "labels": ["y"],
    }
    assert repr(sides) == before
