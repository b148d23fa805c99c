"""What holds for every three-way merge of annotations, against a plain model and on odd input.

Two kinds of input. *Edits*: objects lie in cells of a grid, far apart, and each side edits them
cell by cell, so that a dict from cell to object models the right answer. *Wild*: whatever lists of
objects come up, with equal objects, ids that stand twice, boxes on top of each other, and boxes
that are none.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from veml_vcs.samples.annotations import (
    canonical_json,
    diff_annotation,
    match_objects,
    merge_annotation,
    resolve,
)
from veml_vcs.samples.annotations.match import content_of

Cells = dict[int, dict[str, Any]]

BASE_CELLS = range(8)
OUR_CELLS = range(8, 12)
THEIR_CELLS = range(12, 16)
FIELDS = ("box", "class", "pose", "attributes.color", "attributes.size")


def place(cell: int) -> list[int]:
    return [cell % 4 * 100, cell // 4 * 100, 40, 40]


def fresh(cell: int, name: str) -> dict[str, Any]:
    return {"class": name, "xywh": place(cell), "attributes": {"color": 0, "size": 0}, "pose": 0}


def edit(obj: dict[str, Any], field: str, value: int) -> None:
    """Change one field to one of three values that differ from the one of ``fresh``."""
    if field == "box":
        obj["xywh"] = [obj["xywh"][0] + 2 + value, *obj["xywh"][1:]]  # IoU stays above 0.5
    elif field == "class":
        obj["class"] += f"-{value}"
    elif field == "pose":
        obj["pose"] = value
    else:
        obj["attributes"][field.removeprefix("attributes.")] = value


names = st.sampled_from(["car", "dog", "van"])
edits = st.dictionaries(
    st.tuples(st.sampled_from(BASE_CELLS), st.sampled_from(FIELDS)), st.integers(1, 3), max_size=8
)
cells = st.sets(st.sampled_from(BASE_CELLS), max_size=3)


@st.composite
def histories(draw: Any) -> dict[str, Any]:
    """Draw a base and the edits of two sides, with or without ids."""
    present = sorted(draw(st.sets(st.sampled_from(BASE_CELLS))))
    return {
        "base": {cell: fresh(cell, draw(names)) for cell in present},
        "edits": (draw(edits), draw(edits)),
        "removals": (draw(cells), draw(cells)),
        "additions": tuple(
            {cell: fresh(cell, draw(names)) for cell in sorted(draw(st.sets(st.sampled_from(own))))}
            for own in (OUR_CELLS, THEIR_CELLS)
        ),
        "ids": draw(st.booleans()),
    }


def apply(base: Cells, changes: dict[Any, int], removals: set[int], additions: Cells) -> Cells:
    result = copy.deepcopy(base)
    for (cell, field), value in changes.items():
        if cell in result:
            edit(result[cell], field, value)
    for cell in removals:
        result.pop(cell, None)
    return result | copy.deepcopy(additions)


def listed(cells_of_side: Cells, with_ids: bool) -> dict[str, Any]:
    """Write a model as an annotation; ids of new objects count on from base, as tools do."""
    objects, next_id = [], len(BASE_CELLS)
    for cell, obj in cells_of_side.items():
        if with_ids:
            if cell not in BASE_CELLS:
                next_id += 1
            obj = {**obj, "id": cell if cell in BASE_CELLS else next_id}
        objects.append(obj)
    return {"objects": objects}


def contents(annotation: dict[str, Any] | None) -> Counter[bytes]:
    return Counter(map(content_of, (annotation or {}).get("objects", [])))


@given(histories())
def test_disjoint_edits_give_what_the_model_gives(history: dict[str, Any]) -> None:
    base, with_ids = history["base"], history["ids"]
    our_edits, their_edits = history["edits"]
    our_removals, their_removals = history["removals"]
    our_removals = our_removals - {cell for cell, _ in their_edits}
    their_edits = {key: value for key, value in their_edits.items() if key not in our_edits}
    their_removals = their_removals - {cell for cell, _ in our_edits}
    ours_added, theirs_added = history["additions"]

    ours = apply(base, our_edits, our_removals, ours_added)
    theirs = apply(base, their_edits, their_removals, theirs_added)
    both = our_edits | their_edits
    expected = apply(base, both, our_removals | their_removals, ours_added | theirs_added)

    result = merge_annotation(*(listed(side, with_ids) for side in (base, ours, theirs)))
    assert result.conflicts == ()
    assert result.merged is not None
    assert contents(result.merged) == contents(listed(expected, False))
    assert result.counts.balanced
    assert result.counts.added_ours == len(ours_added)
    assert result.counts.added_theirs == len(theirs_added)
    assert result.counts.removed_both == len(our_removals & their_removals & base.keys())
    if with_ids:
        ids = {content_of(obj): obj.get("id") for obj in result.merged["objects"]}
        for cell, obj in expected.items():
            if cell in base:
                assert ids[content_of(obj)] == cell
        known = [number for number in ids.values() if number is not None]
        assert len(known) == len(set(known))


@given(histories())
def test_edits_of_any_kind_lose_nothing(history: dict[str, Any]) -> None:
    base, with_ids = history["base"], history["ids"]
    ours, theirs = (
        apply(base, history["edits"][side], history["removals"][side], history["additions"][side])
        for side in (0, 1)
    )
    sides = [listed(side, with_ids) for side in (base, ours, theirs)]
    result = merge_annotation(*sides)
    event(f"conflicts: {min(len(result.conflicts), 3)}")

    merged = contents(result.merged)
    assert len({conflict.key for conflict in result.conflicts}) == len(result.conflicts)
    untouched = [obj for cell, obj in base.items() if ours.get(cell) == theirs.get(cell) == obj]
    added = [*history["additions"][0].values(), *history["additions"][1].values()]
    for obj in (*untouched, *added):
        assert merged[content_of(obj)] >= 1
    edited = [cell for cell in base if cell in ours or cell in theirs]
    gone = [cell for cell in edited if (cell in ours) != (cell in theirs)]
    survivors = {cell for cell in gone if (ours.get(cell) or theirs.get(cell)) != base[cell]} | {
        cell for cell in edited if cell not in gone
    }
    assert sum(merged.values()) == len(survivors) + len(added)

    # Each field of an object that both sides kept is one side's, or base's, never made up.
    for conflict in result.conflicts:
        assert canonical_json([conflict.base]) != canonical_json([conflict.ours])
        assert canonical_json([conflict.base]) != canonical_json([conflict.theirs])
        assert canonical_json([conflict.ours]) != canonical_json([conflict.theirs])
    for choice, side in (("ours", ours), ("theirs", theirs)):
        settled = contents(resolve(*sides, choice))  # type: ignore[arg-type]
        for cell in gone:
            if cell in survivors and cell in side:
                assert settled[content_of(side[cell])] >= 1
        kept = [cell for cell in survivors if cell in side]
        assert sum(settled.values()) == len(kept) + len(added)


wild_values = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a"])
odd_boxes = st.lists(st.integers(0, 6) | st.just(0.5), min_size=3, max_size=4)
near_boxes = st.tuples(
    st.sampled_from([0, 0.25, 1, 3, 50]), st.just(0), st.sampled_from([10, 10.5]), st.just(10)
).map(list)
rest = {
    "cxcywhn": odd_boxes,
    "id": st.integers(1, 4) | wild_values | st.just([1]),
    "area": wild_values,
    "attributes": st.dictionaries(st.sampled_from("ab"), wild_values) | st.just(7),
}
classes = st.sampled_from(["car", "dog"])
wild_object = st.fixed_dictionaries(
    {"class": classes, "xywh": near_boxes}, optional=rest
) | st.fixed_dictionaries({}, optional={"class": classes, "xywh": odd_boxes, **rest})
wild_objects = st.lists(wild_object, max_size=6)
subsets = st.lists(st.sampled_from("abcd"), max_size=3)
wild = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "objects": wild_objects,
        "labels": subsets | wild_values,
        "splits": subsets.map(sorted),
        "sources": subsets,
        "width": wild_values,
        "id": wild_values,
        "meta": st.dictionaries(st.sampled_from("ab"), wild_values) | st.just(7),
    },
)


@st.composite
def wild_triples(draw: Any) -> tuple[Any, Any, Any]:
    """Draw a base and two sides: anything at all, or base's objects mixed up and altered."""
    if draw(st.integers(0, 2)) == 0:
        return draw(wild), draw(wild), draw(wild)
    base = draw(st.lists(wild_object, min_size=1, max_size=4))
    sides = []
    for _ in range(2):
        side = [dict(obj) for obj in base]
        for index in draw(st.lists(st.integers(0, 3), max_size=3)):
            if index < len(side):
                name = draw(st.sampled_from(["xywh", "class", "id", "area", "attributes", ""]))
                if name:
                    side[index] |= {name: draw(wild_object).get(name, 3)}
                else:
                    del side[index]
        if draw(st.booleans()):
            side = draw(st.permutations(side))
        sides.append({"objects": side + draw(st.lists(wild_object, max_size=2))})
    return {"objects": base}, sides[0], sides[1]


