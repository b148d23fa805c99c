"""``veml training errors``, ``predict --errors``: what a detector gets wrong on a data version.

Only records, predictions and annotations are read; no network is run, and no engine is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from veml_vcs.analysis.confusion import Confusion
from veml_vcs.analysis.detection.average_precision import (
    SIZES,
    ImageBoxes,
    Precision,
    average_precision,
)
from veml_vcs.analysis.detection.confusion import ImageErrors, image_errors
from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.dataset import Sample
from veml_vcs.repository.records.said import Said, said_samples
from veml_vcs.samples.annotations import box_of, image_size
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.images import image_shape

_FARTHEST = 1e9
"""No image has a corner beyond, nor a detector a score."""


@dataclass(frozen=True)
class ClassErrors:
    """What is right and wrong about one class.

    Attributes:
        name: The class.
        truth: Number of its objects.
        ap: Average precision over IoU .50 to .95; NaN without objects.
        ap50: At IoU .50.
        ap75: At IoU .75.
        recall: Largest recall, mean over IoU .50 to .95.
        correct: Objects found, at the thresholds of the analysis.
        missed: Objects that no detection found, also where one is near.
        confused: Objects taken for another class.
        misplaced: Detections that overlap an object of the class, but not enough.
        duplicate: Detections of an object that was found already.
        invented: Detections where there is nothing.
    """

    name: str
    truth: int
    ap: float
    ap50: float
    ap75: float
    recall: float
    correct: int
    missed: int
    confused: int
    misplaced: int
    duplicate: int
    invented: int


@dataclass(frozen=True)
class SizeErrors:
    """How well objects of one size are found.

    Attributes:
        size: ``small`` (below 32 x 32 pixels), ``medium`` (below 96 x 96) or ``large``.
        truth: Number of objects.
        ap: Average precision, mean of the classes that have any.
        recall: As ``ap``.
    """

    size: str
    truth: int
    ap: float
    recall: float


@dataclass(frozen=True)
class WorstSample:
    """A sample with much that is wrong.

    Attributes:
        dataset: The data set's folder.
        key: The sample.
        wrong: How much: wrong detections, and objects missed.
        missed: Objects not found.
        confused: Objects taken for another class.
        misplaced: Detections not well placed.
        duplicate: Objects found again.
        invented: Detections of nothing.
    """

    dataset: str
    key: str
    wrong: int
    missed: int
    confused: int
    misplaced: int
    duplicate: int
    invented: int


@dataclass(frozen=True)
class DetectionErrors:
    """What a detector gets wrong.

    Attributes:
        kind: ``training`` or ``inference``.
        name: The version, as the user named it.
        version: Its version id.
        samples: How many samples it was asked about.
        score: Detections below are not counted one by one (they count in ``ap``).
        iou: An object is found from this IoU on.
        ap: Mean of the classes that have objects, over IoU .50 to .95.
        ap50: At IoU .50.
        ap75: At IoU .75.
        classes: Class by class.
        sizes: Size by size.
        confusions: Which classes are taken for which, the most frequent first.
        worst: The samples with most that is wrong, the worst first.
    """

    kind: str
    name: str
    version: VersionId
    samples: int
    score: float
    iou: float
    ap: float
    ap50: float
    ap75: float
    classes: tuple[ClassErrors, ...]
    sizes: tuple[SizeErrors, ...]
    confusions: tuple[Confusion, ...]
    worst: tuple[WorstSample, ...]


@dataclass(frozen=True)
class _Looked:
    dataset: str
    sample: Sample
    boxes: ImageBoxes
    errors: ImageErrors


def detection_errors(
    asked: Said, *, score: float = 0.3, iou: float = 0.5, worst: int = 10
) -> DetectionErrors:
    """Compare what a detector said of samples with what is true of them.

    Args:
        asked: What was said, and of what.
        score: Detections below are not counted one by one.
        iou: An object is found from this IoU on.
        worst: How many samples to name.

    Raises:
        NotFoundError: A sample is not in this clone.
        InvalidInputError: It is no detector, or a threshold is none.
    """
    if not (0 <= score <= 1 and 0 < iou <= 1):
        raise InvalidInputError(f"thresholds are from 0 to 1, found score {score:g}, IoU {iou:g}")
    if asked.task != "detection":
        raise InvalidInputError(f"{asked.name}: a {asked.task}, and no detector")
    samples = said_samples(asked)
    numbers = {name: i for i, name in enumerate(_class_names(asked, samples))}
    looked = []
    for dataset, sample, said in samples:
        boxes = boxes_of(sample.annotation, said, sample.key, _bytes_of(sample), numbers)
        looked.append(_Looked(dataset, sample, boxes, image_errors(boxes, score, iou)))
    names = list(numbers)
    images = [one.boxes for one in looked]
    whole = {i: average_precision(images, i) for i in range(len(names))}
    present = [one for one in whole.values() if one.truth]
    return DetectionErrors(
        asked.kind, asked.name, asked.version, len(looked), score, iou,
        _mean(one.ap for one in present), _mean(one.ap50 for one in present),
        _mean(one.ap75 for one in present),
        tuple(_class_errors(names[i], i, whole[i], looked) for i in range(len(names))),
        tuple(_size(size, images, len(names)) for size in SIZES if size != "all"),
        _confusions(names, looked),
        tuple(_worst(one) for one in _ranked(looked)[:worst]),
    )  # fmt: skip


def sample_pictures(
    asked: Said, found: DetectionErrors
) -> list[tuple[WorstSample, bytes, Annotation | None, Annotation]]:
    """Return the worst samples with their bytes, what is true of them, and what was said."""
    pictures = []
    for one in found.worst:
        sample = asked.data[one.dataset][one.key]
        said = asked.predictions[one.dataset][one.key]
        shown = [obj for obj in _objects(said) if _score(obj, one.key) >= found.score]
        pictures.append((one, sample.data, sample.annotation, {"objects": shown}))
    return pictures


def _class_names(asked: Said, samples: Sequence[tuple[str, Sample, Annotation]]) -> list[str]:
    """Return every class that is true or was said, in the order of the network, then by name."""
    seen = {
        str(obj.get("class"))
        for _, sample, said in samples
        for obj in (*_objects(sample.annotation), *_objects(said))
    }
    known = [name for name in asked.classes if name in seen]
    return known + sorted(seen - set(known))


def boxes_of(
    truth: Annotation | None,
    said: Annotation,
    key: str,
    data: Callable[[], bytes],
    numbers: dict[str, int],
) -> ImageBoxes:
    """Return truth and detections of one sample; objects without a box are left out.

    Args:
        truth: What is true of it.
        said: What was said.
        key: Its key, for messages.
        data: Reads its bytes, where nothing else tells how large the image is.
        numbers: Class -> its number; a class that is not there gets the next.

    Raises:
        DamagedError: A prediction has no score.
        FormatError: Nothing says how large the image is, and its bytes are no image.
    """
    about = truth if isinstance(truth, dict) else {}
    width, height = image_size(about)
    objects = _objects(about)
    if width is None and any("cxcywhn" in obj for obj in objects):
        width, height = image_shape(data())
    rows = [(obj, box) for obj in objects if (box := _box(obj, width, height)) is not None]
    found = [(obj, box) for obj in _objects(said) if (box := _box(obj)) is not None]

    def number(obj: Mapping[str, Any]) -> int:
        return numbers.setdefault(str(obj.get("class")), len(numbers))

    return ImageBoxes(
        _corners([box for _, box in rows]),
        np.array([number(obj) for obj, _ in rows], np.int64),
        np.array([_area(obj, box) for obj, box in rows], np.float64),
        np.array([obj.get("iscrowd") in (1, True, "1") for obj, _ in rows], np.bool_),
        _corners([box for _, box in found]),
        np.array([number(obj) for obj, _ in found], np.int64),
        np.array([_score(obj, key) for obj, _ in found], np.float64),
    )


def _objects(annotation: Any) -> list[Mapping[str, Any]]:
    """Return the objects of an annotation that may be a stranger's."""
    objects = annotation.get("objects") if isinstance(annotation, dict) else None
    return [one for one in objects if isinstance(one, dict)] if isinstance(objects, list) else []


