"""One process that trains a classifier: its classes, and what it says of what is held back."""

from __future__ import annotations

from typing import Any

from veml_vcs.training.classification import data, metric, model  # noqa: F401 - they register
from veml_vcs.training.classification.adapt import TRANSFORMS
from veml_vcs.training.classification.samples import (
    ClassificationSamples,
    classification_samples,
)
from veml_vcs.training.run import Run
from veml_vcs.training.runner import metric_of
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
        parts = []
        for part in (self.plan.train, self.plan.val):
            version = part.dataset(self.repo)
            annotations = version.annotations()
            parts.append(classification_samples(version, part.keys, annotations, self.plan.classes))
        self.train_samples, self.val_samples = parts
        absent = [name for name, count in self.train_samples.counts.items() if not count]
        if absent:
            watcher.note(f"no sample of {', '.join(absent)} is among what is trained on")
        return self.train_samples, self.val_samples

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
