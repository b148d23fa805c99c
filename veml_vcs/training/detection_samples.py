"""The samples that a detector learns from: images and boxes of a data version, in the store.

No engine in here: what a sample says, which of it counts, and what has to be refused. What the
engine is given of it is in ``detection_data``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.samples.annotations import box_of, objects_of
from veml_vcs.samples.facts import Annotation, Facts
from veml_vcs.samples.images import image_shape

_SMALLEST = 1.0
"""Pixels. A box that is smaller on a side is none, as in MMDetection."""

_IGNORED_CLASSES = {"kitti": frozenset({"DontCare"})}
"""Classes that mark regions where nobody looked, by format."""


@dataclass(frozen=True)
class Target:
    """One box.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the image as it is stored, within it.
        label: Position of its class; -1 where nobody said one.
        ignored: It stands for a crowd, for something hard to see, or for an unknown: whoever finds
            it is neither right nor wrong.
        area: Square pixels: what the source says, else that of the box.
    """

    box: tuple[float, float, float, float]
    label: int
    ignored: bool
    area: float


@dataclass(frozen=True)
class DetectionSamples:
    """Samples of a data version, with their boxes. Safe to hand to worker processes.

    Attributes:
        data: The samples, in order.
        classes: Names; labels are positions in it.
        keys: The samples' keys.
        sizes: Width and height of each image, pixels, as its own header says.
        targets: The boxes of each.
    """

    data: Dataset
    classes: tuple[str, ...]
    keys: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    targets: tuple[tuple[Target, ...], ...]
    boxes: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    def __deepcopy__(self, _memo: Any) -> DetectionSamples:
        return self  # the engine copies configs, and with them what stands in them

    def read(self, index: int) -> bytes:
        """Return the bytes of a sample, checked against its id."""
        return self.data[self.keys[index]].data


def trained_classes(facts: Facts) -> tuple[str, ...]:
    """Return the classes that a detector of a data set tells apart."""
    ignored = _IGNORED_CLASSES.get(facts.format, frozenset())
    return tuple(one.name for one in facts.classes if one.name not in ignored)


def refuse_without_boxes(path: str, facts: Facts, classes: Sequence[str]) -> None:
    """Refuse a data set that no detector can learn from, before anything of it is read.

    Raises:
        InvalidInputError: It is of another task, or has no class.
    """
    if facts.task == "detection" and classes:
        return
    kinds = {
        "classification": "has a class for each image and no boxes",
        "none": "has no labels",
        "detection": "has boxes, but no class",
    }
    raise InvalidInputError(
        f"{path}: a detector learns from boxes; this data set "
        f"{kinds.get(facts.task, 'is of the task ' + facts.task)} (format {facts.format})",
        hint="a classifier learns from classes: veml model template resnet-small"
        if facts.task == "classification"
        else f"veml data show {path}",
        kind="no-labels",
    )


def labelled(
    keys: Sequence[str], annotations: Mapping[str, Annotation]
) -> tuple[tuple[str, ...], int]:
    """Return the samples of which something is said, and the number of the others.

    Of an image without annotation nobody knows what is on it; to learn that nothing is would be
    wrong. An image whose annotation says that there is nothing is kept. That a list of a split
    names an image is no annotation.
    """
    kept = tuple(key for key in keys if "objects" in annotations.get(key, {}))
    return kept, len(keys) - len(kept)


def detection_samples(
    data: Dataset,
    keys: Sequence[str],
    annotations: Mapping[str, Annotation],
    classes: Sequence[str],
) -> DetectionSamples:
    """Read the boxes of samples, and the sizes of their images.

    Args:
        data: The data version.
        keys: Which of its samples.
        annotations: What is said of each; of one without, that is nothing.
        classes: The classes that are told apart, in order.

    Raises:
        FormatError: A sample is no image, or its annotation is malformed.
        InvalidInputError: A box is of a class that is not among them.
    """
    if not keys:  # of nothing, nothing is read: the data need not be here
        return DetectionSamples(data, tuple(classes), (), (), (), dict.fromkeys(classes, 0))
    positions = {name: i for i, name in enumerate(classes)}
    ignored = _IGNORED_CLASSES.get(data.facts.format, frozenset())
    sizes, every = [], []
    boxes: Counter[str] = Counter()
    chosen = data[list(keys)]
    for key in keys:
        try:
            width, height = image_shape(chosen[key].data)
            found = _targets(annotations.get(key, {}), width, height, positions, ignored)
        except InvalidInputError as error:
            if error.kind == "unknown-class":
                raise InvalidInputError(
                    f"{data.path}/{key}: {error.message}", hint=error.hint, kind=error.kind
                ) from error
            raise FormatError(f"{data.path}/{key}: {error.message}") from error
        except FormatError as error:
            raise FormatError(f"{data.path}/{key}: {error.message}", kind=error.kind) from error
        sizes.append((width, height))
        every.append(found)
        boxes.update(classes[one.label] for one in found if not one.ignored)
    counts = {name: boxes[name] for name in classes}
    return DetectionSamples(chosen, tuple(classes), tuple(keys), tuple(sizes), tuple(every), counts)


def _targets(
    said: Annotation,
    width: int,
    height: int,
    positions: Mapping[str, int],
    ignored: frozenset[str],
) -> tuple[Target, ...]:
    found = []
    for obj in objects_of(said):
        corners = box_of(obj, width, height)
        if corners is None:
            continue
        left, right = (min(max(one, 0.0), float(width)) for one in corners[0::2])
        top, bottom = (min(max(one, 0.0), float(height)) for one in corners[1::2])
        if right - left < _SMALLEST or bottom - top < _SMALLEST:
            continue
        name = obj.get("class")
        out = name is None or name in ignored
        if not out and name not in positions:
            raise InvalidInputError(
                f"a box of the class {name!r:.80}; the classes that are trained are "
                f"{', '.join(positions)}",
                hint="--val takes a data version that has no other classes than --data",
                kind="unknown-class",
            )
        area = obj.get("area")
        size = (right - left) * (bottom - top)
        found.append(
            Target(
                (left, top, right, bottom),
                -1 if out else positions[str(name)],
                out or bool(obj.get("iscrowd")) or _difficult(obj),
                float(area) if isinstance(area, int | float) and area > 0 else size,
            )
        )
    return tuple(found)


def _difficult(obj: Mapping[str, Any]) -> bool:
    """Tell whether an object is one that Pascal VOC leaves out of training and scores."""
    return obj.get("difficult") in (1, True, "1", "true")
