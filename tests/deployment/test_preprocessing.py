"""What is read of a pipeline, and what is refused because a file could not do it."""

from __future__ import annotations

from typing import Any

import pytest

from veml_vcs.deployment.detection.preprocessing import Padding, Preprocessing, preprocessing_of
from veml_vcs.errors import FormatError

LOAD = {"type": "LoadVemlImage"}
PACK = {"type": "PackDetInputs", "meta_keys": ["img_id"]}
RESIZE = {"type": "Resize", "scale": [160, 120], "keep_ratio": True}


def config(*steps: dict[str, Any], **preprocessor: Any) -> dict[str, Any]:
    return {
        "model": {"data_preprocessor": {"type": "DetDataPreprocessor", **preprocessor}},
        "val_dataloader": {"dataset": {"pipeline": [LOAD, *steps, PACK]}},
    }


def test_what_detectors_do() -> None:
    found = preprocessing_of(
        config(RESIZE, mean=[1, 2, 3], std=[4, 5, 6], bgr_to_rgb=True, pad_size_divisor=32)
    )
    assert found == Preprocessing(
        (160, 120), True, Padding(), False, (1.0, 2.0, 3.0), (4.0, 5.0, 6.0), Padding(None, 32)
    )
    assert found.told() == (
        "resized to fit into 160x120 (bilinear); less (1, 2, 3), divided by (4, 5, 6); padded to "
        "multiples of 32"
    )


def test_a_letterbox() -> None:
    """RTMDet and YOLOX pad with grey to one size, blue first."""
    pad = {"type": "Pad", "size": [640, 480], "pad_val": {"img": [114, 113, 112]}}
    found = preprocessing_of(config({**RESIZE, "keep_ratio": False}, pad))
    assert found.pad_pixels == Padding((640, 480), 1, (114.0, 113.0, 112.0))
    assert (found.keep_ratio, found.blue_first) == (False, True)


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ({"type": "RandomFlip", "prob": 0.5}, "RandomFlip"),
        ({**RESIZE, "interpolation": "nearest"}, "not bilinear"),
        ({**RESIZE, "backend": "pillow"}, "not bilinear"),
        ({"type": "Resize", "scale_factor": 0.5}, "scale_factor"),
        ({**RESIZE, "scale": [0, 4]}, r"\[0, 4\]"),
        ({"type": "Pad", "pad_to_square": True}, "square"),
        ({"type": "Pad", "size_divisor": 32, "odd": 1}, "odd"),
        ({"type": "mmdet.Expand"}, "Expand"),
        (7, "7"),
    ],
)
def test_what_a_file_cannot_do_is_refused(step: Any, named: str) -> None:
    with pytest.raises(FormatError, match=named) as error:
        preprocessing_of(config(step))
    assert error.value.kind == "cannot-export"
    assert error.value.hint is not None


def test_pixels_are_resized_before_they_are_padded() -> None:
    with pytest.raises(FormatError, match="Resize"):
        preprocessing_of(config({"type": "Pad", "size_divisor": 32}, RESIZE))


def test_another_preprocessor_is_refused() -> None:
    said = config(RESIZE)
    said["model"]["data_preprocessor"]["type"] = "BatchFixedSizePad"
    with pytest.raises(FormatError, match="BatchFixedSizePad"):
        preprocessing_of(said)
    with pytest.raises(FormatError, match="pipeline"):
        preprocessing_of({"model": {}})
