"""Columns: whatever JSON goes in comes out, by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.objects import MemoryObjectStore
from veml_vcs.objects.files import Files
from veml_vcs.samples.annotations.canonical import annotation_id, canonical_json
from veml_vcs.samples.fragments import columns
from veml_vcs.samples.fragments.annotations import AnnotationReader, AnnotationWriter
from veml_vcs.samples.fragments.catalog import Catalog
from veml_vcs.samples.fragments.columns import ColumnTable, write_columns
from veml_vcs.samples.fragments.fragment import Fragment, FragmentBuilder

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [-0.0, 48.0, 2.0**53, -(2.0**53), 2.0**53 + 2, 1e22, 5e-324, 1.7976931348623157e308]
)
INTS = st.integers(-(2**70), 2**70) | st.sampled_from(
    [0, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400]
)
SCALARS = st.none() | st.booleans() | INTS | FLOATS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
# A column is typed by all of its values, so most columns should be of one type.
COLUMNS = st.sampled_from(
    [
        st.integers(-5, 5),
        INTS,
        FLOATS,
        st.integers(-5, 5) | FLOATS,
        st.booleans(),
        st.none(),
        st.sampled_from(["car", "bus", "", "é\0"]),
        TEXTS,
        st.lists(FLOATS, min_size=4, max_size=4),
        st.lists(st.integers(0, 9) | FLOATS, min_size=2, max_size=2),
        st.lists(INTS, max_size=3),
        st.lists(st.booleans(), min_size=1, max_size=1),
        st.just([]),
        st.just({}),
        VALUES,
    ]
)
FIELDS = st.sampled_from(["", "a", "class", "é", "a/b", "present", "objects", "\U0001f600"])


@st.composite
def tables(draw: st.DrawFn, max_rows: int = 12) -> list[dict[str, Any]]:
    kinds = {field: draw(COLUMNS) for field in draw(st.lists(FIELDS, unique=True, max_size=4))}
    count = draw(st.integers(0, max_rows))
    return [
        {field: draw(values) for field, values in kinds.items() if draw(st.integers(0, 5))}
        for _ in range(count)
    ]


def stored(rows: list[dict[str, Any]]) -> ColumnTable:
    store = MemoryObjectStore()
    with store.write() as writer:
        builder = FragmentBuilder(writer, "test", {})
        builder.set_attribute("table", write_columns(builder, "t", rows))
        fragment_id = builder.finish([])
    fragment = Fragment(store, fragment_id)
    return ColumnTable(fragment, fragment.attributes["table"], len(rows))


def kinds(rows: list[dict[str, Any]]) -> dict[str, str]:
    store = MemoryObjectStore()
    with store.write() as writer:
        listed = write_columns(FragmentBuilder(writer, "test", {}), "t", rows)
    return {column["field"]: column["kind"] for column in listed}


@given(tables(), st.data())
@settings(max_examples=150, deadline=None)
def test_scattered_rows_are_those_read_alone(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    table = stored(rows)
    chosen = data.draw(
        st.lists(st.sampled_from(range(len(rows))), unique=True) if rows else st.just([])
    )
    chosen.sort()
    found = table.rows_at(np.array(chosen, np.int64))
    assert canonical_json(found) == canonical_json([rows[row] for row in chosen])


@given(tables(), st.data())
@settings(max_examples=250, deadline=None)
@example([{"a": 1}] * 100, None)
@example([{"a": {"b": i}} for i in range(100)], None)
def test_rows_come_back_by_value(rows: list[dict[str, Any]], data: st.DataObject | None) -> None:
    table = stored(rows)
    assert canonical_json(table.rows_between(0, len(rows))) == canonical_json(rows)
    if data is not None:
        start = data.draw(st.integers(0, len(rows)))
        end = data.draw(st.integers(start, len(rows)))
        assert canonical_json(table.rows_between(start, end)) == canonical_json(rows[start:end])


def test_each_kind_is_used_where_it_is_exact() -> None:
    values: dict[str, tuple[list[Any], str]] = {
        "int": ([1, -(2**63), 2**63 - 1], "int"),
        "huge": ([1, 2**63, 0], "json"),
        "float": ([1.5, 2, 2**53], "float"),
        "inexact": ([1.5, 2**53 + 1, 0], "json"),
        "bool": ([True, False, True], "json"),
        "true among ints": ([1, True, 0], "json"),
        "vector": ([[1, 2.5], [3, 4], [0.0, -0.0]], "vector"),
        "ragged": ([[1], [1, 2], []], "json"),
        "nested": ([[[1]], [[2]], [[3]]], "json"),
        "word": (["a", "b", "a"], "word"),
        "null": ([None, None, None], "json"),
    }
    rows = [{name: column[i] for name, (column, _) in values.items()} for i in range(3)]
    assert kinds(rows) == {name: kind for name, (_, kind) in values.items()}
    assert canonical_json(stored(rows).rows_between(0, 3)) == canonical_json(rows)


def test_many_distinct_words_are_texts() -> None:
    rows = [{"name": f"{i}.png"} for i in range(40)]
    assert kinds(rows) == {"name": "json"}
    assert stored(rows).rows_between(0, 40) == rows


def test_numbers_have_the_type_of_the_canonical_form() -> None:
    rows = [{"f": 48.0, "v": [1.0, 0.5]}, {"f": 0.5, "v": [-0.0, 2.0]}]
    found = stored(rows).rows_between(0, 2)
    assert found == rows
    assert [type(number) for number in [found[0]["f"], *found[1]["v"]]] == [int, int, int]


@given(st.lists(st.tuples(st.none() | tables(3), tables(1)), max_size=6))
@settings(max_examples=100, deadline=None)
def test_annotations_come_back(said: list[tuple[list[dict[str, Any]] | None, Any]]) -> None:
    annotations = []
    for objects, fields in said:
        annotation = dict(fields[0]) if fields else {}
        if objects is not None:
            annotation["objects"] = objects
        annotations.append(annotation)
    by_id = {annotation_id(one): one for one in annotations}
    store = MemoryObjectStore()
    catalog = Catalog(store, None, Files())
    with store.write() as batch:
        writer = AnnotationWriter(catalog, batch)
        writer.add_many([(annotation_id(one), one) for one in annotations])
        writer.finish()
    catalog.refresh()
    reader = AnnotationReader(catalog)
    found = reader.read_many(list(by_id)[::-1])
    assert found.keys() == by_id.keys()
    for one, annotation in by_id.items():
        assert canonical_json(found[one]) == canonical_json(annotation)
        assert canonical_json(reader.read(one)) == canonical_json(annotation)


@pytest.mark.parametrize("objects", [None, 7, "text", {}, [1], [{}, None], [], [{}]])
def test_objects_of_any_shape(objects: Any) -> None:
    annotation = {"objects": objects, "width": 3}
    one = annotation_id(annotation)
    store = MemoryObjectStore()
    catalog = Catalog(store, None, Files())
    with store.write() as batch:
        writer = AnnotationWriter(catalog, batch)
        writer.add_many([(one, annotation), (annotation_id({}), {})])
        writer.finish()
    assert AnnotationReader(catalog).read(one) == annotation
    assert AnnotationReader(catalog).read(annotation_id({})) == {}


def test_objects_that_say_nothing_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, Any]] = [{}] * 9
    table = stored(rows)
    assert table.rows_between(0, 9) == rows
    monkeypatch.setattr(columns, "_MAX_EMPTY_ROWS", 8)
    with pytest.raises(InvalidInputError, match="9 objects"):
        kinds(rows)
    with pytest.raises(DamagedError, match="without a column"):
        ColumnTable(table._fragment, [], 9)


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_scattered_annotations_keep_their_objects(step: int) -> None:
    """Without the gap between the objects of neighbours that were not asked for, ids do not fit.

    Seen to fail at steps 2, 3 and 7 (1 is one range), and without the look at ``listed``.
    """
    said: list[dict[str, Any]] = [
        {"objects": [{"id": 10 * i + j, "class": "car"} for j in range(i % 4)], "width": i}
        if i % 5
        else {"width": i}
        for i in range(60)
    ]
    store = MemoryObjectStore()
    catalog = Catalog(store, None, Files())
    with store.write() as writer:
        annotations = AnnotationWriter(catalog, writer)
        annotations.add_many([(annotation_id(one), one) for one in said])
        annotations.finish()
    catalog.refresh()
    wanted = said[::step]
    found = AnnotationReader(catalog).read_many([annotation_id(one) for one in reversed(wanted)])
    assert [found[annotation_id(one)] for one in wanted] == wanted
