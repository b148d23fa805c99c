"""The ResNet family, of torchvision's blocks: at any width, and with a stem for small images.

With the settings it has by default it is torchvision's, tensor by tensor, so that weights of either
fit the other. Knows nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from veml_vcs.errors import FormatError

DEPTHS: dict[int, tuple[type[BasicBlock | Bottleneck], tuple[int, ...]]] = {
    10: (BasicBlock, (1, 1, 1, 1)),
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}
"""Depth -> kind of block, and how many there are in each stage (He et al. 2016, table 1)."""

STEMS = ("large", "small")


class ResNet(nn.Module):
    """A residual network (He et al. 2016), without its classifier.

    Args:
        depth: One of ``DEPTHS``.
        base_channels: Channels of the first stage; each further one has twice as many.
        num_stages: Stages, 1 to 4.
        strides: Stride of each stage; None: 1, 2, 2, 2.
        stem: ``large``: 7 x 7 with stride 2 and a pool, for some 224 pixels; ``small``: 3 x 3 with
            stride 1, for some 32 pixels.
        groups: Groups of a bottleneck's middle (ResNeXt: 32).
        width_per_group: Channels of a group, at 64 base channels (ResNeXt: 4; Wide ResNet: 128).

    Attributes:
        out_channels: Channels of what comes out.

    Raises:
        FormatError: A setting is none.
    """

    def __init__(
        self,
        depth: int = 50,
        base_channels: int = 64,
        num_stages: int = 4,
        strides: Sequence[int] | None = None,
        stem: str = "large",
        groups: int = 1,
        width_per_group: int = 64,
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise FormatError(
                f"a ResNet of depth {depth!r}: there are {', '.join(map(str, DEPTHS))}"
            )
        if stem not in STEMS:
            raise FormatError(f"a ResNet with the stem {stem!r:.60}: expected {' or '.join(STEMS)}")
        if num_stages not in (1, 2, 3, 4):
            raise FormatError(f"a ResNet of {num_stages!r} stages: expected 1 to 4")
        steps = tuple(strides or (1, 2, 2, 2)[:num_stages])
        if len(steps) != num_stages:
            raise FormatError(f"a ResNet of {num_stages} stages with {len(steps)} strides")
        block, counts = DEPTHS[depth]
        size, stride, around = (7, 2, 3) if stem == "large" else (3, 1, 1)
        self.conv1 = nn.Conv2d(3, base_channels, size, stride, around, bias=False)
        self.bn1 = nn.BatchNorm2d(base_channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if stem == "large" else nn.Identity()
        self._channels = base_channels
        self._groups, self._width = groups, width_per_group
        self.stages = []
        for number in range(num_stages):
            planes = base_channels << number
            stage = self._stage(block, planes, counts[number], steps[number])
            self.add_module(f"layer{number + 1}", stage)
            self.stages.append(f"layer{number + 1}")
        self.out_channels = self._channels
        self._draw()

    def _stage(
        self, block: type[BasicBlock | Bottleneck], planes: int, count: int, stride: int
    ) -> nn.Sequential:
        out = planes * block.expansion
        blocks = []
        for place in range(count):
            step = stride if place == 0 else 1
            shortcut = None
            if step != 1 or self._channels != out:
                shortcut = nn.Sequential(
                    nn.Conv2d(self._channels, out, 1, step, bias=False), nn.BatchNorm2d(out)
                )
            blocks.append(block(self._channels, planes, step, shortcut, self._groups, self._width))
            self._channels = out
        return nn.Sequential(*blocks)

    def _draw(self) -> None:
        """Draw the weights as torchvision does (He et al. 2015)."""
        for one in self.modules():
            if isinstance(one, nn.Conv2d):
                nn.init.kaiming_normal_(one.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(one, nn.BatchNorm2d):
                nn.init.ones_(one.weight)
                nn.init.zeros_(one.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return features, float32 [B, out_channels, h, w].

        Args:
            images: float32 [B, 3, H, W], normalised.
        """
        found: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for name in self.stages:
            found = getattr(self, name)(found)
        return found
