"""Pipelines: torchvision's transforms by name, with the arguments that a config gives them.

They draw from torch's random numbers alone, which ``draws.VemlDraws`` seeds for each sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmengine.registry import TRANSFORMS as ENGINE_TRANSFORMS
from torch import Tensor
from torchvision.transforms import v2

from veml_vcs.errors import FormatError
from veml_vcs.training.classification.adapt import TRANSFORMS
from veml_vcs.training.decode import decode_image

Transform = Callable[[Tensor], Tensor]


class Pipeline:
    """From the bytes of an image to what a network is given.

    Args:
        steps: What the config says: dicts with a ``type`` of ``TRANSFORMS``. Of a config that is
            trusted also of MMEngine's registry: callables of uint8 [3, H, W].

    Raises:
        FormatError: torchvision does not take an argument.
    """

    def __init__(self, steps: Sequence[Mapping[str, Any]]) -> None:
        self.steps = [_built(one, place) for place, one in enumerate(steps)]

    def __call__(self, data: bytes, name: str) -> Tensor:
        """Return an image, uint8 [3, height, width], red first.

        Args:
            data: The bytes of its file.
            name: What it is called, for messages.

        Raises:
            FormatError: It cannot be decoded.
        """
        decoded = decode_image(data, name)
        image = torch.from_numpy(decoded[:, :, ::-1].copy()).permute(2, 0, 1).contiguous()
        for one in self.steps:
            image = one(image)
        return image


def _built(step: Mapping[str, Any], place: int) -> Transform:
    name = str(step.get("type"))
    arguments = {key: value for key, value in step.items() if key != "type"}
    try:
        if name in TRANSFORMS:
            made: Transform = getattr(v2, name)(**arguments)
            return made
        return ENGINE_TRANSFORMS.build(dict(step))  # type: ignore[no-any-return]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise FormatError(
            f"pipeline.{place}: {name} does not take {arguments!r:.200}: {error!s:.200}",
            kind="config-failed",
        ) from error
