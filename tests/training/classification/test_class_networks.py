"""Our ResNets are torchvision's, where they say the same; and smaller ones beside."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

pytestmark = [
    pytest.mark.ml,
    pytest.mark.skipif(find_spec("torchvision") is None, reason="torchvision is not installed"),
]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("resnet18", {"depth": 18}),
        ("resnext50_32x4d", {"depth": 50, "groups": 32, "width_per_group": 4}),
    ],
)
def test_tensor_by_tensor(name: str, settings: dict[str, Any]) -> None:
    import torch
    from torchvision import models

    from veml_vcs.training.classification.networks import ResNet

    torch.manual_seed(0)
    theirs = getattr(models, name)()
    theirs.fc = torch.nn.Identity()
    ours = ResNet(**settings)
    ours.load_state_dict(theirs.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours.eval()(image).mean((2, 3)), theirs.eval()(image))


def test_drawn_as_torchvision_draws() -> None:
    import torch
    from torchvision import models

    from veml_vcs.training.classification.networks import ResNet

    def spread(model: Any) -> Any:
        return torch.stack([one.std() for one in model.parameters() if one.dim() == 4])

    torch.manual_seed(0)
    assert torch.allclose(spread(ResNet(18)), spread(models.resnet18()), rtol=0.1)


def test_a_small_stem_keeps_the_size() -> None:
    import torch

    from veml_vcs.training.classification.networks import ResNet

    made = ResNet(10, base_channels=8, num_stages=2, stem="small")
    assert made.out_channels == 16
    assert made(torch.zeros(2, 3, 32, 32)).shape == (2, 16, 16, 16)
    assert made(torch.zeros(2, 3, 8, 12)).shape == (2, 16, 4, 6)
