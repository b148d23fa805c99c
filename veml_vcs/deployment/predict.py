"""``veml predict``: what a network says of images, one by one; a broken image stops nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.deployment.inputs import Input, inputs_of
from veml_vcs.deployment.predictors import Predictor, opened_predictor
from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.said import Said
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.images import image_shape
from veml_vcs.training.held_back import tell_trained_on
from veml_vcs.training.labelled import labelled_samples
from veml_vcs.versions.trainings import parse_training_record

SCORE = 0.3
"""What is shown of a detector; of a data version all is kept for the analysis of errors."""


@dataclass(frozen=True)
class Prediction:
    """What was said of one image.

    Attributes:
        image: Its path, or folder and key of a data set.
        said: Objects (``class``, ``score``, ``xyxy`` in pixels as stored), or labels with scores;
            None where it could not be looked at.
        problem: Why not.
        source: Where it came from.
    """

    image: str
    said: Annotation | None
    problem: str = ""
    source: Input | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Predictions:
    """What was said of several images.

    Attributes:
        kind: ``inference`` or ``training``.
        name: Who said it, as the user named it.
        version: Its version id.
        task: ``detection`` or ``classification``.
        classes: Names of the classes.
        images: Image by image, in the order they were given.
        notes: What the user should know.
    """

    kind: str
    name: str
    version: VersionId
    task: str
    classes: tuple[str, ...]
    images: tuple[Prediction, ...]
    notes: tuple[str, ...] = ()

    @property
    def broken(self) -> tuple[Prediction, ...]:
        """Those that could not be looked at."""
        return tuple(one for one in self.images if one.said is None)

    def above(self, score: float) -> Predictions:
        """Return the same without detections that are less sure.

        Raises:
            InvalidInputError: It is no score.
        """
        if not 0 <= score <= 1:
            raise InvalidInputError(f"--score {score:g}: expected 0 to 1")
        if self.task != "detection":
            return self
        return Predictions(
            self.kind, self.name, self.version, self.task, self.classes,
            tuple(_above(one, score) for one in self.images), self.notes,
        )  # fmt: skip


def _above(one: Prediction, score: float) -> Prediction:
    if one.said is None:
        return one
    kept = [obj for obj in one.said["objects"] if obj["score"] >= score]
    return Prediction(one.image, {"objects": kept}, source=one.source)


def predict(
    repo: Repository,
    spec: str,
    given: Sequence[str],
    progress: Progress = silent,
    *,
    training: bool = False,
    threads: int = 0,
    trust: bool = False,
    annotated: bool = False,
) -> Predictions:
    """Ask an inference version, or a training's checkpoint, what is on images.

    Args:
        repo: The repository.
        spec: ``NAME`` or ``NAME@REV``: an inference version, or else a training.
        given: Files, folders, data versions.
        progress: Is told how many images are done.
        training: Ask the training of that name.
        threads: How many compute; 0: as the runtime thinks fit.
        trust: Run a TorchScript file.
        annotated: Ask only of samples of data versions whose annotations say what is true.

    Returns:
        Of every image what was said, or why nothing could be.

    Raises:
        NotFoundError: There is no such version, file, folder or data.
        MissingDependencyError: What runs it is not installed.
        InvalidInputError: It does not look at images; or ``annotated``, and none is.
    """
    notes: list[str] = []
    images = inputs_of(repo, given, notes)
    with opened_predictor(repo, spec, training=training, threads=threads, trust=trust) as predictor:
        if annotated:
            images = _annotated(repo, predictor, images, notes)
        progress("predicting", 0, len(images))
        found = []
        for done, one in enumerate(images):
            found.append(_said(predictor, one))
            progress("predicting", done + 1, len(images))
        return Predictions(
            predictor.kind, predictor.name, predictor.version, predictor.task, predictor.classes,
            tuple(found), tuple(notes),
        )  # fmt: skip


def _annotated(
    repo: Repository, predictor: Predictor, images: Sequence[Input], notes: list[str]
) -> tuple[Input, ...]:
    """Return the images of which it is known what is on them.

    Raises:
        InvalidInputError: One is of no data version, or none is known.
    """
    opened: dict[str, Dataset] = {}
    keys: dict[str, list[str]] = {}
    for one in images:
        data = one.data
        if data is None:
            raise InvalidInputError(
                f"{one.name}: is of no data version, so nothing says what is on it",
                hint="expected data versions, as veml data ls lists them",
            )
        if opened.setdefault(data.path, data).tree != data.tree:
            raise InvalidInputError(f"{data.path}: two versions of one data set; expected one")
        keys.setdefault(data.path, []).append(one.key)
    known: set[tuple[str, str]] = set()
    for path, data in opened.items():
        kept, blank = labelled_samples(predictor.task, path, keys[path], data.annotations())
        known |= {(path, key) for key in kept}
        if blank:
            notes.append(f"{path}: {blank} samples without annotation are left out")
        _tell_trained_on(repo, predictor, data, kept, notes)
    if not known:
        raise InvalidInputError(
            f"none of {len(images)} samples has labels to measure against",
            hint="veml data show DATA",
            kind="no-labels",
        )
    return tuple(
        one for one in images if one.data is not None and (one.data.path, one.key) in known
    )


def _tell_trained_on(
    repo: Repository, predictor: Predictor, data: Dataset, keys: Sequence[str], notes: list[str]
) -> None:
    name = predictor.training
    try:
        record = parse_training_record(repo.git.read_blob(name), name)
    except (NotFoundError, DamagedError, FormatError) as error:
        notes.append(f"whether samples were trained on cannot be told: {error.message}")
    else:
        tell_trained_on(repo, record, data, keys, notes)


def _said(predictor: Predictor, one: Input) -> Prediction:
    try:
        return Prediction(one.name, predictor.say(one.read(), one.name), source=one)
    except (FormatError, DamagedError) as error:
        return Prediction(one.name, None, error.message, one)


def document(found: Predictions) -> dict[str, Any]:
    """Return predictions as one JSON document."""
    return {
        "by": {"kind": found.kind, "name": found.name, "version": found.version},
        "task": found.task,
        "classes": list(found.classes),
        "images": [
            {"image": one.image, "problem": one.problem}
            if one.said is None
            else {"image": one.image, **one.said}
            for one in found.images
        ],
    }


def coco_bytes(found: Predictions) -> bytes:
    """Return detections as a COCO document: images, categories, annotations with a ``score``.

    Raises:
        InvalidInputError: These are no detections.
    """
    if found.task != "detection":
        raise InvalidInputError(f"{found.name}: COCO is for boxes; this is {found.task}")
    numbers = {name: place for place, name in enumerate(found.classes, 1)}
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for one in found.images:
        if one.said is None or one.source is None:
            continue
        width, height = image_shape(one.source.read())
        images.append(
            {"id": len(images) + 1, "file_name": one.image, "width": width, "height": height}
        )
        for obj in one.said["objects"]:
            left, top, right, bottom = obj["xyxy"]
            wide, high = right - left, bottom - top
            boxes.append({
                "id": len(boxes) + 1, "image_id": len(images), "category_id": numbers[obj["class"]],
                "bbox": [left, top, wide, high], "area": wide * high, "iscrowd": 0,
                "score": obj["score"],
            })  # fmt: skip
    categories = [{"id": place, "name": name} for name, place in numbers.items()]
    made = {"images": images, "categories": categories, "annotations": boxes}
    return (json.dumps(made, ensure_ascii=False, indent=1) + "\n").encode()


def csv_bytes(found: Predictions) -> bytes:
    """Return predictions as a table: a row a detection, or a row a class that is likely."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    boxes = found.task == "detection"
    rows.writerow(["image", "class", "score", *(("x1", "y1", "x2", "y2") if boxes else ())])
    for one in found.images:
        said = one.said or {}
        for obj in said.get("objects", ()):
            rows.writerow([one.image, obj["class"], obj["score"], *obj["xyxy"]])
        for name, score in said.get("scores", {}).items():
            rows.writerow([one.image, name, score])
    return text.getvalue().encode("utf-8", "surrogateescape")


