"""The samples that a classifier learns from: images and their classes, in the store.

No engine in here: which samples count, and what has to be refused. What the engine is given of
them is in ``data``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.images import image_shape


@dataclass(frozen=True)
class ClassificationSamples:
    """Samples of a data version, with their classes. Safe to hand to worker processes.

    Attributes:
        data: The samples, in order.
        classes: Names; labels are positions in it.
        keys: The samples' keys.
        labels: The class of each; -1 where nobody said one.
        sizes: Width and height of each image, pixels, as its own header says.
        counts: Class -> how many samples are of it.
    """

    data: Dataset
    classes: tuple[str, ...]
    keys: tuple[str, ...]
    labels: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    def __deepcopy__(self, _memo: Any) -> ClassificationSamples:
        return self  # the engine copies configs, and with them what stands in them

    def read(self, index: int) -> bytes:
        """Return the bytes of a sample, checked against its id."""
        return self.data[self.keys[index]].data


def refuse_without_labels(path: str, facts: Facts) -> None:
    """Refuse a data set that no classifier can learn from, before anything of it is read.

    Raises:
        InvalidInputError: It is of another task.
    """
    if facts.task == "classification":
        return
    kinds = {"detection": "has boxes", "none": "has no labels"}
    raise InvalidInputError(
        f"{path}: a classifier learns from one class for each image; this data set "
        f"{kinds.get(facts.task, 'is of the task ' + facts.task)} (format {facts.format})",
        hint="a detector learns from boxes: veml model template faster-rcnn-small"
        if facts.task == "detection"
        else f"veml data show {path}; images in folders by class: docs/formats.md",
        kind="no-labels",
    )


def labelled(
    path: str, keys: Sequence[str], annotations: Mapping[str, Annotation]
) -> tuple[tuple[str, ...], int]:
    """Return the samples that have a class, and the number of the others.

    Raises:
        InvalidInputError: A sample has several classes.
    """
    kept = []
    for key in keys:
        labels = annotations.get(key, {}).get("labels") or []
        if len(labels) > 1:
            raise InvalidInputError(
                f"{path}/{key}: {len(labels)} classes ({', '.join(map(str, labels))[:80]}); a "
                "classifier learns one for each image",
                kind="several-classes",
            )
        if labels:
            kept.append(key)
    return tuple(kept), len(keys) - len(kept)


def classification_samples(
    data: Dataset,
    keys: Sequence[str],
    annotations: Mapping[str, Annotation],
    classes: Sequence[str],
) -> ClassificationSamples:
    """Read the classes of samples, and the heads of their images.

    Args:
        data: The data version.
        keys: Which of its samples.
        annotations: What is said of each.
        classes: The classes that are told apart, in order.

    Raises:
        FormatError: A sample is no image.
        InvalidInputError: A sample is of a class that is not among them.
    """
    if not keys:  # of nothing, nothing is read: the data need not be here
        return ClassificationSamples(data, tuple(classes), (), (), (), dict.fromkeys(classes, 0))
    positions = {name: i for i, name in enumerate(classes)}
    labels, sizes = [], []
    chosen = data[list(keys)]
    for key in keys:
        said = annotations.get(key, {}).get("labels") or [None]
        name = None if said[0] is None else str(said[0])
        if name is not None and name not in positions:
            raise InvalidInputError(
                f"{data.path}/{key}: of the class {name!r:.80}; the classes that are trained are "
                f"{', '.join(positions)}",
                hint="--val takes a data version that has no other classes than --data",
                kind="unknown-class",
            )
        labels.append(-1 if name is None else positions[name])
        try:
            sizes.append(image_shape(chosen[key].data))
        except FormatError as error:
            raise FormatError(f"{data.path}/{key}: {error.message}", kind=error.kind) from error
    found = Counter(labels)
    counts = {name: found[place] for place, name in enumerate(classes)}
    return ClassificationSamples(
        chosen, tuple(classes), tuple(keys), tuple(labels), tuple(sizes), counts
    )
