"""A detector of two stages (Faster R-CNN) as one module that can be exported.

It calls the trained parts for everything that is learnt, and does between them, in operations that
can be exported, what MMDetection does when it predicts on one image.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from veml_vcs.deployment.detection.boxes import anchors, best, decode_deltas, large_enough
from veml_vcs.deployment.detection.image import ImageInput
from veml_vcs.deployment.detection.operators import Operators
from veml_vcs.deployment.detection.parts import other_nms, refuse_parts, require, step_of


class TwoStage(nn.Module):
    """A detector that proposes regions, and then looks at each.

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
        self.rpn, self.roi = model.rpn_head, model.roi_head
        self.rpn_test, self.roi_test = model.test_cfg.rpn, model.test_cfg.rcnn
        head, extractor = self.roi.bbox_head, self.roi.bbox_roi_extractor
        require("rpn_head", self.rpn, "_predict_by_feat_single", "RPNHead")
        require("rpn_head", self.rpn, "_bbox_post_process", "RPNHead")
        require("rpn_head.bbox_coder", self.rpn.bbox_coder, "decode", "DeltaXYWHBBoxCoder")
        require("rpn_head.anchor_generator", self.rpn.prior_generator,
                "single_level_grid_priors", "AnchorGenerator")  # fmt: skip
        require("roi_head", self.roi, "predict_bbox", "StandardRoIHead")
        require("roi_head", self.roi, "_bbox_forward", "StandardRoIHead")
        require("roi_head.bbox_head", head, "_predict_by_feat_single", "BBoxHead")
        require("roi_head.bbox_head.bbox_coder", head.bbox_coder, "decode", "DeltaXYWHBBoxCoder")
        require("roi_head.bbox_roi_extractor", extractor, "forward", "SingleRoIExtractor")
        refuse_parts(
            custom_activation=head.custom_cls_channels,
            no_box=not head.with_reg,
            max_pooling=any(one.pool_mode != "avg" for one in extractor.roi_layers),
            other_nms=other_nms(self.rpn_test.nms) or other_nms(self.roi_test.nms),
        )
        for place, base in enumerate(self.rpn.prior_generator.base_anchors):
            self.register_buffer(f"anchors_{place}", base.clone())

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detect objects in one image.

        Args:
            image: uint8 [height, width, 3], red first.

        Returns:
            float32 [n, 4]: x1, y1, x2, y2 in pixels of the image; float32 [n]: scores, the best
            first; int64 [n]: positions of classes.
        """
        values, inside, back = self.image(image)
        features = self.model.extract_feat(values)
        regions = self._proposals(features, inside)
        return self._look(features, regions, inside, back)

    def _proposals(self, features: tuple[Tensor, ...], inside: Tensor) -> Tensor:
        """Return float32 [n, 4]: where objects may be, in pixels of the prepared image."""
        scores, deltas = self.rpn(features)
        generator, most = self.rpn.prior_generator, self.rpn_test.get("nms_pre", -1)
        levels: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        for place, (score, delta) in enumerate(zip(scores, deltas, strict=True)):
            base = getattr(self, f"anchors_{place}")
            priors = anchors(score, generator.strides[place], base)
            delta = delta[0].permute(1, 2, 0).reshape(-1, 4)
            score = score[0].permute(1, 2, 0).reshape(-1, self.rpn.cls_out_channels)
            sure = score.sigmoid() if self.rpn.use_sigmoid_cls else score.softmax(-1)[:, :-1]
            sure = sure.reshape(-1)
            if most > 0:
                sure, order = sure.sort(descending=True)
                sure, order = sure[:most], order[:most]
                priors, delta = priors[order], delta[order]
            levels.append((priors, delta, sure, torch.full_like(sure, place).long()))
        priors, delta, sure, level = (torch.cat(each) for each in zip(*levels, strict=True))
        boxes = decode_deltas(priors, delta, self.rpn.bbox_coder, inside)
        fit = large_enough(boxes, self.rpn_test.get("min_bbox_size", -1))
        boxes, sure, level = boxes[fit], sure[fit], level[fit]
        kept = best(
            self.operators.suppress,
            boxes,
            sure,
            level,
            self.rpn_test.nms,
            self.rpn_test.max_per_img,
        )
        return boxes[kept]

    def _look(
        self, features: tuple[Tensor, ...], regions: Tensor, inside: Tensor, back: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        head = self.roi.bbox_head
        pooled = self._pool(features, regions)
        if self.roi.with_shared_head:
            pooled = self.roi.shared_head(pooled)
        score, delta = head(pooled)
        sure = score.softmax(-1)[:, :-1]
        classes = head.num_classes
        if head.reg_class_agnostic:
            boxes = decode_deltas(regions, delta, head.bbox_coder, inside) * back
            boxes = boxes.unsqueeze(1).expand(-1, classes, 4).reshape(-1, 4)
        else:
            each = regions.unsqueeze(1).expand(-1, classes, 4).reshape(-1, 4)
            boxes = decode_deltas(each, delta.reshape(-1, 4), head.bbox_coder, inside) * back
        labels = torch.arange(classes).unsqueeze(0).expand_as(sure).reshape(-1)
        sure = sure.reshape(-1)
        fit = (sure > self.roi_test.score_thr).nonzero().squeeze(1)
        boxes, sure, labels = boxes[fit], sure[fit], labels[fit]
        kept = best(
            self.operators.suppress,
            boxes,
            sure,
            labels,
            self.roi_test.nms,
            self.roi_test.max_per_img,
        )
        return boxes[kept], sure[kept], labels[kept]

    def _pool(self, features: tuple[Tensor, ...], regions: Tensor) -> Tensor:
        """Return the features of each region, from the level that fits its size (Lin et al. 2017).

        Levels are pooled one after the other and put back into the order of the regions.
        """
        extractor = self.roi.bbox_roi_extractor
        layers = extractor.roi_layers
        features = features[: extractor.num_inputs]
        rows = torch.cat([torch.zeros_like(regions[:, :1]), regions], 1)
        if len(features) == 1:
            return self._align(features[0], rows, layers[0])
        sides = regions[:, 2:] - regions[:, :2]
        size = torch.sqrt(sides[:, 0] * sides[:, 1])
        level = torch.floor(torch.log2(size / extractor.finest_scale + 1e-6))
        level = level.clamp(0, len(features) - 1).long()
        found, places = [], []
        for number, feature in enumerate(features):
            place = (level == number).nonzero().squeeze(1)
            places.append(place)
            found.append(self._align(feature, rows[place], layers[number]))
        order = torch.cat(places).argsort()
        return torch.cat(found)[order]

    def _align(self, feature: Tensor, rows: Tensor, layer: Any) -> Tensor:
        size = step_of(layer.output_size)
        return self.operators.align(
            feature, rows, size, layer.spatial_scale, layer.sampling_ratio, layer.aligned
        )
