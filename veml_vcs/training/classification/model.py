"""The classifier as MMEngine trains it.

Importing this registers ``Classifier``, ``ResNet``, ``LinearHead``, ``CrossEntropyLoss``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseModel, BaseModule
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from veml_vcs.training.classification import networks

KEPT = 5
"""Classes that are kept of what is said of an image, the surest first."""


@MODELS.register_module(name="ResNet")
class ResNet(networks.ResNet, BaseModule):  # type: ignore[misc]
    """``networks.ResNet`` that may begin with published weights (``init_cfg``)."""

    def __init__(self, *args: Any, init_cfg: Any = None, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.init_cfg = init_cfg


@MODELS.register_module()
class CrossEntropyLoss(nn.Module):
    """The mean cross entropy of logits.

    Args:
        label_smoothing: Part of the truth that is spread over all classes (Szegedy et al. 2016).
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = float(label_smoothing)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return a scalar.

        Args:
            logits: float32 [B, classes].
            labels: int64 [B].
        """
        return cross_entropy(logits, labels, label_smoothing=self.label_smoothing)


@MODELS.register_module()
class LinearHead(nn.Module):
    """The mean of the features over the image, and a linear layer.

    Args:
        in_channels: Channels of the features; filled in by ``Classifier``.
        num_classes: Classes.
        loss: What is made small.
        dropout: Part of the features that is left out at each step of training.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        loss: Mapping[str, Any] | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.loss = MODELS.build(dict(loss or {"type": "CrossEntropyLoss"}))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(in_channels, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, float32 [B, classes], of features, float32 [B, C, h, w]."""
        logits: Tensor = self.fc(self.dropout(features.mean((2, 3))))
        return logits


@MODELS.register_module()
class Classifier(BaseModel):  # type: ignore[misc]
    """Tells which class an image is of.

    Args:
        backbone: ``ResNet``; it has ``out_channels``.
        head: ``LinearHead``.
        data_preprocessor: As of ``BaseModel``: ``ImgDataPreprocessor`` normalises.
        init_cfg: As of ``BaseModel``.
    """

    def __init__(
        self,
        backbone: Mapping[str, Any],
        head: Mapping[str, Any],
        data_preprocessor: Any = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(dict(backbone))
        channels = {"in_channels": self.backbone.out_channels}
        self.head = MODELS.build({**channels, **head})

    def forward(
        self,
        inputs: Any,
        label: Any = None,
        index: Any = None,
        mode: str = "tensor",
        data_samples: Any = None,
    ) -> Any:
        """Classify, as MMEngine asks for it.

        Args:
            inputs: float32 [B, 3, H, W], normalised.
            label: Class of each image.
            index: Position of each image.
            mode: ``loss``, ``predict`` or ``tensor``.
            data_samples: Nothing; ``ImgDataPreprocessor`` gives it along.

        Returns:
            ``{"loss": ...}``; a dict of ``index``, ``labels`` and ``scores`` of the surest classes
            each; or logits, float32 [B, classes].
        """
        del data_samples
        images = inputs if isinstance(inputs, Tensor) else torch.stack(list(inputs)).float()
        logits = self.head(self.backbone(images))
        if mode == "tensor":
            return logits
        if mode == "loss":
            truth = torch.as_tensor(label, dtype=torch.int64, device=logits.device)
            return {"loss": self.head.loss(logits, truth)}
        scores, labels = logits.softmax(1).sort(dim=1, descending=True, stable=True)
        scores, labels = scores[:, :KEPT].cpu().numpy(), labels[:, :KEPT].cpu().numpy()
        return [
            {"index": int(place), "labels": labels[row], "scores": scores[row]}
            for row, place in enumerate(index)
        ]
