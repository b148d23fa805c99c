"""How often a classifier is right, over all and by class. Importing this registers the metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS
from numpy.typing import NDArray

from veml_vcs.training.classification.adapt import METRIC
from veml_vcs.training.classification.samples import ClassificationSamples
from veml_vcs.training.measured import Measured


@dataclass(frozen=True)
class Said:
    """What a classifier says of one sample.

    Attributes:
        index: Position of the sample.
        labels: int64 [k]: the surest classes, the surest first.
        scores: float32 [k]: their probabilities.
    """

    index: int
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]


@METRICS.register_module(name=METRIC)
class VemlClassificationMetric(BaseMetric):  # type: ignore[misc]
    """Measures what a classifier says against the classes of a data version.

    Args:
        samples: What was held back.

    Attributes:
        said: That of the last measurement, by sample.
        measured: The last measurement.
    """

    default_prefix = None

    def __init__(self, samples: ClassificationSamples, **rest: Any) -> None:
        super().__init__(**rest)
        self.samples = samples
        self.said: tuple[Said, ...] = ()
        self.measured = Measured()

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep what was said of a batch."""
        del data_batch
        self.results += [Said(one["index"], one["labels"], one["scores"]) for one in data_samples]

    def compute_metrics(self, results: Sequence[Said]) -> dict[str, float]:
        """Return the metrics over all batches of all processes."""
        by_index = {one.index: one for one in results}
        self.said = tuple(by_index[index] for index in sorted(by_index))
        self.measured = measure(self.samples, self.said)
        return dict(self.measured.metrics)


def measure(samples: ClassificationSamples, said: Sequence[Said]) -> Measured:
    """Compare what was said of samples with their classes.

    Args:
        samples: The truth.
        said: What was said.

    Returns:
        Over the samples that have a class (nothing, where none has): ``accuracy``;
        ``accuracy_top5`` (the class is among the five surest) where there are more than five;
        ``precision``, ``recall`` and ``F1``, means of the classes that have samples. Of each class
        the number of its samples, precision (where it was said), recall and F1.
    """
    classes = len(samples.classes)
    said = [one for one in said if samples.labels[one.index] >= 0]
    if not said:
        return Measured()
    truth = np.array([samples.labels[one.index] for one in said], np.int64)
    best = np.array([one.labels[0] for one in said], np.int64)
    right = truth == best
    metrics = {"accuracy": float(right.mean())}
    if classes > 5:
        among = [samples.labels[one.index] in one.labels for one in said]
        metrics["accuracy_top5"] = float(np.mean(among))
    hits = np.bincount(truth[right], minlength=classes)
    there = np.bincount(truth, minlength=classes)
    named = np.bincount(best, minlength=classes)
    per_class = {}
    for place, name in enumerate(samples.classes):
        values = {"samples": float(there[place])}
        if named[place]:
            values["precision"] = float(hits[place] / named[place])
        if there[place]:
            values["recall"] = float(hits[place] / there[place])
            values["F1"] = float(2 * hits[place] / (there[place] + named[place]))
        per_class[name] = values
    present = [one for one in per_class.values() if one["samples"]]
    for name in ("precision", "recall", "F1"):
        metrics[name] = float(np.mean([one.get(name, 0.0) for one in present]))
    return Measured(metrics, per_class)
