"""The parts of an exported detector against what they stand for: OpenCV, torchvision, MMDetection.

"Equal" is to the bit unless a tolerance is given.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deployment.kit import MEAN, STD, picture, untrained
from tests.training.engine import ENGINE

pytestmark = [
    pytest.mark.ml,
    pytest.mark.slow,
    ENGINE,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # MMDetection's, of its own age
]


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    from veml_vcs.training.engine import prepare_engine

    prepare_engine("detection")


SIDE = st.integers(2, 90)


@settings(max_examples=20, deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.integers(0, 9))
def test_resizing_is_opencvs(high: int, wide: int, height: int, width: int, seed: int) -> None:
    """To the bit, smaller and larger. Seen to fail with the weights of border rows made whole, as
    those of border columns are: OpenCV treats them differently."""
    import cv2
    import torch

    from veml_vcs.deployment.detection.image import resize

    image = picture(high, wide, seed)
    wanted = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    found = resize(torch.from_numpy(image), torch.tensor(height), torch.tensor(width)).numpy()
    np.testing.assert_array_equal(found, wanted)


def test_the_portable_operators_are_torchvisions() -> None:
    """To 2e-6: sums in another order."""
    import torch

    from veml_vcs.deployment.detection.operators import Operators, portable

    torch.manual_seed(0)
    ours, theirs = portable(), Operators()
    feature, corners = torch.randn(1, 8, 20, 30), torch.rand(150, 4) * 200
    corners[:, 2:] += corners[:, :2] + 1
    rows = torch.cat([torch.zeros(150, 1), corners - 20], 1)
    for ratio in (2, 0):
        for aligned in (True, False):
            args = (rows, (7, 5), 1 / 8, ratio, aligned)
            apart = (ours.align(feature, *args) - theirs.align(feature, *args)).abs().max()
            assert apart < 2e-6
    assert ours.align(feature, rows[:0], (7, 5), 1 / 8, 2, True).shape == (0, 8, 7, 5)
    boxes, scores = torch.rand(300, 4) * 50, torch.rand(300)
    boxes[:, 2:] += boxes[:, :2]
    assert torch.equal(ours.suppress(boxes, scores, 0.5), theirs.suppress(boxes, scores, 0.5))
    assert ours.suppress(boxes[:0], scores[:0], 0.5).shape == (0,)


def mmdet_says(model: Any, image: Any) -> tuple[Any, Any, Any]:
    import torch
    from mmdet.structures import DetDataSample

    size = image.shape[:2]
    about = DetDataSample(metainfo={"img_shape": size, "ori_shape": size, "scale_factor": (1, 1)})
    pixels = torch.from_numpy(image[:, :, ::-1].copy()).permute(2, 0, 1)
    with torch.no_grad():
        said = model.test_step({"inputs": [pixels], "data_samples": [about]})[0].pred_instances
    return said.bboxes.numpy(), said.scores.numpy(), said.labels.numpy()


@pytest.mark.parametrize("name", ["retina", "softmax", "fcos", "atss", "rtmdet"])
def test_detectors_of_one_stage(name: str) -> None:
    """The module says what MMDetection says; the file says so of an image of another size, too."""
    import onnxruntime
    import torch

    from veml_vcs.deployment.detection.image import ImageInput
    from veml_vcs.deployment.detection.operators import Operators
    from veml_vcs.deployment.detection.preprocessing import Padding, Preprocessing
    from veml_vcs.deployment.detection.single_stage import SingleStage
    from veml_vcs.deployment.onnx_file import export_onnx

    model = untrained(name)
    how = Preprocessing(
        blue_first=True, mean=(MEAN,) * 3, std=(STD,) * 3, pad_values=Padding(None, 16)
    )
    network = SingleStage(model, ImageInput(how), Operators()).eval()
    image = picture(90, 120)
    with torch.no_grad():
        found = [one.numpy() for one in network(torch.from_numpy(image))]
    for wanted, one in zip(mmdet_says(model, image), found, strict=True):
        np.testing.assert_array_equal(one, wanted)
    assert len(found[0]) > 5
    data = export_onnx(
        network, torch.from_numpy(image), {"image": ("height", "width", 3)},
        {"boxes": ("objects", 4), "scores": ("objects",), "labels": ("objects",)}, {},
    )  # fmt: skip
    session = onnxruntime.InferenceSession(io.BytesIO(data).getvalue())
    other = picture(70, 101, seed=4)
    boxes, scores, labels = session.run(None, {"image": other})
    wanted = mmdet_says(model, other)
    np.testing.assert_allclose(boxes, wanted[0], atol=1e-3)
    np.testing.assert_allclose(scores, wanted[1], atol=1e-5)
    np.testing.assert_array_equal(labels, wanted[2])
    grey = np.full((33, 40, 3), 128, np.uint8)  # everything alike: any order is right
    assert np.isfinite(session.run(None, {"image": grey})[0]).all()


def test_a_head_that_predicts_in_a_way_of_its_own_is_refused() -> None:
    from veml_vcs.deployment.detection.image import ImageInput
    from veml_vcs.deployment.detection.operators import Operators
    from veml_vcs.deployment.detection.preprocessing import Preprocessing
    from veml_vcs.deployment.detection.single_stage import SingleStage
    from veml_vcs.errors import FormatError

    with pytest.raises(FormatError, match="bbox_head is GFLHead, which predicts") as error:
        SingleStage(untrained("gfl"), ImageInput(Preprocessing()), Operators())
    assert error.value.kind == "cannot-export"
