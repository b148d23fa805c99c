"""A detector of one stage (RetinaNet, FCOS, ATSS, RTMDet) as one module that can be exported.

As ``two_stage``: it calls the trained parts, and does what MMDetection does around them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from veml_vcs.deployment.detection.boxes import (
    anchors,
    best,
    decode_deltas,
    decode_distances,
    grid,
    large_enough,
)
from veml_vcs.deployment.detection.image import ImageInput
from veml_vcs.deployment.detection.operators import Operators
from veml_vcs.deployment.detection.parts import (
    cannot_export,
    other_nms,
    owner,
    refuse_parts,
    require,
)


class SingleStage(nn.Module):
    """A detector that looks everywhere once.

    Args:
        model: MMDetection's.
        image: What prepares the image.
        operators: What chooses boxes and pools regions.

    Raises:
        FormatError: A part of it cannot be exported.
    """

    def __init__(self, model: Any, image: ImageInput, operators: Operators) -> None:
        super().__init__()
        self.operators = operators
        self.image = image
        self.model = model
        self.head, self.test = model.bbox_head, model.bbox_head.test_cfg
        for method in ("predict", "predict_by_feat", "_predict_by_feat_single",
                       "_bbox_post_process"):  # fmt: skip
            require("bbox_head", self.head, method, "BaseDenseHead")
        generator = self.head.prior_generator
        self.points = owner(generator, "single_level_grid_priors") == "MlvlPointGenerator"
        if not self.points:
            require("bbox_head.anchor_generator", generator, "single_level_grid_priors",
                    "AnchorGenerator")  # fmt: skip
        self.decoder = owner(self.head.bbox_coder, "decode")
        if self.decoder not in ("DeltaXYWHBBoxCoder", "DistancePointBBoxCoder"):
            raise cannot_export(f"bbox_head.bbox_coder is {type(self.head.bbox_coder).__name__}")
        if self.decoder == "DistancePointBBoxCoder" and not self.points:
            raise cannot_export("bbox_head measures distances from anchors")
        loss = getattr(self.head, "loss_cls", None)
        said = self.test.get("nms")
        refuse_parts(
            custom_activation=bool(getattr(loss, "custom_cls_channels", False)),
            no_scores=said is None, other_nms=said is not None and other_nms(said),
        )  # fmt: skip
        if not self.points:
            for place, base in enumerate(generator.base_anchors):
                self.register_buffer(f"anchors_{place}", base.clone())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect objects in one image; as ``TwoStage.forward``."""
        values, inside, back = self.image(image)
        found = self.head(self.model.extract_feat(values))
        factors = found[2] if len(found) > 2 else [None] * len(found[0])
        levels = [
            self._level(place, *each, inside)
            for place, each in enumerate(zip(found[0], found[1], factors, strict=True))
        ]
        boxes, sure, labels = (torch.cat(each) for each in zip(*levels, strict=True))
        boxes = boxes * back
        fit = large_enough(boxes, self.test.get("min_bbox_size", -1))
        boxes, sure, labels = boxes[fit], sure[fit], labels[fit]
        kept = best(
            self.operators.suppress, boxes, sure, labels, self.test.nms, self.test.max_per_img
        )
        return boxes[kept], sure[kept], labels[kept]

    def _level(
        self, place: int, score: Tensor, box: Tensor, factor: Tensor | None, inside: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return boxes, scores and labels of one level of features, the best of them."""
        head, generator = self.head, self.head.prior_generator
        stride = generator.strides[place]
        if self.points:
            priors = grid(score, stride, generator.offset)
        else:
            priors = anchors(score, stride, getattr(self, f"anchors_{place}"))
        box = box[0].permute(1, 2, 0).reshape(-1, 4)
        sure = score[0].permute(1, 2, 0).reshape(-1, head.cls_out_channels)
        sure = sure.sigmoid() if head.use_sigmoid_cls else sure.softmax(-1)[:, :-1]
        classes = head.cls_out_channels - int(not head.use_sigmoid_cls)
        sure = sure.reshape(-1)
        fit = (sure > self.test.get("score_thr", 0)).nonzero().squeeze(1)
        sure, order = sure[fit].sort(descending=True)
        most = self.test.get("nms_pre", -1)
        if most > 0:
            sure, order = sure[:most], order[:most]
        chosen = fit[order]
        at = torch.div(chosen, classes, rounding_mode="floor")
        labels = chosen - at * classes
        if self.decoder == "DeltaXYWHBBoxCoder":
            boxes = decode_deltas(priors[at], box[at], head.bbox_coder, inside)
        else:
            boxes = decode_distances(priors[at], box[at], head.bbox_coder, inside)
        if factor is not None:
            sure = sure * factor[0].permute(1, 2, 0).reshape(-1)[at].sigmoid()
        return boxes, sure, labels
