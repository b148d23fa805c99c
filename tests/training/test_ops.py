"""The operators that stand in for MMCV's compiled ones, against definitions written out here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.engine import ENGINE
from veml_vcs.errors import MissingDependencyError

pytestmark = [pytest.mark.ml, pytest.mark.slow, ENGINE]


@pytest.fixture(scope="module")
def ops() -> Any:
    from veml_vcs.training.engine import prepare_engine

    prepare_engine("detection")
    import mmcv.ops

    return mmcv.ops


def boxes(count: int, seed: int) -> tuple[Any, Any]:
    import torch

    drawn = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, generator=drawn) * 50
    sizes = torch.rand(count, 2, generator=drawn) * 40 + 1
    return torch.cat([corners, corners + sizes], 1), torch.rand(count, generator=drawn)


def kept(corners: Any, scores: Any, threshold: float, offset: int = 0) -> list[int]:
    """Greedy NMS, one box after the other."""
    found: list[int] = []
    for place in scores.argsort(descending=True).tolist():
        if all(iou(corners[place], corners[one], offset) <= threshold for one in found):
            found.append(place)
    return found


def iou(one: Any, other: Any, offset: int) -> float:
    def area(a: float, b: float, c: float, d: float) -> float:
        return max(c - a + offset, 0.0) * max(d - b + offset, 0.0)

    (a, b, c, d), (e, f, g, h) = one.tolist(), other.tolist()
    shared = area(max(a, e), max(b, f), min(c, g), min(d, h))
    return shared / (area(a, b, c, d) + area(e, f, g, h) - shared)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("seed", range(3))
def test_nms(ops: Any, seed: int, offset: int) -> None:
    corners, scores = boxes(120, seed)
    found, places = ops.nms(corners, scores, 0.4, offset=offset)
    assert places.tolist() == kept(corners, scores, 0.4, offset)
    assert (found[:, :4] == corners[places]).all()
    assert (found[:, 4] == scores[places]).all()


def test_nms_of_classes_apart(ops: Any) -> None:
    import torch

    corners, scores = boxes(90, 7)
    labels = torch.arange(90) % 3
    _, places = ops.batched_nms(corners, scores, labels, {"type": "nms", "iou_threshold": 0.4})
    wanted = {
        int(one)
        for label in range(3)
        for one in (labels == label).nonzero()[:, 0][
            kept(corners[labels == label], scores[labels == label], 0.4)
        ]
    }
    assert set(places.tolist()) == wanted


@pytest.mark.parametrize("method", ["naive", "linear", "gaussian"])
def test_soft_nms(ops: Any, method: str) -> None:
    import torch

    corners, scores = boxes(40, 5)
    found, places = ops.soft_nms(corners, scores, 0.3, 0.5, 0.05, method)
    left, now, order = list(range(40)), scores.clone(), []
    while left:
        best = max(left, key=lambda one: float(now[one]))
        if now[best] < 0.05:
            break
        order.append((best, float(now[best])))
        left.remove(best)
        for one in left:
            shared = iou(corners[best], corners[one], 0)
            if method == "gaussian":
                now[one] *= torch.exp(torch.tensor(-(shared**2) / 0.5))
            elif shared >= 0.3:
                now[one] *= 1 - shared if method == "linear" else 0.0
        left = [one for one in left if now[one] >= 0.05]
    assert places.tolist() == [one for one, _ in order]
    assert found[:, 4].tolist() == pytest.approx([score for _, score in order], abs=1e-6)


def test_roi_align_is_the_mean_of_bilinear_samples(ops: Any) -> None:
    import torch

    features = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(1))
    rois = torch.tensor([[0, 1.0, 2.0, 7.5, 6.0], [1, 0.0, 0.0, 10.0, 8.0]])
    found = ops.roi_align(features, rois, (2, 3), 0.5, 2, "avg", True)
    for number, (image, *corners) in enumerate(rois.tolist()):
        left, top, right, bottom = (one * 0.5 - 0.5 for one in corners)
        for row in range(2):
            for column in range(3):
                points = [
                    bilinear(
                        features[int(image)],
                        top + (bottom - top) * (row + (i + 0.5) / 2) / 2,
                        left + (right - left) * (column + (j + 0.5) / 2) / 3,
                    )
                    for i in range(2)
                    for j in range(2)
                ]
                wanted = torch.stack(points).mean(0)
                assert torch.allclose(found[number, :, row, column], wanted, atol=1e-6)


def bilinear(image: Any, y: float, x: float) -> Any:
    y, x = min(max(y, 0.0), image.shape[1] - 1), min(max(x, 0.0), image.shape[2] - 1)
    low, left = int(y), int(x)
    high, right = min(low + 1, image.shape[1] - 1), min(left + 1, image.shape[2] - 1)
    down, across = y - low, x - left
    return (
        image[:, low, left] * (1 - down) * (1 - across)
        + image[:, low, right] * (1 - down) * across
        + image[:, high, left] * down * (1 - across)
        + image[:, high, right] * down * across
    )


def test_gradient_of_roi_align(ops: Any) -> None:
    """By finite differences, in double precision."""
    import torch

    features = torch.rand(1, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    rois = torch.tensor([[0, 0.3, 0.6, 4.7, 5.1]], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda given: ops.roi_align(given, rois, (2, 2), 1.0, 2, "avg", True), (features,)
    )


def test_what_is_not_there_says_so(ops: Any) -> None:
    import torch

    with pytest.raises(MissingDependencyError, match="pool_mode='max'"):
        ops.roi_align(torch.rand(1, 1, 4, 4), torch.zeros(1, 5), 2, 1.0, 2, "max", True)
    with pytest.raises(MissingDependencyError, match="operator sigmoid_focal_loss_forward"):
        ops.sigmoid_focal_loss(torch.rand(2, 3), torch.tensor([0, 1]), 2.0, 0.25, None, "mean")
    with pytest.raises(MissingDependencyError, match="deform_conv"):
        ops.deform_conv2d(torch.rand(1, 1, 4, 4), torch.rand(1, 18, 2, 2), torch.rand(1, 1, 3, 3))
