"""Average precision of detections, as COCO measures it, by pycocotools.

Importing this registers the metric; ``engine.prepare_engine`` comes first.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS
from numpy.typing import NDArray

from veml_vcs.training.adapt import METRIC
from veml_vcs.training.detection_samples import DetectionSamples
from veml_vcs.training.measured import Measured

METRICS_OF_COCO = {
    "mAP": 0, "mAP50": 1, "mAP75": 2, "mAP_small": 3, "mAP_medium": 4, "mAP_large": 5, "AR100": 8,
}  # fmt: skip
"""Name -> place in ``COCOeval.stats``. A size without a box has no value and is left out."""


@dataclass(frozen=True)
class Detections:
    """What a detector says of one sample.

    Attributes:
        index: Position of the sample.
        boxes: float64 [n, 4]: x1, y1, x2, y2 in pixels of the stored image.
        scores: float64 [n].
        labels: int64 [n].
    """

    index: int
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]

    @classmethod
    def of(
        cls, index: int, boxes: NDArray[Any], scores: NDArray[Any], labels: NDArray[Any]
    ) -> Detections:
        """Return what is in arrays of any precision."""
        return cls(
            index, boxes.astype(np.float64).reshape(-1, 4), scores.astype(np.float64),
            labels.astype(np.int64),
        )  # fmt: skip


@METRICS.register_module(name=METRIC)
class VemlDetectionMetric(BaseMetric):  # type: ignore[misc]
    """Measures detections against the boxes of a data version.

    Args:
        samples: What was held back.

    Attributes:
        detections: Those of the last measurement, by sample.
        measured: The last measurement.
    """

    default_prefix = None

    def __init__(self, samples: DetectionSamples, **rest: Any) -> None:
        super().__init__(**rest)
        self.samples = samples
        self.detections: tuple[Detections, ...] = ()
        self.measured = Measured({}, {})

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep what was found on a batch."""
        for one in data_samples:
            found = one["pred_instances"]
            said = (found[name] for name in ("bboxes", "scores", "labels"))
            arrays = (each.detach().cpu().numpy() for each in said)
            self.results.append(Detections.of(int(one["img_id"]), *arrays))

    def compute_metrics(self, results: Sequence[Detections]) -> dict[str, float]:
        """Return the metrics over all batches of all processes."""
        by_index = {one.index: one for one in results}
        self.detections = tuple(by_index[index] for index in sorted(by_index))
        self.measured = measure(self.samples, self.detections)
        return dict(self.measured.metrics)


def measure(samples: DetectionSamples, detections: Sequence[Detections]) -> Measured:
    """Compare detections with the boxes of samples (COCO's protocol; ignored boxes count for none).

    Args:
        samples: The truth.
        detections: What was found.

    Returns:
        mAP over IoU .5 to .95, at .5 and .75, by size (COCO's bounds, in pixels), and the recall
        with 100 detections an image; of each class AP, AP50, AR and the number of its boxes.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):  # both print how far they are
        truth = COCO()
        truth.dataset = _document(samples)
        truth.createIndex()
        found = COCO()
        found.dataset = {**truth.dataset, "annotations": _found(detections)}
        found.createIndex()
        judge = COCOeval(truth, found, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    stats = [float(one) for one in judge.stats]
    metrics = {name: stats[place] for name, place in METRICS_OF_COCO.items() if stats[place] >= 0}
    precision, recall = judge.eval["precision"], judge.eval["recall"]
    per_class = {}
    for place, name in enumerate(samples.classes):
        boxes = samples.boxes.get(name, 0)
        values = {"boxes": float(boxes)}
        if boxes:
            # [IoU, recall, class, size, most], sizes and numbers of detections: all, the largest.
            values["AP"] = _mean(precision[:, :, place, 0, -1])
            values["AP50"] = _mean(precision[0, :, place, 0, -1])
            values["AR100"] = _mean(recall[:, place, 0, -1])
        per_class[name] = values
    return Measured(metrics, per_class)


def _mean(values: NDArray[np.float64]) -> float:
    valid = values[values > -1]
    return float(valid.mean()) if valid.size else 0.0


def _document(samples: DetectionSamples) -> dict[str, Any]:
    """Return the truth as COCO has it. What nobody knows the class of is a crowd of each."""
    boxes: list[dict[str, Any]] = []
    for image, targets in enumerate(samples.targets):
        for one in targets:
            labels = range(len(samples.classes)) if one.label < 0 else (one.label,)
            left, top, right, bottom = one.box
            for label in labels:
                boxes.append({
                    "id": len(boxes) + 1, "image_id": image, "category_id": label,
                    "bbox": [left, top, right - left, bottom - top], "area": one.area,
                    "iscrowd": int(one.ignored), "ignore": int(one.ignored),
                })  # fmt: skip
    return {
        "images": [
            {"id": i, "width": size[0], "height": size[1]} for i, size in enumerate(samples.sizes)
        ],
        "categories": [{"id": i, "name": name} for i, name in enumerate(samples.classes)],
        "annotations": boxes,
    }


def _found(detections: Sequence[Detections]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in detections:
        for box, score, label in zip(one.boxes, one.scores, one.labels, strict=True):
            left, top, right, bottom = box.tolist()
            wide, high = right - left, bottom - top
            found.append({
                "id": len(found) + 1, "image_id": one.index, "category_id": int(label),
                "bbox": [left, top, wide, high], "area": wide * high, "score": float(score),
                "iscrowd": 0,
            })  # fmt: skip
    return found
