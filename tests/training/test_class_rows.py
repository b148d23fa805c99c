"""Rows of heads follow their classes: a network says of a class what it said of it before."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from veml_vcs.training.class_rows import Layout, class_layouts, move_rows

pytestmark = pytest.mark.ml

SOFTMAX, BOXES = Layout(1, True, by_class=True), Layout(4, False, by_class=True)
ANCHORS = Layout(3, False, by_class=False)


def test_layouts_of_heads() -> None:
    def shapes(classes: int) -> dict[str, tuple[int, ...]]:
        return {
            "head.fc_cls.weight": (classes + 1, 8), "head.fc_cls.bias": (classes + 1,),
            "head.fc_reg.weight": (4 * classes, 8), "head.fc_reg.bias": (4 * classes,),
            "head.retina_cls.weight": (3 * classes, 8, 3, 3),
            "head.retina_cls.bias": (3 * classes,),
            "head.odd.weight": (2 * classes + 1, 8),  # of no class anybody could tell
            "backbone.conv.weight": (8, 3, 3, 3),
        }  # fmt: skip

    anchors = {f"head.retina_cls.{one}": ANCHORS for one in ("weight", "bias")}
    linear = {
        f"head.{name}.{one}": layout
        for name, layout in (("fc_cls", SOFTMAX), ("fc_reg", BOXES))
        for one in ("weight", "bias")
    }
    assert class_layouts(shapes(5), shapes(6), 5) == anchors | linear
    assert class_layouts(shapes(5), {}, 5) == {}


@pytest.mark.parametrize("layout", [SOFTMAX, BOXES, ANCHORS, Layout(2, True, by_class=False)])
def test_rows_follow_their_classes(layout: Layout) -> None:
    """Moved there and back they are what they were; a new class has what was drawn for it."""
    old = torch.randn(layout.rows(3), 5)
    fresh = torch.randn(layout.rows(4), 5)
    moved = move_rows(old, fresh, layout, (2, None, 0, 1), 3)
    assert moved is not None
    back = move_rows(moved, torch.zeros(layout.rows(3), 5), layout, (2, 3, 0), 4)
    assert torch.equal(back, old)
    alone = move_rows(moved, torch.zeros(layout.rows(1), 5), layout, (1,), 4)
    drawn = move_rows(fresh, torch.zeros(layout.rows(1), 5), layout, (1,), 4)
    count = layout.each
    if not layout.nothing:
        assert torch.equal(alone, drawn)
        assert len(alone) == count


def test_known_values() -> None:
    boxes = torch.arange(8.0).reshape(8, 1)  # two classes, four numbers each
    fresh = torch.full((12, 1), -1.0)
    moved = move_rows(boxes, fresh, BOXES, (1, None, 0), 2)
    assert moved.flatten().tolist() == [4, 5, 6, 7, -1, -1, -1, -1, 0, 1, 2, 3]
    anchors = torch.arange(6.0)  # three anchors, two classes
    moved = move_rows(anchors, torch.full((9,), -1.0), ANCHORS, (1, None, 0), 2)
    assert moved.tolist() == [1, -1, 0, 3, -1, 2, 5, -1, 4]
    softmax = torch.tensor([1.0, 2, 9])  # the last is "nothing"
    moved = move_rows(softmax, torch.full((4,), -1.0), SOFTMAX, (1, None, 0), 2)
    assert moved.tolist() == [2, -1, 1, 9]


def test_what_has_another_form_is_not_moved() -> None:
    fresh = torch.zeros(5, 8)
    assert move_rows(torch.ones(4, 7), fresh, SOFTMAX, (0, 1, 2, None), 3) is None
    assert move_rows(torch.ones(3, 8), fresh, SOFTMAX, (0, 1, 2, None), 3) is None
