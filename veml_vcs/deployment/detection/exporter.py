"""Detectors, for ``exporter``: an image of any size goes in, boxes in its own pixels come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from veml_vcs.deployment.answers import boxes_scores_labels
from veml_vcs.deployment.detection.image import ImageInput
from veml_vcs.deployment.detection.operators import Operators
from veml_vcs.deployment.detection.operators import portable as portable_operators
from veml_vcs.deployment.detection.parity import PIXELS, SCORES, Choice, compare
from veml_vcs.deployment.detection.parts import cannot_export, owner
from veml_vcs.deployment.detection.preprocessing import preprocessing_of
from veml_vcs.deployment.detection.single_stage import SingleStage
from veml_vcs.deployment.detection.two_stage import TwoStage
from veml_vcs.deployment.exporter import Exporter, Told
from veml_vcs.deployment.images import pixels_of
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.detection_metric import Detections, measure
from veml_vcs.training.detection_run import DetectionRun
from veml_vcs.training.measured import Measured
from veml_vcs.training.run import Run
from veml_vcs.versions.inferences.outcome import Parity
from veml_vcs.versions.trainings import detections

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NETWORKS = {"TwoStageDetector": TwoStage, "SingleStageDetector": SingleStage}


class DetectionExporter(Exporter):
    """A detector with the images that it is measured on.

    Args:
        run: Has the model with its weights, and the samples.
        pixels: Tolerance of corners.

    Raises:
        FormatError: Something of the model, or of how images are prepared, cannot be exported.
    """

    inputs: Mapping[str, tuple[str | int, ...]] = {"image": ("height", "width", 3)}
    outputs: Mapping[str, tuple[str | int, ...]] = {
        "boxes": ("objects", 4), "scores": ("objects",), "labels": ("objects",),
    }  # fmt: skip

    def __init__(self, run: DetectionRun, pixels: float = PIXELS) -> None:
        self.run = run
        self.samples = run.val_samples
        self.pixels = pixels
        self.model = run.runner.bare_model.eval()
        self.how = preprocessing_of(run.plan.nested())
        kind = _NETWORKS.get(owner(self.model, "predict"))
        if kind is None:
            raise cannot_export(
                f"the model is {type(self.model).__name__}, which predicts in a way of its own"
            )
        self._kind = kind
        self.network(portable=False)  # refuses what cannot be exported, before anything is run
        said = self.model.test_cfg
        said = said.get("rcnn", said)
        self.choice = Choice(float(said.get("score_thr", 0)), int(said.get("max_per_img", -1)))
        self.preprocess = {
            "image": "uint8 [height, width, 3], red first, as stored (EXIF is not applied)",
            "in_the_file": self.how.told(),
        }
        self.postprocess = {
            "boxes": "x1, y1, x2, y2 in pixels of the image", "score": self.choice.score,
            "most": self.choice.most,
        }  # fmt: skip

    @classmethod
    def of(cls, run: Run, tolerance: float | None) -> DetectionExporter:
        """Return the exporter of a run of this task; see ``Exporter``."""
        assert isinstance(run, DetectionRun)
        return cls(run, PIXELS if tolerance is None else tolerance)

    def network(self, *, portable: bool) -> Any:
        """Return the detector as one module; see ``Exporter``."""
        operators = portable_operators() if portable else Operators()
        return self._kind(self.model, ImageInput(self.how), operators).eval()

    def example(self) -> Any:
        """Return the first image."""
        return torch.from_numpy(self.values(0)["image"].copy())

    def checkpoint_answers(self, told: Told) -> Sequence[Detections]:
        """Return what the engine's own pipeline and model say; see ``Exporter``."""
        found = []
        with torch.no_grad():
            for batch in self.run.runner.val_loop.dataloader:
                for one in self.model.val_step(batch):
                    seen = one.pred_instances
                    arrays = (
                        each.cpu().numpy() for each in (seen.bboxes, seen.scores, seen.labels)
                    )
                    found.append(Detections.of(int(one.img_id), *arrays))
                    told(len(found), len(self))
        return sorted(found, key=lambda one: one.index)

    def values(self, index: int) -> dict[str, NDArray[np.uint8]]:
        """Return the pixels of a sample; see ``Exporter``."""
        samples = self.samples
        return {"image": pixels_of(samples.read(index), samples.keys[index])}

    def answer(self, index: int, found: Mapping[str, NDArray[Any]]) -> Detections:
        """Return the boxes that a file found; see ``Exporter``."""
        samples = self.samples
        return Detections(
            index, *boxes_scores_labels(found, len(samples.classes), samples.keys[index])
        )

    def compare(self, checkpoint: Sequence[Detections], file: Sequence[Detections]) -> Parity:
        """Compare box by box; see ``Exporter``."""
        return compare(checkpoint, file, self.choice, self.pixels, SCORES)

    def measure(self, answers: Sequence[Detections]) -> Measured:
        """Return COCO's average precision; see ``Exporter``."""
        return measure(self.samples, answers)

    def predictions(self, answers: Sequence[Detections]) -> dict[str, Annotation]:
        """Return the boxes by sample; see ``Exporter``."""
        samples = self.samples
        return {
            samples.keys[one.index]: detections(
                one.boxes, one.scores, [samples.classes[label] for label in one.labels]
            )
            for one in answers
        }

    def __len__(self) -> int:
        return len(self.samples)
