"""The operators of MMCV that are compiled, by those of torchvision.

``mmcv-lite`` has no compiled module ``mmcv._ext``, and there is no wheel of ``mmcv`` for today's
PyTorch. ``mmcv.ops`` looks each operator up in that module by name, when it is imported. So a
module is put there: what detectors need is computed by ``torchvision.ops``, with the same results;
what is not there says so when it is called. A real ``mmcv._ext`` is used where there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from veml_vcs.errors import MissingDependencyError

_NAME = "mmcv._ext"


def stand_in_ops() -> None:
    """Put the stand-in where ``mmcv.ops`` looks, before anything imports that; else do nothing."""
    if find_spec("mmcv") is None or _NAME in sys.modules or find_spec(_NAME) is not None:
        return
    module = ModuleType(_NAME)
    module.__spec__ = ModuleSpec(_NAME, None)  # who asks whether MMCV is a whole one hears no
    for one in (nms, softnms, roi_align_forward, roi_align_backward):
        setattr(module, one.__name__, one)

    def other(name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*_: Any, **__: Any) -> Any:
            raise MissingDependencyError(
                f"the model needs MMCV's compiled operator {name}, which mmcv-lite does not have "
                "and torchvision cannot stand in for",
                hint="take a model without it, or install an mmcv that was built for this PyTorch",
                kind="missing-operator",
            )

        return call

    module.__getattr__ = other  # type: ignore[method-assign]
    sys.modules[_NAME] = module


def nms(boxes: Any, scores: Any, iou_threshold: float, offset: int = 0) -> Any:
    """Return the places of the boxes that are kept, the best first.

    Args:
        boxes: float [n, 4]: x1, y1, x2, y2.
        scores: float [n].
        iou_threshold: A box is dropped if it overlaps a better one by more.
        offset: Added to widths and heights (MMDetection 1 counted pixels at both ends).

    Returns:
        int64 [k].
    """
    from torchvision.ops import nms as exact

    if offset:
        boxes = boxes.clone()
        boxes[:, 2:] += offset
    return exact(boxes, scores, iou_threshold)


def softnms(
    boxes: Any, scores: Any, dets: Any, iou_threshold: float, sigma: float, min_score: float,
    method: int, offset: int,
) -> Any:  # fmt: skip
    """Lower the scores of boxes that overlap better ones (Bodla et al. 2017).

    Args:
        boxes: float [n, 4].
        scores: float [n].
        dets: float [n, 5], takes the kept boxes with their new scores.
        iou_threshold: For methods 0 (drop) and 1 (linear).
        sigma: For method 2 (Gaussian).
        min_score: A box below is dropped.
        method: 0, 1 or 2.
        offset: Added to widths and heights.

    Returns:
        int64 [k]: the places of the kept boxes, the best first.
    """
    import torch

    left, scores = torch.arange(len(boxes)), scores.clone()
    kept: list[int] = []
    sizes = (boxes[:, 2:] - boxes[:, :2] + offset).clamp(min=0)
    area = sizes[:, 0] * sizes[:, 1]
    while len(left):
        place = int(scores[left].argmax())
        best = left[place]
        if scores[best] < min_score:
            break
        dets[len(kept), :4], dets[len(kept), 4] = boxes[best], scores[best]
        kept.append(int(best))
        left = torch.cat([left[:place], left[place + 1 :]])
        low = torch.maximum(boxes[left, :2], boxes[best, :2])
        high = torch.minimum(boxes[left, 2:], boxes[best, 2:])
        shared = (high - low + offset).clamp(min=0).prod(1)
        iou = shared / (area[left] + area[best] - shared)
        if method == 2:
            scores[left] *= torch.exp(-(iou**2) / sigma)
        else:
            factor = 1 - iou if method == 1 else torch.zeros_like(iou)
            scores[left] *= torch.where(iou >= iou_threshold, factor, torch.ones_like(iou))
        left = left[scores[left] >= min_score]
    return torch.tensor(kept, dtype=torch.int64)


def roi_align_forward(
    features: Any, rois: Any, output: Any, argmax_y: Any, argmax_x: Any, *, aligned_height: int,
    aligned_width: int, spatial_scale: float, sampling_ratio: int, pool_mode: int, aligned: bool,
) -> None:  # fmt: skip
    """Pool each region of feature maps to one size (He et al. 2017), by means.

    Args:
        features: float [n, c, h, w].
        rois: float [k, 5]: image, x1, y1, x2, y2.
        output: float [k, c, aligned_height, aligned_width], takes the result.
        argmax_y: For maxima alone.
        argmax_x: For maxima alone.
        aligned_height: Rows of the result.
        aligned_width: Columns of the result.
        spatial_scale: Size of the feature map divided by that of the image.
        sampling_ratio: Samples in each direction of a cell; 0 or less: as many as there are pixels.
        pool_mode: 1, the mean; 0, the maximum, cannot be stood in for.
        aligned: Whether pixels have their centres at one half.
    """
    from torchvision.ops import roi_align

    _means_only(pool_mode)
    size = (aligned_height, aligned_width)
    output.copy_(roi_align(features, rois, size, spatial_scale, sampling_ratio or -1, aligned))


def roi_align_backward(
    grad_output: Any, rois: Any, argmax_y: Any, argmax_x: Any, grad_input: Any, *,
    aligned_height: int, aligned_width: int, spatial_scale: float, sampling_ratio: int,
    pool_mode: int, aligned: bool,
) -> None:  # fmt: skip
    """Add the gradient of ``roi_align_forward`` to ``grad_input``; arguments as there."""
    import torch
    import torchvision  # noqa: F401 - registers torch.ops.torchvision

    _means_only(pool_mode)
    batch, channels, height, width = grad_input.shape
    backward = torch.ops.torchvision._roi_align_backward
    grad_input.add_(backward(
        grad_output, rois, spatial_scale, aligned_height, aligned_width, batch, channels, height,
        width, sampling_ratio or -1, aligned,
    ))  # fmt: skip


def _means_only(pool_mode: int) -> None:
    if pool_mode != 1:
        raise MissingDependencyError(
            "RoIAlign with pool_mode='max' needs MMCV's compiled operators",
            hint="pool_mode='avg', the default, needs none",
            kind="missing-operator",
        )
