"""Polygons, RLE and keypoints: what they cover; objects known by them alone are matched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.annotations import box_of, diff_annotation, merge_annotation
from veml_vcs.samples.annotations.shapes import (
    bounds_of,
    compressed,
    encoded,
    mask_of,
    runs_of,
)

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@given(MASKS)
def test_masks_come_back_from_both_encodings(mask: Any) -> None:
    height, width = mask.shape
    plain = encoded(mask)
    assert sum(plain["counts"]) == mask.size
    short = {"size": plain["size"], "counts": compressed(plain["counts"])}
    for one in (plain, short):
        obj = {"segmentation": one}
        assert runs_of(obj) == (height, width, plain["counts"])
        assert np.array_equal(mask_of(obj, width, height), mask)
        found = bounds_of(obj)
        ys, xs = np.nonzero(mask)
        if len(xs):
            assert found == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
        else:
            assert found is None


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_compressed_text_holds_any_run_lengths(counts: list[int]) -> None:
    total = sum(counts)
    if not 0 < total <= 1 << 28:
        return
    found = runs_of({"segmentation": {"size": [1, total], "counts": compressed(counts)}})
    assert found == (1, total, counts)


def test_a_known_compressed_text() -> None:
    # By hand from maskApi.c: 6 -> "6", 1 -> "1", 40 -> 8|32, 1 -> "X1", 4 - 1 -> "3".
    assert compressed([6, 1, 40, 4]) == "61X13"
    assert runs_of({"segmentation": {"size": [3, 17], "counts": "61X13"}}) == (3, 17, [6, 1, 40, 4])


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [2, 2], "counts": [1, 2]},
        {"size": [2, 2], "counts": [5, -1]},
        {"size": [2, 2], "counts": "\x00"},
        {"size": [2, 2], "counts": "oooooooooooooooo"},
        {"size": [2, 2], "counts": "X"},
        {"size": [1 << 20, 1 << 20], "counts": [1 << 40]},
        {"size": [2], "counts": [4]},
        {"size": [2, 2], "counts": [True, 3]},
        {"counts": [4]},
    ],
)
def test_malformed_run_lengths(segmentation: Any) -> None:
    with pytest.raises(InvalidInputError, match="segmentation"):
        runs_of({"segmentation": segmentation})
    assert box_of({"segmentation": segmentation}) is None


def test_polygons() -> None:
    square = {"segmentation": [[1, 1, 4, 1, 4, 3, 1, 3]]}
    assert box_of(square) == (1, 1, 4, 3)
    mask = mask_of(square, 6, 5)
    assert mask is not None
    expected = np.zeros((5, 6), bool)
    expected[1:3, 1:4] = True
    assert np.array_equal(mask, expected)
    relative = {"segmentation_n": [0.25, 0.25, 0.75, 0.25, 0.5, 0.75]}
    assert box_of(relative, 8, 4) == (2, 1, 6, 3)
    assert box_of(relative) == (0.25, 0.25, 0.75, 0.75)
    two = mask_of({"segmentation": [[0, 0, 2, 0, 2, 2, 0, 2], [4, 0, 6, 0, 6, 2, 4, 2]]}, 6, 2)
    assert two is not None
    assert two.tolist() == [[True, True, False, False, True, True]] * 2
    outside = mask_of({"segmentation": [[-5, -5, 50, -5, 50, 50, -5, 50]]}, 3, 2)
    assert outside is not None
    assert outside.all()
    assert mask_of({"class": "a"}, 3, 2) is None


def test_keypoints_that_are_labelled_make_a_box() -> None:
    assert box_of({"keypoints": [1, 2, 2, 0, 0, 0, 5, 7, 1]}) == (1, 2, 5, 7)
    assert box_of({"keypoints": [0, 0, 0]}) is None
    assert box_of({"keypoints": [1, 2]}) is None
    assert box_of({"xywh": [0, 0, 1, 1], "keypoints": [1, 2, 2]}) == (0, 0, 1, 1)


def polygon(shift: float, name: str = "car") -> dict[str, Any]:
    points = [0.1, 0.1, 0.5, 0.1, 0.5, 0.5, 0.1, 0.5]
    return {"class": name, "segmentation_n": [round(v + shift, 3) for v in points]}


def test_a_polygon_that_was_drawn_anew_is_the_same_object() -> None:
    found = diff_annotation({"objects": [polygon(0)]}, {"objects": [polygon(0.01)]})
    assert (len(found.moved), len(found.added), len(found.removed)) == (1, 0, 0)
    assert found.moved[0].iou is not None
    assert found.moved[0].iou > 0.9
    renamed = diff_annotation({"objects": [polygon(0)]}, {"objects": [polygon(0, "bus")]})
    assert len(renamed.relabelled) == 1


def test_two_sides_that_draw_one_polygon_anew_conflict_and_do_not_double_it() -> None:
    base, ours, theirs = ({"objects": [polygon(s)]} for s in (0, 0.01, 0.02))
    found = merge_annotation(base, ours, theirs)
    assert len(found.conflicts) == 1
    assert found.merged == ours
    clean = merge_annotation(base, ours, {"objects": [polygon(0, "bus")]})
    assert not clean.conflicts
    assert clean.merged == {"objects": [polygon(0.01, "bus")]}
