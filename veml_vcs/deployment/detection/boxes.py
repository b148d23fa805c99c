"""Boxes in tensor operations that can be exported: priors, decoding, the choice of the best.

Each follows what MMDetection does when it predicts, in its order of operations, so that the results
are the same to the last digits; nothing branches on values, so a trace holds for every image.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from veml_vcs.deployment.detection.operators import Suppress


def count_up(count: Tensor) -> Tensor:
    """Return int64 [count]: 0, 1, 2 ... of a number that a trace has to keep."""
    made: Tensor = torch.arange(count)  # type: ignore[call-overload]  # it takes one
    return made


def grid(feature: Tensor, stride: tuple[int, int], offset: float) -> Tensor:
    """Return where the cells of a feature map lie in the image.

    Args:
        feature: [1, c, h, w].
        stride: Horizontal and vertical, in pixels.
        offset: Added to the places of cells, in cells.

    Returns:
        float32 [h * w, 2]: x and y, row by row.
    """
    shape = torch._shape_as_tensor(feature)
    down = (count_up(shape[2]).float() + offset) * float(stride[1])
    across = (count_up(shape[3]).float() + offset) * float(stride[0])
    rows, columns = torch.meshgrid(down, across, indexing="ij")
    return torch.stack([columns.reshape(-1), rows.reshape(-1)], 1)


def anchors(feature: Tensor, stride: tuple[int, int], base: Tensor) -> Tensor:
    """Return the anchors of a feature map: those of one cell after the other.

    Args:
        feature: [1, c, h, w].
        stride: Of its cells, in pixels.
        base: float32 [a, 4]: the anchors of the first cell.

    Returns:
        float32 [h * w * a, 4].
    """
    places = grid(feature, stride, 0.0)
    return (base.unsqueeze(0) + torch.cat([places, places], 1).unsqueeze(1)).reshape(-1, 4)


def decode_deltas(priors: Tensor, deltas: Tensor, coder: Any, inside: Tensor) -> Tensor:
    """Move and stretch boxes (Girshick et al. 2014), as ``DeltaXYWHBBoxCoder`` does.

    Args:
        priors: float32 [n, 4].
        deltas: float32 [n, 4].
        coder: The coder of the head.
        inside: float32 [4]: width and height of the image, twice.

    Returns:
        float32 [n, 4].
    """
    deltas = deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)
    centres = (priors[:, :2] + priors[:, 2:]) * 0.5
    sizes = priors[:, 2:] - priors[:, :2]
    shift, stretch = sizes * deltas[:, :2], deltas[:, 2:]
    most = abs(math.log(16 / 1000))
    if coder.add_ctr_clamp:
        shift = shift.clamp(-coder.ctr_clamp, coder.ctr_clamp)
        stretch = stretch.clamp(max=most)
    else:
        stretch = stretch.clamp(-most, most)
    centres, sizes = centres + shift, sizes * stretch.exp()
    boxes = torch.cat([centres - sizes * 0.5, centres + sizes * 0.5], 1)
    return clip(boxes, inside) if coder.clip_border else boxes


def decode_distances(points: Tensor, distances: Tensor, coder: Any, inside: Tensor) -> Tensor:
    """Return the boxes whose sides lie so far from points, as ``DistancePointBBoxCoder`` does.

    Args:
        points: float32 [n, 2].
        distances: float32 [n, 4]: to the left, above, to the right, below.
        coder: The coder of the head.
        inside: As ``decode_deltas``.
    """
    boxes = torch.cat([points - distances[:, :2], points + distances[:, 2:]], 1)
    return clip(boxes, inside) if coder.clip_border else boxes


def clip(boxes: Tensor, inside: Tensor) -> Tensor:
    """Return boxes within the image."""
    return torch.minimum(boxes.clamp(min=0), inside)


def large_enough(boxes: Tensor, smallest: float) -> Tensor:
    """Return the places of boxes with both sides larger than ``smallest``; below 0, of all."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    if smallest < 0:
        return count_up(torch._shape_as_tensor(boxes)[0])
    return (sizes > smallest).all(1).nonzero().squeeze(1)


def best(
    suppress: Suppress, boxes: Tensor, scores: Tensor, groups: Tensor, said: Any, most: int
) -> Tensor:
    """Return the places of the boxes that suppress others, the best first.

    Boxes of different groups are moved apart and do not suppress each other, by MMCV's arithmetic.

    Args:
        suppress: Non-maximum suppression.
        boxes: float32 [n, 4].
        scores: float32 [n].
        groups: int64 [n]: classes, or levels.
        said: The config's ``nms``.
        most: How many at most; below 1: all.

    Returns:
        int64 [k].
    """
    moved = boxes
    if not said.get("class_agnostic", False):
        farthest = torch.cat([boxes.reshape(-1), boxes.new_zeros(1)]).max()
        moved = boxes + (groups.to(boxes.dtype) * (farthest + 1.0)).unsqueeze(1)
    kept = suppress(moved, scores, float(said["iou_threshold"]))
    limits = [one for one in (most, said.get("max_num", -1)) if one > 0]
    return kept[: min(limits)] if limits else kept
