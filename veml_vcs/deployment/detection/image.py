"""An image of any size becomes what a detector takes, in tensor operations that can be exported.

Resizing is OpenCV's bilinear to its bit: the training saw images so, and a resize that is only
nearly the same moves boxes. Sizes are tensors all the way, so a trace holds for every image.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from veml_vcs.deployment.detection.boxes import count_up
from veml_vcs.deployment.detection.preprocessing import Padding, Preprocessing

_ONE = 2048
"""OpenCV weighs the pixels of 8 bits by fractions of 2048, in whole numbers."""


class ImageInput(nn.Module):
    """Prepares an image.

    Args:
        how: What is done.
    """

    mean: Tensor
    std: Tensor
    fill: Tensor

    def __init__(self, how: Preprocessing) -> None:
        super().__init__()
        self.how = how
        self.register_buffer("mean", torch.tensor(how.mean).reshape(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(how.std).reshape(1, 3, 1, 1))
        blue_first = torch.tensor(how.pad_pixels.value)
        order = [0, 1, 2] if how.blue_first else [2, 1, 0]
        self.register_buffer("fill", blue_first[order].reshape(1, 3, 1, 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Prepare one image.

        Args:
            image: uint8 [height, width, 3], red first.

        Returns:
            float32 [1, 3, h, w]; float32 [4]: width, height, width, height of the image in it;
            float32 [4]: what boxes are multiplied by to be in pixels of the image that was given.
        """
        shape = torch._shape_as_tensor(image)
        height, width = shape[0], shape[1]
        new_height, new_width = self._size(height, width)
        pixels = image if self.how.scale is None else resize(image, new_height, new_width)
        if self.how.blue_first:
            pixels = pixels.flip(2)
        values = pixels.float().permute(2, 0, 1).unsqueeze(0)
        values = _grow(values, self.how.pad_pixels, self.fill)
        values = (values - self.mean) / self.std
        value = self.how.pad_values.value[0]
        values = _grow(values, self.how.pad_values, torch.full((1, 3, 1, 1), value))
        inside = torch.stack([new_width, new_height, new_width, new_height]).float()
        whole = torch.stack([width, height, width, height]).double()
        return values, inside, (1.0 / (inside.double() / whole)).float()

    def _size(self, height: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
        """Return height and width after resizing, as MMCV computes them."""
        if self.how.scale is None:
            return height, width
        if not self.how.keep_ratio:
            return torch.tensor(self.how.scale[1]), torch.tensor(self.how.scale[0])
        longer, shorter = float(max(self.how.scale)), float(min(self.how.scale))
        high, wide = height.double(), width.double()
        factor = torch.minimum(
            longer / torch.maximum(high, wide), shorter / torch.minimum(high, wide)
        )
        new_height = (high * factor + 0.5).long().clamp(min=1)
        return new_height, (wide * factor + 0.5).long().clamp(min=1)


def resize(image: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Resize as ``cv2.resize(..., interpolation=cv2.INTER_LINEAR)`` does pixels of 8 bits.

    Args:
        image: uint8 [h, w, 3].
        height: int64, one number.
        width: As ``height``.

    Returns:
        int32 [height, width, 3], 0 to 255.
    """
    shape = torch._shape_as_tensor(image)
    left, right, more, less = _taps(width, shape[1], whole=True)
    rows = image.index_select(1, left).int() * less.reshape(1, -1, 1)
    rows = (rows + image.index_select(1, right).int() * more.reshape(1, -1, 1)) >> 4
    above, below, more, less = _taps(height, shape[0], whole=False)
    upper = (rows.index_select(0, above) * less.reshape(-1, 1, 1)) >> 16
    lower = (rows.index_select(0, below) * more.reshape(-1, 1, 1)) >> 16
    return (upper + lower + 2) >> 2


def _taps(new: Tensor, old: Tensor, *, whole: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return for each new pixel the two old ones that it lies between, and their weights.

    Weights are those of the second and of the first, in parts of 2048.

    Args:
        new: How many new pixels.
        old: How many old ones.
        whole: Whether a border pixel has its whole weight, as OpenCV has it across; down, its two
            parts are rounded one by one.
    """
    scale = 1.0 / (new.double() / old.double())
    place = ((count_up(new).double() + 0.5) * scale - 0.5).float()
    first = place.floor()
    part = place - first
    if whole:
        outside = (first < 0) | (first >= (old - 1).float())
        part = torch.where(outside, torch.zeros_like(part), part)
    low = first.long()
    at, beside = (torch.minimum(one.clamp(min=0), old - 1) for one in (low, low + 1))
    more = (part * _ONE).round().int()
    return at, beside, more, ((1.0 - part) * _ONE).round().int()


def _grow(values: Tensor, padding: Padding, fill: Tensor) -> Tensor:
    """Pad to the right and below.

    Args:
        values: float32 [1, 3, h, w].
        padding: To what size; its value is not looked at.
        fill: float32 [1, 3, 1, 1].
    """
    if padding.size is None and padding.divisor == 1:
        return values
    shape = torch._shape_as_tensor(values)
    height, width = shape[2], shape[3]
    if padding.size is not None:
        below = (padding.size[1] - height).clamp(min=0)
        beside = (padding.size[0] - width).clamp(min=0)
    else:
        below = (-height) % padding.divisor
        beside = (-width) % padding.divisor
    values = torch.cat([values, _filled(fill, below, width)], 2)
    return torch.cat([values, _filled(fill, height + below, beside)], 3)


def _filled(fill: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Return float32 [1, 3, height, width] of one value a channel."""
    made: Tensor = fill.expand(1, 3, height, width)  # type: ignore[call-overload]
    return made