@given(wild_triples())
def test_a_side_that_did_nothing_takes_the_other(sides: tuple[Any, Any, Any]) -> None:
    base, changed, _ = sides
    data = canonical_json(changed)
    for ours, theirs in ((changed, base), (base, changed), (changed, changed)):
        result = merge_annotation(base, ours, theirs)
        assert result.conflicts == ()
        assert canonical_json(result.merged) == data
        assert result.counts.balanced


@given(wild_triples())
def test_the_counts_balance_and_are_true(sides: tuple[Any, Any, Any]) -> None:
    base, ours, theirs = sides
    result = merge_annotation(base, ours, theirs)
    event(f"conflicts: {sorted({str(conflict.kind) for conflict in result.conflicts})}")
    counts = result.counts
    assert counts.balanced
    assert min(vars(counts).values()) >= 0
    assert counts.base == sum(contents(base).values())
    assert counts.merged == sum(contents(result.merged).values())
    assert len({conflict.key for conflict in result.conflicts}) == len(result.conflicts)


@given(wild_triples())
def test_which_side_is_ours_matters_only_in_conflicts(sides: tuple[Any, Any, Any]) -> None:
    base, ours, theirs = sides
    result, swapped = merge_annotation(base, ours, theirs), merge_annotation(base, theirs, ours)
    assert sorted(
        canonical_json([item.kind, item.base, item.ours, item.theirs]) for item in result.conflicts
    ) == sorted(
        canonical_json([item.kind, item.base, item.theirs, item.ours]) for item in swapped.conflicts
    )
    if not result.conflicts:
        assert contents(result.merged) == contents(swapped.merged)
        assert _fields(result.merged) == _fields(swapped.merged)
    for mine, yours in (("ours", "theirs"), ("theirs", "ours"), ("base", "base")):
        a = resolve(base, ours, theirs, mine)  # type: ignore[arg-type]
        b = resolve(base, theirs, ours, yours)  # type: ignore[arg-type]
        assert contents(a) == contents(b)
        assert _fields(a) == _fields(b)


