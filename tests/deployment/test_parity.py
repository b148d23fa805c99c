"""When two detectors are said to say the same."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mmengine", reason="MMEngine is not installed (extra [mmdet])")

from veml_vcs.deployment.detection.parity import Choice, compare
from veml_vcs.training.detection_metric import Detections

pytestmark = pytest.mark.ml

CHOICE = Choice(0.05, 3)


def said(*rows: tuple[float, float, float, float, float, int]) -> list[Detections]:
    table = np.array(rows, np.float64).reshape(-1, 6)
    return [Detections.of(0, table[:, :4], table[:, 4], table[:, 5])]


A = (10.0, 10.0, 50.0, 50.0, 0.9, 0)
B = (60.0, 10.0, 90.0, 50.0, 0.7, 1)


def test_the_same() -> None:
    found = compare(said(A, B), said(A, B), CHOICE)
    assert found.holds
    assert found.largest == {"boxes": 0.0, "scores": 0.0}
    assert compare(said(), said(), CHOICE).holds


def test_in_another_order_it_is_the_same() -> None:
    """Equal scores may come in any order."""
    assert compare(said(A, B), said(B, A), CHOICE).largest == {"boxes": 0.0, "scores": 0.0}


@pytest.mark.parametrize(
    ("other", "boxes", "scores", "holds"),
    [
        ((10.05, 10.0, 50.0, 50.0, 0.9, 0), 0.05, 0.0, True),
        ((10.0, 10.0, 50.0, 50.3, 0.9, 0), 0.3, 0.0, False),
        ((10.0, 10.0, 50.0, 50.0, 0.9005, 0), 0.0, 0.0005, True),
        ((10.0, 10.0, 50.0, 50.0, 0.95, 0), 0.0, 0.05, False),
    ],
)
def test_a_little_is_allowed(
    other: tuple[float, float, float, float, float, int], boxes: float, scores: float, holds: bool
) -> None:
    found = compare(said(A, B), said(other, B), CHOICE)
    assert found.largest["boxes"] == pytest.approx(boxes)
    assert found.largest["scores"] == pytest.approx(scores)
    assert (found.holds, found.unmatched) == (holds, 0)


def test_another_class_is_another_detection() -> None:
    found = compare(said(A), said((*A[:5], 1)), CHOICE)
    assert (found.unmatched, found.holds) == (2, False)


def test_one_that_only_one_of_them_made() -> None:
    assert compare(said(A, B), said(A), CHOICE).unmatched == 1
    assert compare(said(A), said(A, B), CHOICE).unmatched == 1
    assert compare(said(A, B), said(), CHOICE).unmatched == 2


def test_what_is_on_the_edge_of_being_left_out_may_be() -> None:
    """By its score, or because there may be no more; anything else is counted."""
    edge = (100.0, 10.0, 120.0, 50.0, 0.0505, 0)
    assert compare(said(A, B, edge), said(A, B), CHOICE).holds
    assert not compare(said(A, B, (*edge[:4], 0.06, 0)), said(A, B), CHOICE).holds
    third = (200.0, 10.0, 220.0, 50.0, 0.3, 0)
    last = (100.0, 10.0, 120.0, 50.0, 0.3, 0)
    assert compare(said(A, B, third), said(A, B, last), CHOICE).holds
    assert not compare(said(A, B, third), said(A, B, last), Choice(0.05, -1)).holds
