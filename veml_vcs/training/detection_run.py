"""One process that trains a detector: its boxes, and what it finds on what is held back."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import torch
from mmcv.transforms import Compose
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation
from veml_vcs.training import detection_data, detection_metric  # noqa: F401 - they register
from veml_vcs.training.adapt import fit_heads
from veml_vcs.training.detection_metric import Detections
from veml_vcs.training.detection_samples import DetectionSamples, detection_samples
from veml_vcs.training.plan import Part
from veml_vcs.training.run import Run
from veml_vcs.training.runner import built_shapes, metric_of, tuples
from veml_vcs.training.watch import Watcher
from veml_vcs.versions.trainings import detections


class DetectionRun(Run):
    """A training of a detector."""

    train_samples: DetectionSamples
    val_samples: DetectionSamples

    def load(self, watcher: Watcher) -> tuple[DetectionSamples, DetectionSamples]:
        """Read the boxes of both parts.

        Raises:
            InvalidInputError: No sample that is trained on has a box.
        """
        watcher.doing("reading boxes")
        self.val_samples = self._samples(self.plan.val)
        if self.plan.train is self.plan.val:
            self.train_samples = self.val_samples  # nothing is trained: it is measured alone
        else:
            self.train_samples = self._samples(self.plan.train)
            self._refuse_empty(watcher)
        return self.train_samples, self.val_samples

    def _samples(self, part: Part) -> DetectionSamples:
        data = part.dataset(self.repo)
        said = data.annotations() if part.keys else {}
        return detection_samples(data, part.keys, said, self.plan.classes)

    def _refuse_empty(self, watcher: Watcher) -> None:
        boxes = self.train_samples.boxes
        if not any(boxes.values()):
            raise InvalidInputError(
                f"{self.plan.train.path}: no sample that is trained on has a box",
                hint="another --seed or --val-split draws others",
                kind="no-labels",
            )
        absent = [name for name, count in boxes.items() if not count]
        if absent:
            watcher.note(f"no box of {', '.join(absent)} is among what is trained on")

    def one_class_more(self) -> dict[str, tuple[int, ...]]:
        """Build the detector once more, with one class more."""
        model = copy.deepcopy(self.plan.nested()["model"])
        list(fit_heads(model, len(self.plan.classes) + 1))
        return built_shapes(model)

    def annotate(self, data: bytes, name: str) -> Annotation:
        """Return the boxes of one image; see ``Run.annotate``."""
        sample = {"img_bytes": data, "img_path": name, "img_id": 0, "instances": []}
        model = self.runner.bare_model.eval()
        with torch.no_grad():
            found = model.test_step(pseudo_collate([self._pipeline(sample)]))[0].pred_instances
        said = Detections.of(
            0, *(one.cpu().numpy() for one in (found.bboxes, found.scores, found.labels))
        )
        names = [self.plan.classes[label] for label in said.labels]
        return detections(said.boxes, said.scores, names)

    @cached_property
    def _pipeline(self) -> Compose:
        """What is done to an image that is measured on."""
        init_default_scope("mmdet")
        return Compose(tuples(self.plan.nested()["val_dataloader"]["dataset"]["pipeline"]))

    def predictions(self) -> dict[str, dict[str, Any]]:
        """Return the boxes that were found, by data set's folder and sample."""
        samples = self.val_samples
        return {
            self.plan.val.path: {
                samples.keys[one.index]: detections(
                    one.boxes, one.scores, [samples.classes[label] for label in one.labels]
                )
                for one in metric_of(self.runner).detections
            }
        }
