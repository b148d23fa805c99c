"""Small detectors that nobody trained, and a picture.

What is exported is compared with what the engine itself says; nothing here asserts how good it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MEAN, STD = 128.0, 64.0
_BACKBONE = {
    "type": "ResNet", "depth": 18, "base_channels": 8, "num_stages": 3, "strides": (1, 2, 2),
    "dilations": (1, 1, 1), "out_indices": (1, 2), "frozen_stages": -1,
    "norm_cfg": {"type": "BN", "requires_grad": True}, "norm_eval": False,
}  # fmt: skip
_NECK = {"type": "FPN", "in_channels": [16, 32], "out_channels": 16, "num_outs": 2}
_ANCHORS = {
    "type": "AnchorGenerator", "scales": [4], "ratios": [0.5, 1.0, 2.0], "strides": [8, 16],
}  # fmt: skip
_COMMON = {"num_classes": 3, "in_channels": 16, "feat_channels": 16, "stacked_convs": 1}
_SOFTMAX = {"type": "CrossEntropyLoss"}
_FOCAL = {"type": "FocalLoss", "use_sigmoid": True}

HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    "retina": ("RetinaNet", {
        "type": "RetinaHead", "anchor_generator": _ANCHORS, "loss_cls": _FOCAL,
    }),
    "softmax": ("RetinaNet", {
        "type": "RetinaHead", "anchor_generator": _ANCHORS, "loss_cls": _SOFTMAX,
    }),
    "fcos": ("FCOS", {
        "type": "FCOSHead", "strides": [8, 16], "regress_ranges": ((-1, 64), (64, 1e8)),
        "norm_cfg": None,
    }),
    "atss": ("ATSS", {
        "type": "ATSSHead", "norm_cfg": {"type": "GN", "num_groups": 4},
        "anchor_generator": {**_ANCHORS, "ratios": [1.0]},
    }),
    "rtmdet": ("RTMDet", {
        "type": "RTMDetHead", "with_objectness": False, "norm_cfg": {"type": "BN"},
        "anchor_generator": {"type": "MlvlPointGenerator", "offset": 0, "strides": [8, 16]},
        "bbox_coder": {"type": "DistancePointBBoxCoder"},
        "loss_cls": {"type": "QualityFocalLoss", "use_sigmoid": True, "beta": 2.0},
        "loss_bbox": {"type": "GIoULoss"},
    }),
    "gfl": ("GFL", {
        "type": "GFLHead", "norm_cfg": {"type": "GN", "num_groups": 4},
        "anchor_generator": {**_ANCHORS, "ratios": [1.0]},
    }),
}  # fmt: skip
"""Name -> the detector and its head. ``gfl`` predicts in a way of its own."""


def untrained(name: str) -> Any:
    """Build a detector of one stage with weights that make it say something everywhere."""
    import torch
    from mmdet.registry import MODELS
    from mmengine.config import ConfigDict
    from mmengine.registry import init_default_scope

    init_default_scope("mmdet")
    kind, head = HEADS[name]
    torch.manual_seed(1)
    model = MODELS.build(ConfigDict({
        "type": kind,
        "data_preprocessor": {
            "type": "DetDataPreprocessor", "pad_size_divisor": 16,
            "mean": [MEAN] * 3, "std": [STD] * 3,
        },
        "backbone": _BACKBONE, "neck": _NECK, "bbox_head": {**_COMMON, **head},
        "train_cfg": {},
        "test_cfg": {"nms_pre": 60, "min_bbox_size": 0, "score_thr": 0.05,
                     "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 40},
    }))  # fmt: skip
    with torch.no_grad():
        for one in model.bbox_head.parameters():
            one.normal_(0, 0.05)
    return model.eval()


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return an image of coloured patches: no two places look alike."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, (-(-height // 7), -(-width // 7), 3))
    return np.kron(patches, np.ones((7, 7, 1))).astype(np.uint8)[:height, :width].copy()
