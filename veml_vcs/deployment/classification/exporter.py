"""Classifiers, for ``exporter``: an image of any size goes in, probabilities come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from veml_vcs.deployment.answers import probabilities
from veml_vcs.deployment.classification.network import ClassifierNetwork
from veml_vcs.deployment.exporter import Exporter, Told
from veml_vcs.deployment.images import pixels_of
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.classification.metric import Said, measure
from veml_vcs.training.classification.model import KEPT
from veml_vcs.training.classification.run import ClassificationRun
from veml_vcs.training.measured import Measured
from veml_vcs.training.run import Run
from veml_vcs.versions.inferences.outcome import Parity
from veml_vcs.versions.trainings import classes_said

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORES = 0.02
"""What is allowed of a probability: resizing is two levels of brightness apart here and there."""


class ClassificationExporter(Exporter):
    """A classifier with the images that it is measured on.

    Args:
        run: Has the model with its weights, and the samples.
        tolerance: Of probabilities.

    Raises:
        FormatError: How images are prepared cannot be exported.
    """

    inputs: Mapping[str, tuple[str | int, ...]] = {"image": ("height", "width", 3)}

    def __init__(self, run: ClassificationRun, tolerance: float | None = None) -> None:
        self.run = run
        self.samples = run.val_samples
        self.tolerance = SCORES if tolerance is None else tolerance
        self.model = run.runner.bare_model.eval()
        self.pipeline = run.plan.nested()["val_dataloader"]["dataset"]["pipeline"]
        self.outputs = {"scores": (len(self.samples.classes),)}
        self.preprocess = {
            "image": "uint8 [height, width, 3], red first, as stored (EXIF is not applied)",
            "in_the_file": ClassifierNetwork(self.model, self.pipeline).told(),
        }
        self.postprocess = {"scores": "float32 [classes]: probabilities, in the classes' order"}

    @classmethod
    def of(cls, run: Run, tolerance: float | None) -> ClassificationExporter:
        """Return the exporter of a run of this task; see ``Exporter``."""
        assert isinstance(run, ClassificationRun)
        return cls(run, tolerance)

    def network(self, *, portable: bool) -> Any:
        """Return the classifier as one module; see ``Exporter``."""
        del portable  # it has PyTorch's own operators alone
        return ClassifierNetwork(self.model, self.pipeline).eval()

    def example(self) -> Any:
        """Return the first image."""
        return torch.from_numpy(self.values(0)["image"].copy())

    def checkpoint_answers(self, told: Told) -> Sequence[Said]:
        """Return what the engine's own pipeline and model say; see ``Exporter``."""
        found = []
        with torch.no_grad():
            for batch in self.run.runner.val_loop.dataloader:
                found += [
                    Said(one["index"], one["labels"], one["scores"])
                    for one in self.model.val_step(batch)
                ]
                told(len(found), len(self))
        return sorted(found, key=lambda one: one.index)

    def values(self, index: int) -> dict[str, NDArray[np.uint8]]:
        """Return the pixels of a sample; see ``Exporter``."""
        samples = self.samples
        return {"image": pixels_of(samples.read(index), samples.keys[index])}

    def answer(self, index: int, found: Mapping[str, NDArray[Any]]) -> Said:
        """Return the surest classes; see ``Exporter``."""
        samples = self.samples
        scores = probabilities(found, len(samples.classes), samples.keys[index])
        order = np.argsort(-scores, kind="stable")[:KEPT]
        return Said(index, order.astype(np.int64), scores[order].astype(np.float32))

    def compare(self, checkpoint: Sequence[Said], file: Sequence[Said]) -> Parity:
        """Compare probabilities, and which class is the surest; see ``Exporter``."""
        apart, other = 0.0, 0
        for old, new in zip(checkpoint, file, strict=True):
            known = dict(zip(new.labels.tolist(), new.scores.tolist(), strict=True))
            for label, score in zip(old.labels.tolist(), old.scores.tolist(), strict=True):
                apart = max(apart, abs(score - known[label]) if label in known else 0.0)
            sure = float(old.scores[0] - old.scores[1]) if len(old.scores) > 1 else 1.0
            other += int(old.labels[0] != new.labels[0] and sure > 2 * self.tolerance)
        return Parity({"scores": apart}, {"scores": self.tolerance}, len(checkpoint), other)

    def measure(self, answers: Sequence[Said]) -> Measured:
        """Return accuracy, precision and recall; see ``Exporter``."""
        return measure(self.samples, answers)

    def predictions(self, answers: Sequence[Said]) -> dict[str, Annotation]:
        """Return the surest classes by sample; see ``Exporter``."""
        samples = self.samples
        return {
            samples.keys[one.index]: classes_said(
                [samples.classes[label] for label in one.labels], one.scores
            )
            for one in answers
        }

    def __len__(self) -> int:
        return len(self.samples)