def pictures(
    found: Predictions, most: int
) -> list[tuple[str, bytes, Annotation | None, Annotation]]:
    """Return images to be drawn: caption, bytes, what is true if it is known, what was said.

    Raises:
        InvalidInputError: There are no boxes to draw.
    """
    if found.task != "detection":
        raise InvalidInputError(f"{found.name}: of {found.task} there are no boxes to draw")
    rows: list[tuple[str, bytes, Annotation | None, Annotation]] = []
    for one in found.images:
        source = one.source
        if one.said is not None and source is not None and len(rows) < most:
            truth = None if source.data is None else source.data[source.key].annotation
            rows.append((one.image, source.read(), truth, one.said))
    return rows


def said_by(found: Predictions) -> Said:
    """Return what was said of data versions, for the analysis of errors.

    Args:
        found: Of ``predict`` with ``annotated``; images that could not be looked at are left out.

    Raises:
        InvalidInputError: No image could be looked at.
    """
    said: dict[str, dict[str, Annotation]] = {}
    data: dict[str, Dataset] = {}
    for one in found.images:
        if one.said is not None and one.source is not None and one.source.data is not None:
            path = one.source.data.path
            data[path] = one.source.data
            said.setdefault(path, {})[one.source.key] = one.said
    if not said:
        raise InvalidInputError(f"none of {len(found.images)} images can be looked at")
    return Said(found.kind, found.name, found.version, found.task, found.classes, said, data)