def _box(
    obj: Mapping[str, Any], width: float | None = None, height: float | None = None
) -> Sequence[float] | None:
    """Return an object's box; None of one beyond any image, whose area would be no number."""
    box = box_of(obj, width, height)
    return None if box is None or max(map(abs, box)) > _FARTHEST else box


def _bytes_of(sample: Sample) -> Callable[[], bytes]:
    return lambda: sample.data


def _corners(boxes: Sequence[Sequence[float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([tuple(box) for box in boxes], np.float64).reshape(-1, 4)


def _area(obj: Mapping[str, Any], box: Sequence[float]) -> float:
    """Return an object's area as COCO measures it: as the data says, else that of its box."""
    area = obj.get("area")
    if isinstance(area, int | float) and not isinstance(area, bool) and 0 <= area < _FARTHEST**2:
        return float(area)
    return (box[2] - box[0]) * (box[3] - box[1])


def _score(obj: Mapping[str, Any], key: str) -> float:
    score = obj.get("score")
    if isinstance(score, bool) or not isinstance(score, int | float) or not abs(score) < _FARTHEST:
        raise DamagedError(f"a prediction of {key} has no score")
    return float(score)


def _mean(values: Any) -> float:
    known = [one for one in values if one == one]  # not NaN
    return float(np.mean(known)) if known else float("nan")


def _class_errors(
    name: str, number: int, precision: Precision, looked: Sequence[_Looked]
) -> ClassErrors:
    counts = dict.fromkeys(
        ("correct", "missed", "confused", "misplaced", "duplicate", "invented"), 0
    )
    for one in looked:
        truth, said, errors = one.boxes.truth_classes, one.boxes.classes, one.errors
        counts["correct"] += sum(truth[at] == number for at, _ in errors.correct)
        counts["confused"] += sum(truth[at] == number for at, _ in errors.confused)
        counts["missed"] += sum(truth[at] == number for at in errors.missed)
        for kind in ("misplaced", "duplicate", "invented"):
            counts[kind] += sum(said[at] == number for at in getattr(errors, kind))
    return ClassErrors(
        name, precision.truth, precision.ap, precision.ap50, precision.ap75, precision.recall,
        **{kind: int(count) for kind, count in counts.items()},
    )  # fmt: skip


def _size(size: str, images: Sequence[ImageBoxes], classes: int) -> SizeErrors:
    found = [average_precision(images, number, size) for number in range(classes)]
    present = [one for one in found if one.truth]
    return SizeErrors(
        size, sum(one.truth for one in found), _mean(one.ap for one in present),
        _mean(one.recall for one in present),
    )  # fmt: skip


def _confusions(names: Sequence[str], looked: Sequence[_Looked]) -> tuple[Confusion, ...]:
    counts: dict[tuple[int, int], int] = {}
    for one in looked:
        for at, said in one.errors.confused:
            pair = int(one.boxes.truth_classes[at]), int(one.boxes.classes[said])
            counts[pair] = counts.get(pair, 0) + 1
    order = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Confusion(names[a], names[b], count) for (a, b), count in order)


def _ranked(looked: Sequence[_Looked]) -> list[_Looked]:
    """Return the samples with anything wrong, the worst first."""
    wrong = [one for one in looked if one.errors.count]
    return sorted(wrong, key=lambda one: (-one.errors.count, one.dataset, one.sample.key))


def _worst(one: _Looked) -> WorstSample:
    errors = one.errors
    return WorstSample(
        one.dataset, one.sample.key, errors.count, len(errors.missed), len(errors.confused),
        len(errors.misplaced), len(errors.duplicate), len(errors.invented),
    )  # fmt: skip
