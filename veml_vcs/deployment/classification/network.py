"""A classifier as one module that can be exported: from the pixels of an image of any size.

Resizing is torchvision's bilinear with antialiasing, as products of matrices whose weights are
computed from the sizes: at most two levels of brightness from torchvision's, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from veml_vcs.deployment.detection.boxes import count_up
from veml_vcs.errors import FormatError

_KNOWN = {
    "Resize": frozenset({"type", "size"}),
    "CenterCrop": frozenset({"type", "size"}),
}


class ClassifierNetwork(nn.Module):
    """Prepares an image, and classifies it.

    Args:
        model: The trained ``Classifier``.
        pipeline: What is done to an image that is measured on.

    Raises:
        FormatError: A step of it cannot be put into a file.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: Any, pipeline: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self.model = model
        self.steps = [_step(one) for one in pipeline]
        before = model.data_preprocessor
        if (
            getattr(before, "_channel_conversion", False)
            or getattr(before, "pad_size_divisor", 1) > 1
        ):
            raise _refused("a data_preprocessor that swaps channels or pads")
        mean, std = getattr(before, "mean", None), getattr(before, "std", None)
        self.register_buffer("mean", torch.zeros(3, 1, 1) if mean is None else mean.clone())
        self.register_buffer("std", torch.ones(3, 1, 1) if std is None else std.clone())

    def forward(self, image: Tensor) -> Tensor:
        """Classify one image.

        Args:
            image: uint8 [height, width, 3], red first.

        Returns:
            float32 [classes]: probabilities.
        """
        values = image.float().permute(2, 0, 1)
        for kind, height, width in self.steps:
            if kind == "Resize":
                values = _resized(values, height, width)
            else:
                values = _cropped(values, height, width)
        values = (values - self.mean) / self.std
        found: Tensor = self.model(values.unsqueeze(0), mode="tensor")[0].softmax(0)
        return found

    def told(self) -> str:
        """Return what is done to an image, in words."""
        words = {"Resize": "resized to", "CenterCrop": "the middle of"}
        parts = [f"{words[kind]} {_size(height, width)}" for kind, height, width in self.steps]
        return "; ".join([*parts, "less a mean, divided by a deviation"])


def _size(height: int, width: int | None) -> str:
    return f"{height} on the shorter side" if width is None else f"{width}x{height}"


def _refused(what: str) -> FormatError:
    return FormatError(
        f"the training prepares images by {what}, which cannot be put into an exported file",
        hint="what can: Resize and CenterCrop with a size, and a mean and deviation",
        kind="cannot-export",
    )


def _step(said: Mapping[str, Any]) -> tuple[str, int, int | None]:
    kind = str(said.get("type"))
    unknown = sorted(said.keys() - _KNOWN.get(kind, frozenset()))
    if kind not in _KNOWN or unknown:
        raise _refused(f"{kind}" if kind not in _KNOWN else f"{kind} with {unknown[0]}")
    size: Any = said.get("size")
    numbers: list[Any] = size if isinstance(size, list) else [size]
    if not 1 <= len(numbers) <= 2 or not all(type(one) is int and one > 0 for one in numbers):
        raise _refused(f"{kind} to {size!r:.60}")
    if len(numbers) == 2:
        return kind, numbers[0], numbers[1]
    if kind == "CenterCrop":
        return kind, numbers[0], numbers[0]
    return kind, numbers[0], None


def _resized(values: Tensor, height: int, width: int | None) -> Tensor:
    """Resize float32 [3, h, w] of whole numbers."""
    shape = torch._shape_as_tensor(values)
    high, wide = shape[1], shape[2]
    if width is None:  # the shorter side becomes `height`
        shorter = torch.minimum(high, wide)
        new_high = torch.div(height * high, shorter, rounding_mode="floor")
        new_wide = torch.div(height * wide, shorter, rounding_mode="floor")
    else:
        new_high, new_wide = torch.tensor(height), torch.tensor(width)
    across = values @ _weights(new_wide, wide).t()
    return (_weights(new_high, high) @ across.round().clamp(0, 255)).round().clamp(0, 255)


def _weights(new: Tensor, old: Tensor) -> Tensor:
    """Return float32 [new, old]: how much of each old pixel is in each new one."""
    scale = old.double() / new.double()
    support = torch.clamp(scale, min=1.0)
    centre = (count_up(new).double() + 0.5) * scale
    place = count_up(old).double() + 0.5
    near = (1.0 - ((place.unsqueeze(0) - centre.unsqueeze(1)) / support).abs()).clamp(min=0.0)
    return (near / near.sum(1, keepdim=True)).float()


def _cropped(values: Tensor, height: int, width: int | None) -> Tensor:
    """Take the middle of float32 [3, h, w]; what lies outside is black."""
    assert width is not None
    for axis, length in ((1, height), (2, width)):
        size = torch._shape_as_tensor(values)[axis]
        offset = ((size - length).double() / 2.0).round().long()
        at = offset + torch.arange(length)
        inside = (at >= 0) & (at < size)
        picked = values.index_select(axis, torch.minimum(at.clamp(min=0), size - 1))
        shape = (1, -1, 1) if axis == 1 else (1, 1, -1)
        values = picked * inside.float().reshape(shape)
    return values
