"""What of a data version a task can learn from: its labelled samples, and their classes.

For tasks whose samples stand for themselves; a series is its own label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.classification.samples import labelled as with_a_class
from veml_vcs.training.detection_samples import labelled as with_boxes
from veml_vcs.training.detection_samples import trained_classes

UNKNOWN = "which are not among the classes that are trained:"
"""How a refusal of what is measured on goes on."""


def labelled_samples(
    task: str, path: str, keys: Sequence[str], annotations: Mapping[str, Annotation]
) -> tuple[tuple[str, ...], int]:
    """Return the samples that a task can learn from, and the number of the others.

    Args:
        task: ``classification``, or else detection.
        path: The data set's folder, for messages.
        keys: The samples.
        annotations: What is said of them.

    Raises:
        InvalidInputError: A sample has several classes, and a classifier learns one.
    """
    if task == "classification":
        return with_a_class(path, keys, annotations)
    return with_boxes(keys, annotations)


def used_classes(task: str, data: Dataset) -> tuple[str, ...]:
    """Return the classes that something of a data version is of, as a task sees it."""
    counts = data.record.class_counts
    if task == "classification":
        return tuple(name for name, one in counts.items() if one.samples)
    return tuple(name for name in trained_classes(data.facts) if counts[name].objects)


def refuse_unknown_classes(
    task: str, data: Dataset, known: Sequence[str], told: str, hint: str
) -> None:
    """Refuse data with classes that are not among those that are told apart.

    Args:
        task: ``classification``, or else detection.
        data: The data version.
        known: The classes that are told apart.
        told: Continues the message: whose classes these are.
        hint: What to type instead.

    Raises:
        InvalidInputError: It has some.
    """
    unknown = [name for name in used_classes(task, data) if name not in known]
    if unknown:
        what = "samples" if task == "classification" else "boxes"
        raise InvalidInputError(
            f"{data.path} has {what} of {', '.join(unknown)}, {told} {', '.join(known)}",
            hint=hint,
            kind="unknown-class",
        )
