"""Everything that a finished run knows: what is written as a training version."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from veml_vcs.errors import InvalidInputError
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.trainings.uses import DataUse, Initial, ModelUse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from veml_vcs.samples.tensors import Checkpoint

Task = Literal["detection", "classification", "forecasting"]
TASKS: tuple[Task, ...] = ("detection", "classification", "forecasting")
Status = Literal["complete", "partial"]
STATUSES: tuple[Status, ...] = ("complete", "partial")


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """What a training version says besides its heavy parts: the outcome and the record both do.

    Attributes:
        task: What was learnt.
        model: The model version.
        data: Which data versions were used, and for what; at least one.
        config: The final config that ran, in its flat form (``versions.configs.flat``), without
            what is the machine's: work folder, workers, paths.
        initial: The weights that it began with.
        status: ``complete`` or ``partial``.
        seed: What all random numbers came from.
        determinism: What was switched on for equal runs, flat JSON values.
        libraries: Name -> version of what computed it.
        epochs: Epochs that were run through.
        iterations: Steps of the optimiser.
        metrics: Name -> number, measured on the data with the role ``val``.
        per_class: Class -> name -> number.
        transferred_from: The lifecycle that this one was taken from, flat JSON values.
        rebuilt_from: The training that was rebuilt, flat JSON values.
        derived: How the weights were made, if not by training: ``operation``, ``arguments``,
            ``from``.
    """

    task: Task
    model: ModelUse
    data: tuple[DataUse, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    initial: Initial = field(default_factory=Initial)
    status: Status = "complete"
    seed: int | None = None
    determinism: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    iterations: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    transferred_from: Mapping[str, Any] = field(default_factory=dict)
    rebuilt_from: Mapping[str, Any] = field(default_factory=dict)
    derived: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome(TrainingFacts):
    """A run that ended, or was stopped and is worth keeping.

    Attributes:
        checkpoint: The weights, and nothing else: no state of an optimiser.
        parameters: How many numbers were learnt; None where nobody counted them.
        log: Column -> numbers, all of one length; NaN where a row says nothing (``log_columns``).
            ``iteration`` and ``epoch`` say where a row stands. No times: equal runs are equal.
        predictions: Data set's folder -> sample's key -> what the network says of it, as an
            annotation (``detections`` makes those of boxes, ``classes_said`` those of classes).
    """

    checkpoint: Checkpoint
    parameters: int | None = None
    log: Mapping[str, Sequence[float]] = field(default_factory=dict)
    predictions: Mapping[str, Mapping[str, Annotation]] = field(default_factory=dict)


def log_columns(rows: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the columns of a log, from rows that each say some of them.

    Args:
        rows: What was said, in the order it was said.

    Returns:
        Column -> a number a row, NaN where the row says nothing of it.
    """
    every = list(rows)
    names = dict.fromkeys(name for row in every for name in row)
    return {name: [float(row.get(name, float("nan"))) for row in every] for name in names}


def detections(
    boxes: NDArray[np.floating[Any]], scores: NDArray[np.floating[Any]], classes: Sequence[str]
) -> Annotation:
    """Return what a detector says of one image, as an annotation; the best first.

    Args:
        boxes: float [n, 4]: x1, y1, x2, y2 in pixels of the image as it is stored.
        scores: float [n], 0 to 1.
        classes: n names.

    Raises:
        InvalidInputError: Lengths differ, or a number is not finite.
    """
    import numpy as np

    corners, sure = np.asarray(boxes, np.float64), np.asarray(scores, np.float64)
    count = len(classes)
    if corners.size == 0 and not count:
        corners = corners.reshape(0, 4)
    if corners.shape != (count, 4) or sure.shape != (count,):
        raise InvalidInputError(
            f"detections: {count} classes, boxes of shape {corners.shape}, scores of {sure.shape}"
        )
    if not (np.isfinite(corners).all() and np.isfinite(sure).all()):
        raise InvalidInputError("detections: a box or a score is not finite")
    order = np.argsort(-sure, kind="stable")
    return {
        "objects": [
            {"class": str(classes[i]), "score": float(sure[i]), "xyxy": corners[i].tolist()}
            for i in order.tolist()
        ]
    }


def classes_said(names: Sequence[str], scores: Iterable[float]) -> Annotation:
    """Return what a classifier says of one image, as an annotation.

    Args:
        names: The surest classes, the surest first; at least one.
        scores: The probability of each, 0 to 1; kept to 6 digits.

    Raises:
        InvalidInputError: Lengths differ, or a number is not finite.
    """
    sure = [round(float(one), 6) for one in scores]
    if not names or len(names) != len(sure) or not all(map(math.isfinite, sure)):
        raise InvalidInputError(f"classes said: {len(names)} names, scores {sure!r:.80}")
    pairs = zip(map(str, names), sure, strict=True)
    return {"labels": [str(names[0])], "scores": dict(pairs)}
