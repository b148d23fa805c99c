"""Settle the training of a detector: its samples, its split, its classes, its config.

Nothing here imports the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.adapt import adapt_detection, refuse_other_tasks
from veml_vcs.training.detection_samples import (
    labelled,
    refuse_without_boxes,
    trained_classes,
)
from veml_vcs.training.inputs import data_version
from veml_vcs.training.plan import Part, Request
from veml_vcs.training.settled import Settled
from veml_vcs.training.split import Split, split_by_name, split_by_seed


def plan_detection(
    repo: Repository, request: Request, config: Mapping[str, Any], notes: list[str]
) -> Settled:
    """Settle what a detector is trained on, and fit its config to it.

    Args:
        repo: The repository.
        request: What to train.
        config: The model's, with what ``--set`` changed; nested.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is no such data set, or its data is not here.
        ConflictError: The folder differs from the version that would be trained on.
        InvalidInputError: The data has no boxes, classes do not match, options contradict.
        FormatError: The config is for another task, or lacks something.
    """
    refuse_other_tasks(config, request.model)
    data, record = data_version(repo, request.data, notes)
    classes = trained_classes(data.facts)
    refuse_without_boxes(data.path, data.facts, classes)
    annotations = data.annotations()
    keys, blank = labelled(data.keys, annotations)
    if blank:
        notes.append(f"{data.path}: {blank} samples without annotation are left out")
    if not any(one.get("objects") for one in annotations.values()):
        raise InvalidInputError(
            f"{data.path}: no sample has a box, so there is nothing to learn from",
            hint=f"veml data show {data.path}",
            kind="no-labels",
        )
    train, val = _parts(repo, request, data, record, keys, annotations, notes)
    _refuse_unknown_classes(repo, val, classes)
    adapted = adapt_detection(
        config, classes, len(train.keys), epochs=request.epochs, iterations=request.iterations
    )
    notes += adapted.notes
    return Settled(
        "detection", train, val, adapted.config, adapted.iterations, adapted.epochs, classes
    )


def _parts(
    repo: Repository,
    request: Request,
    data: Dataset,
    record: str,
    keys: tuple[str, ...],
    annotations: Mapping[str, Annotation],
    notes: list[str],
) -> tuple[Part, Part]:
    """Return what is trained on and what is measured on."""
    if request.val is not None:
        other, other_record = data_version(repo, request.val, notes)
        refuse_without_boxes(other.path, other.facts, trained_classes(other.facts))
        held, blank = labelled(other.keys, other.annotations())
        if blank:
            notes.append(f"{other.path}: {blank} samples without annotation are left out")
        if not held:
            raise InvalidInputError(f"{other.path}: no sample has labels", kind="no-labels")
        same = {data.entries[key].content for key in keys}
        shared = sum(other.entries[key].content in same for key in held)
        if shared:
            notes.append(f"{shared} of {len(held)} samples measured on are also trained on")
        return Part(data.path, record, keys), Part(other.path, other_record, held)
    split = _split(request, data, keys, annotations)
    return (
        Part(data.path, record, split.train, split.train_part),
        Part(data.path, record, split.val, split.val_part),
    )


def _split(
    request: Request,
    data: Dataset,
    keys: tuple[str, ...],
    annotations: Mapping[str, Annotation],
) -> Split:
    try:
        fraction = float(request.val_split)
    except ValueError:
        return split_by_name(keys, annotations, request.val_split)
    contents = {key: data.entries[key].content for key in keys}
    known = {key: one for key, one in contents.items() if one is not None}
    return split_by_seed(known, fraction, request.seed)


def _refuse_unknown_classes(repo: Repository, val: Part, classes: tuple[str, ...]) -> None:
    """Refuse to measure on classes that are not trained."""
    data = val.dataset(repo)
    counts = data.record.class_counts
    unknown = [
        name for name in trained_classes(data.facts) if name not in classes and counts[name].objects
    ]
    if unknown:
        raise InvalidInputError(
            f"{val.path} has boxes of {', '.join(unknown)}, which are not among the classes that "
            f"are trained: {', '.join(classes)}",
            hint="veml data filter makes a version with some of the classes",
            kind="unknown-class",
        )
