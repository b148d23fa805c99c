"""Three-way merge of flat configs: each case of a key, and what is sure of any three configs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veml_vcs.versions.models import ModelRecord, flatten, unflatten
from veml_vcs.versions.models.merge import KeyConflict, merge_configs, merge_model_records

NONE: dict[str, Any] = {}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any], int]] = [
    ("nobody", {"a": 1}, {"a": 1}, {"a": 1}, {"a": 1}, 0),
    ("ours changed", {"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}, 0),
    ("theirs changed", {"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}, 0),
    ("both the same", {"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}, 0),
    ("both differently", {"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}, 1),
    ("ours added", NONE, {"a": 1}, NONE, {"a": 1}, 0),
    ("theirs added", NONE, NONE, {"a": 1}, {"a": 1}, 0),
    ("both added the same", NONE, {"a": 1}, {"a": 1}, {"a": 1}, 0),
    ("both added", NONE, {"a": 1}, {"a": 2}, {"a": 1}, 1),
    ("ours removed", {"a": 1}, NONE, {"a": 1}, NONE, 0),
    ("theirs removed", {"a": 1}, {"a": 1}, NONE, NONE, 0),
    ("both removed", {"a": 1}, NONE, NONE, NONE, 0),
    ("ours removed, theirs changed", {"a": 1}, NONE, {"a": 2}, NONE, 1),
    ("ours changed, theirs removed", {"a": 1}, {"a": 2}, NONE, {"a": 2}, 1),
    ("true is not one", {"a": 1}, {"a": True}, {"a": 1}, {"a": True}, 0),
    ("1.0 is not 1", {"a": 1}, {"a": 1}, {"a": 1.0}, {"a": 1.0}, 0),
    ("two keys of one dict", {"a.b": 1, "a.c": 1}, {"a.b": 2, "a.c": 1}, {"a.b": 1, "a.c": 2},
     {"a.b": 2, "a.c": 2}, 0),
    ("theirs made a dict of a value", {"a": 1}, {"a": 2}, {"a.b": 1}, {"a": 2}, 2),
    ("ours made a dict of a value", {"a": 1}, {"a.b": 1}, {"a": 2}, {"a.b": 1}, 1),
    ("a value and a dict, both new", NONE, {"a": 1}, {"a.b.c": 1}, {"a": 1}, 1),
    ("a dict and a value, both new", NONE, {"a.b.c": 1}, {"a": 1}, {"a.b.c": 1}, 1),
    ("both filled an empty dict", {"a": {}}, {"a.b": 1}, {"a.c": 2}, {"a.b": 1, "a.c": 2}, 0),
    ("lists are one value", {"a": [1, 2]}, {"a": [1]}, {"a": [1, 2, 3]}, {"a": [1]}, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged", "conflicts"),
    [one[1:] for one in CASES],
    ids=[one[0] for one in CASES],
)
def test_each_case(
    base: dict[str, Any],
    ours: dict[str, Any],
    theirs: dict[str, Any],
    merged: dict[str, Any],
    conflicts: int,
) -> None:
    found, contradictions = merge_configs(base, ours, theirs)
    assert repr(found) == repr(merged)
    assert len(contradictions) == conflicts, contradictions


NESTED: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("ab"), st.integers(0, 2) | inner, max_size=2),
    max_leaves=5,
)


@given(base=NESTED, ours=NESTED, theirs=NESTED)
def test_any_three_configs(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    old, left, right = map(flatten, (base, ours, theirs))
    merged, conflicts = merge_configs(old, left, right)
    unflatten(merged)  # it is a config's: no key is below a value
    assert merge_configs(old, left, left) == (left, ())
    assert merge_configs(old, left, old) == (left, ())
    assert merge_configs(old, old, right) == (right, ())
    touched = {one.key for one in conflicts}
    for key, value in merged.items():
        assert value in (left.get(key), right.get(key))
    for key in left.keys() - merged.keys():
        assert left[key] == old.get(key) or key in touched


def record(depth: int, *, files: tuple[str, ...] = ("a.py",), **more: Any) -> ModelRecord:
    return ModelRecord(files, {"lr": 1, "model.depth": depth, "model.type": "A"}, **more)


def test_records() -> None:
    base = record(1, files=("a.py", "b.py"), parameters=7)
    ours = record(1, files=("a.py", "b.py", "c.py"), parameters=7)
    theirs = record(2, files=("a.py", "d.py"), parameters=9)
    merged = merge_model_records(base, ours, theirs)
    assert merged.conflicts == ()
    assert merged.record.files == ("a.py", "c.py", "d.py")
    assert merged.record.parameters == 9  # it is theirs, as far as the model goes
    assert merge_model_records(base, record(3), theirs).record.parameters is None
    moved = merge_model_records(base, record(1, files=("x.py",)), record(1, files=("y.py",)))
    assert [one.key for one in moved.conflicts] == ["(config)"]
    assert moved.record.path == "x.py"
    ran = merge_model_records(base, record(1, ran={"a.py": "ab" * 20}), theirs)
    assert [one.key for one in ran.conflicts] == ["(ran)"]
    assert merge_model_records(None, record(1), record(2)).conflicts == (
        KeyConflict("model.depth", None, 1, 2, ("base",)),
    )


def test_what_is_no_model_any_more() -> None:
    """Each side kept one half of the model; together nothing is left that could be built."""
    base = ModelRecord(("a.py",), {"model.type": "A", "type": 1})
    ours = ModelRecord(("a.py",), {"model.type": "A"})
    theirs = ModelRecord(("a.py",), {"model": {}, "type": 1})
    merged = merge_model_records(base, ours, theirs)
    assert "model" in {one.key for one in merged.conflicts}
    assert merged.record == ours