def _fields(annotation: dict[str, Any] | None) -> bytes:
    """Return image-level fields up to what may depend on the side: ids, and the order of sets."""
    sets = ("labels", "splits", "sources")
    return canonical_json(
        {
            name: sorted(map(str, value)) if name in sets and isinstance(value, list) else value
            for name, value in (annotation or {}).items()
            if name not in ("objects", "id")
        }
    )


@given(wild_triples())
def test_every_new_box_is_in_the_merge_or_in_a_conflict(sides: tuple[Any, Any, Any]) -> None:
    base, ours, theirs = sides
    result = merge_annotation(base, ours, theirs)
    there = [*(result.merged or {}).get("objects", [])]
    for conflict in result.conflicts:
        for value in (conflict.ours, conflict.theirs):
            if isinstance(value, dict):
                there += [value, *value.get("objects", [])]
    boxes = {canonical_json([obj.get("xywh"), obj.get("cxcywhn")]) for obj in there}
    before = (base or {}).get("objects", [])
    for side in (ours, theirs):
        after = (side or {}).get("objects", [])
        for index in match_objects(before, after).added:
            obj = after[index]
            assert canonical_json([obj.get("xywh"), obj.get("cxcywhn")]) in boxes


@given(wild_triples())
def test_without_conflicts_there_is_nothing_to_choose(sides: tuple[Any, Any, Any]) -> None:
    base, ours, theirs = sides
    result = merge_annotation(base, ours, theirs)
    settled = [resolve(base, ours, theirs, choice) for choice in ("ours", "theirs", "base")]
    if not result.conflicts:
        assert settled == [result.merged] * 3
    if (
        all(conflict.kind != "removed-changed" for conflict in result.conflicts)
        and ours is not None
    ):
        assert settled[0] == result.merged  # ours stands meanwhile


