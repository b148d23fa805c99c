"""NPY files: no pickles, differences by element and row, merges that keep what both sides did."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from tests.hostile.mutations import mutated_bytes
from veml_vcs.errors import FormatError
from veml_vcs.samples.arrays import diff_arrays, merge_arrays, read_array, write_array
from veml_vcs.samples.kinds import is_array


@given(scalar_dtypes().flatmap(lambda kind: arrays(kind, array_shapes(min_dims=0, max_side=4))))
def test_arrays_come_back(array: Any) -> None:
    for one in (array, np.asfortranarray(array) if array.ndim else array):
        found = read_array(write_array(one), "a.npy")
        assert found.dtype == array.dtype
        assert found.shape == array.shape
        assert found.tobytes() == array.tobytes()
    assert diff_arrays(array, array).changed == 0


def saved(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


GOOD = saved(np.arange(6.0))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x93NUMPY", GOOD[:-1], GOOD + b"x", GOOD[:20], b"PK" + GOOD,
     saved(np.array([{"a": 1}], object), allow_pickle=True),
     GOOD.replace(b"(6,)", b"(9,)"), GOOD.replace(b"'<f8'", b"'|O8'"),
     GOOD.replace(b"(6,), }", b"(-6,),}"), GOOD.replace(b"(6,), }   ", b"(-6,-1), }"),
     GOOD.replace(b"(6,), }    ", b"(1<<40,), }"), GOOD.replace(b"\x93NUMPY\1", b"\x93NUMPY\3"),
     GOOD[:128].replace(b"'<f8'", b"'|V0'").replace(b"(6,), }        ", b"(999999999,), }")],
)  # fmt: skip
def test_what_is_no_array_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"a\.npy"):
        read_array(data, "a.npy")
    assert is_array("x/A.NPY")


def test_diff() -> None:
    old = np.arange(40, dtype=np.float32).reshape(10, 4)
    new = np.concatenate([old, old[:2]])
    new[3, 1] = new[4, 0] = new[8, 2] = -1
    found = diff_arrays(old, new)
    assert (found.elements, found.changed, found.rows) == (40, 3, ((3, 5), (8, 9)))
    assert (found.rows_added, found.rows_removed) == (2, 0)
    assert diff_arrays(new, old).rows_removed == 2
    other = diff_arrays(old, old.astype(np.float64))
    assert (other.changed, other.new_dtype) == (40, "<f8")
    nan = np.array([np.nan, 0.0])
    assert diff_arrays(nan, nan.copy()).changed == 0
    assert diff_arrays(nan, np.array([np.nan, -0.0])).changed == 1


def test_rows_added_by_one_side_and_edits_by_the_other() -> None:
    base = np.zeros((4, 3), np.int32)
    ours, theirs = np.concatenate([base, np.ones((2, 3), np.int32)]), base.copy()
    theirs[1, 1] = 9
    found = merge_arrays(base, ours, theirs)
    expected = ours.copy()
    expected[1, 1] = 9
    assert (found.clashes, found.rows, found.both_grew) == (0, None, False)
    assert np.array_equal(found.array, expected)


def test_conflicts_are_settled_by_choice() -> None:
    base = np.zeros((4, 3), np.int32)
    ours, theirs = base.copy(), base.copy()
    ours[2, 0], theirs[2, 0], theirs[0, 0] = 1, 2, 3
    ours = np.concatenate([ours, [[7, 7, 7]]]).astype(np.int32)
    theirs = np.concatenate([theirs, [[8, 8, 8]]]).astype(np.int32)
    found = merge_arrays(base, ours, theirs)
    assert (found.clashes, found.rows, found.both_grew) == (1, (2, 3), True)
    assert found.array[:, 0].tolist() == [3, 0, 1, 0, 7]
    assert merge_arrays(base, ours, theirs, "theirs").array[:, 0].tolist() == [3, 0, 2, 0, 8]
    assert merge_arrays(base, ours, theirs, "base").array[:, 0].tolist() == [3, 0, 0, 0]


def test_what_cannot_be_merged_is_refused() -> None:
    base = np.zeros((4, 3))
    for wrong in (base[:2], base.astype(np.float32), np.zeros((4, 2)), np.zeros(())):
        with pytest.raises(FormatError):
            merge_arrays(base, base, wrong)


def header(text: bytes) -> bytes:
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text


@settings(deadline=None, max_examples=40)
@given(mutated_bytes((GOOD, saved(np.zeros((2, 2), "<U3")))))
@example(header(b"{'descr': '<f8', 'shape': (4"))
@example(header(b"(" * 9_000))
@example(header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1L,), }") + bytes(8))
@example(header(b"{'descr': [('a', '<f8', (10**9,))], 'fortran_order': False, 'shape': (1,)}"))
def test_fuzz(data: bytes) -> None:
    """Seen to fail: without ``tokenize.TokenError`` among what numpy raises."""
    refused = ""
    try:
        found = read_array(data, "a.npy")
    except FormatError as error:
        refused = error.message
    if refused:
        assert len(refused) < 1000
        return
    assert diff_arrays(found, found).changed == 0


SHAPES = array_shapes(min_dims=1, max_dims=3, max_side=4)


@given(SHAPES.flatmap(lambda s: st.tuples(*[arrays(np.int8, s, elements=st.integers(0, 2))] * 3)))
def test_laws_of_merging(sides: tuple[Any, Any, Any]) -> None:
    base, ours, theirs = sides
    assert np.array_equal(merge_arrays(base, ours, base).array, ours)
    assert np.array_equal(merge_arrays(base, base, theirs).array, theirs)
    one, two = merge_arrays(base, ours, theirs), merge_arrays(base, theirs, ours)
    clash = (ours != base) & (theirs != base) & (ours != theirs)
    assert one.clashes == two.clashes == clash.sum()
    assert np.array_equal(one.array[~clash], two.array[~clash])
