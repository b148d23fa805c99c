"""One process that trains a classifier: its classes, and what it says of what is held back."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import torch

from veml_vcs.samples.facts import Annotation
from veml_vcs.training.class_rows import Shape
from veml_vcs.training.classification import data as _data  # noqa: F401 - they register
from veml_vcs.training.classification import metric as _metric  # noqa: F401
from veml_vcs.training.classification import model as _model  # noqa: F401
from veml_vcs.training.classification.adapt import TRANSFORMS
from veml_vcs.training.classification.samples import (
    ClassificationSamples,
    classification_samples,
)
from veml_vcs.training.classification.transforms import Pipeline
from veml_vcs.training.plan import Part
from veml_vcs.training.run import Run
from veml_vcs.training.runner import built_shapes, metric_of
from veml_vcs.training.watch import Watcher
from veml_vcs.versions.trainings import classes_said


class ClassificationRun(Run):
    """A training of a classifier."""

    own_types = TRANSFORMS

    train_samples: ClassificationSamples
    val_samples: ClassificationSamples

    def load(self, watcher: Watcher) -> tuple[ClassificationSamples, ClassificationSamples]:
        """Read the classes of both parts."""
        watcher.doing("reading classes")
        self.val_samples = self._samples(self.plan.val)
        if self.plan.train is self.plan.val:
            self.train_samples = self.val_samples  # nothing is trained: it is measured alone
            return self.train_samples, self.val_samples
        self.train_samples = self._samples(self.plan.train)
        absent = [name for name, count in self.train_samples.counts.items() if not count]
        if absent:
            watcher.note(f"no sample of {', '.join(absent)} is among what is trained on")
        return self.train_samples, self.val_samples

    def _samples(self, part: Part) -> ClassificationSamples:
        data = part.dataset(self.repo)
        said = data.annotations() if part.keys else {}
        return classification_samples(data, part.keys, said, self.plan.classes)

    def one_class_more(self) -> dict[str, Shape]:
        """Build the classifier once more, with one class more."""
        model = copy.deepcopy(self.plan.nested()["model"])
        model["head"]["num_classes"] += 1
        return built_shapes(model)

    def annotate(self, data: bytes, name: str) -> Annotation:
        """Return the surest classes of one image; see ``Run.annotate``."""
        model = self.runner.bare_model.eval()
        batch = {"inputs": [self._pipeline(data, name)], "label": [-1], "index": [0]}
        with torch.no_grad():
            said = model.val_step(batch)[0]
        return classes_said([self.plan.classes[one] for one in said["labels"]], said["scores"])

    @cached_property
    def _pipeline(self) -> Pipeline:
        """What is done to an image that is measured on."""
        return Pipeline(self.plan.nested()["val_dataloader"]["dataset"]["pipeline"])

    def predictions(self) -> dict[str, dict[str, Any]]:
        """Return the surest classes, by data set's folder and sample."""
        samples = self.val_samples
        return {
            self.plan.val.path: {
                samples.keys[one.index]: classes_said(
                    [samples.classes[label] for label in one.labels], one.scores
                )
                for one in metric_of(self.runner).said
            }
        }
