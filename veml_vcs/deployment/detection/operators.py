"""Suppression of boxes and pooling of regions: torchvision's, and the same in PyTorch's own terms.

An ONNX file has operators for both, and torchvision's are exported to these. A TorchScript file
that calls torchvision's cannot be loaded where torchvision is not; so for one, both are written in
operators that every PyTorch has. These are compiled (``torch.jit.script``), so their loops stay
loops in the file.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor
from torchvision.ops import nms, roi_align


class Suppress(Protocol):
    """Returns the places of the boxes that are kept, the best first; as ``torchvision.ops.nms``."""

    def __call__(self, boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
        """Choose."""


class Align(Protocol):
    """Pools regions by means; as ``torchvision.ops.roi_align``."""

    def __call__(
        self, feature: Tensor, rows: Tensor, size: tuple[int, int], scale: float, ratio: int,
        aligned: bool,
    ) -> Tensor:  # fmt: skip
        """Pool."""


@dataclass(frozen=True)
class Operators:
    """Both.

    Attributes:
        suppress: Non-maximum suppression.
        align: RoIAlign.
    """

    suppress: Suppress = nms
    align: Align = roi_align


@cache
def portable() -> Operators:
    """Return both in operators that every PyTorch has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TorchScript's age
        return Operators(torch.jit.script(_suppress), torch.jit.script(_align))


def _suppress(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    order = scores.argsort(descending=True)
    found = boxes[order]
    areas = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    kept = torch.ones_like(order, dtype=torch.bool)
    for place in range(found.size(0)):
        if bool(kept[place]):
            rest = found[place + 1 :]
            low = torch.maximum(found[place, :2], rest[:, :2])
            sides = (torch.minimum(found[place, 2:], rest[:, 2:]) - low).clamp(min=0.0)
            shared = sides[:, 0] * sides[:, 1]
            over = shared / (areas[place] + areas[place + 1 :] - shared) > iou_threshold
            kept[place + 1 :] = kept[place + 1 :] & ~over
    return order[kept]


def _align(
    feature: Tensor, rows: Tensor, size: tuple[int, int], scale: float, ratio: int, aligned: bool
) -> Tensor:
    """Pool each region of one image to one size (He et al. 2017), by means.

    Args:
        feature: float32 [1, c, h, w].
        rows: float32 [k, 5]: 0, x1, y1, x2, y2.
        size: Rows and columns of the result.
        scale: Of the feature map to the image.
        ratio: Samples in each direction of a cell; 0 or less: as many as there are pixels.
        aligned: Whether pixels have their centres at one half.

    Returns:
        float32 [k, c, *size].
    """
    channels, height, width = feature.size(1), feature.size(2), feature.size(3)
    flat = feature[0].reshape(channels, height * width)
    offset = 0.5 if aligned else 0.0
    made = [torch.zeros(0, channels, size[0], size[1], dtype=feature.dtype)]
    most = 64  # regions at once: memory
    for begin in range(0, rows.size(0), most):
        boxes = rows[begin : begin + most, 1:] * scale - offset
        sides = boxes[:, 2:] - boxes[:, :2]
        if not aligned:
            sides = sides.clamp(min=1.0)
        cells = sides / torch.tensor([size[1], size[0]], dtype=sides.dtype)
        if ratio > 0:
            counts = torch.full_like(cells, float(ratio))
        else:
            counts = cells.ceil().clamp(min=1.0)
        places: list[Tensor] = []
        weights: list[Tensor] = []
        for axis in range(2):  # across, down
            cell, count = cells[:, axis].reshape(-1, 1, 1), counts[:, axis].reshape(-1, 1, 1)
            length = width if axis == 0 else height
            outputs = size[1] if axis == 0 else size[0]
            steps = torch.arange(math.ceil(float(counts[:, axis].max())))
            inner = (steps.to(cell.dtype).reshape(1, 1, -1) + 0.5) / count
            outer = torch.arange(outputs).to(cell.dtype).reshape(1, -1, 1)
            at = boxes[:, axis].reshape(-1, 1, 1) + outer * cell + inner * cell
            there = (steps.reshape(1, 1, -1) < count) & (at >= -1.0) & (at <= float(length))
            at = at.clamp(min=0.0)
            low = at.floor().clamp(max=float(length - 1))
            part = torch.where(low >= float(length - 1), torch.zeros_like(at), at - low)
            low_place = low.long()
            high_place = (low_place + 1).clamp(max=length - 1)
            share = there.to(at.dtype) / count
            places.append(torch.stack([low_place, high_place], 3))
            weights.append(torch.stack([(1.0 - part) * share, part * share], 3))
        # [k, rows, columns, samples down, samples across, 2, 2] places of pixels
        down, across = places[1], places[0]
        index = (down * width)[:, :, None, :, None, :, None] + across[:, None, :, None, :, None, :]
        weight = weights[1][:, :, None, :, None, :, None] * weights[0][:, None, :, None, :, None, :]
        count_of = index.size(0)
        picked = flat[:, index.reshape(-1)].reshape(channels, count_of, size[0], size[1], -1)
        summed = (picked * weight.reshape(1, count_of, size[0], size[1], -1)).sum(4)
        made.append(summed.permute(1, 0, 2, 3))
    return torch.cat(made)