@given(wild_triples())
def test_both_keep_the_box_of_either_side(sides: tuple[Any, Any, Any]) -> None:
    """Where both boxes are asked for, no box that a side moved or drew is missing."""
    base, ours, theirs = sides
    result = merge_annotation(base, ours, theirs, chooser=lambda _: "both")
    event(f"both: {sum(one.choice == 'both' for one in result.conflicts)}")
    assert result.counts.balanced
    assert min(vars(result.counts).values()) >= 0
    assert result.counts.merged == sum(contents(result.merged).values())
    there = contents({"objects": [boxed(one) for one in (result.merged or {}).get("objects", [])]})
    for conflict in result.conflicts:
        if conflict.choice == "both" and conflict.kind in ("moved-both", "added-both"):
            assert there[content_of(boxed(conflict.ours))] >= 1
            assert there[content_of(boxed(conflict.theirs))] >= 1
        if conflict.choice is None:
            assert not conflict.path.startswith("objects") or conflict.kind == "removed-changed"
    assert not any(one.choice == "both" for one in result.conflicts) or resolve(
        base, ours, theirs, "both"
    ) != resolve(base, ours, theirs, "ours")


def boxed(obj: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in obj.items() if name in ("xywh", "cxcywhn")}


@given(histories())
def test_ids_stay_unique(history: dict[str, Any]) -> None:
    base = history["base"]
    sides = [
        listed(
            apply(
                base, history["edits"][side], history["removals"][side], history["additions"][side]
            ),
            True,
        )
        for side in (0, 1)
    ]
    for choice in ("ours", "theirs", "base", "both"):
        merged = resolve(listed(base, True), *sides, choice)  # type: ignore[arg-type]
        ids = [obj["id"] for obj in (merged or {})["objects"] if "id" in obj]
        assert len(ids) == len(set(ids))


@given(wild_triples())
def test_a_diff_accounts_for_every_object(sides: tuple[Any, Any, Any]) -> None:
    old, new, _ = sides
    diff = diff_annotation(old, new)
    paired = diff.unchanged + len(diff.edited)
    assert len(diff.removed) + paired == sum(contents(old).values())
    assert len(diff.added) + paired == sum(contents(new).values())
    for change in diff.edited:
        assert any(change in group for group in (diff.moved, diff.relabelled, diff.changed))
    assert bool(diff) == (
        canonical_json(_without_empty(old)) != canonical_json(_without_empty(new))
    )


def _without_empty(annotation: dict[str, Any] | None) -> Any:
    """Leave out an empty list of objects, in which a diff sees no difference to none."""
    if annotation is None or annotation.get("objects"):
        return annotation
    return {name: value for name, value in annotation.items() if name != "objects"}
