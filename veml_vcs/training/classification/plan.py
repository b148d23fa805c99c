"""Settle the training of a classifier: its samples, its split, its classes, its config.

Nothing here imports the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.classification.adapt import fit_classifier
from veml_vcs.training.classification.samples import labelled, refuse_without_labels
from veml_vcs.training.inputs import data_version
from veml_vcs.training.labelled import UNKNOWN, refuse_unknown_classes, used_classes
from veml_vcs.training.plan import Part, Request
from veml_vcs.training.settled import Settled
from veml_vcs.training.two_parts import two_parts


def plan_classification(
    repo: Repository, request: Request, config: Mapping[str, Any], notes: list[str]
) -> Settled:
    """Settle what a classifier is trained on, and fit its config to it.

    Args:
        repo: The repository.
        request: What to train.
        config: The model's, with what ``--set`` changed; nested.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is no such data set, or its data is not here.
        ConflictError: The folder differs from the version that would be trained on.
        InvalidInputError: The data has no classes to tell apart, those of ``--val`` are others, or
            options contradict.
        FormatError: The config lacks something, or names what is unknown.
    """
    if request.parts is None:
        train, val, classes = _drawn(repo, request, notes)
    else:
        train, val = request.parts
        classes = request.told_apart
    refuse_unknown_classes(
        "classification", val.dataset(repo), classes, UNKNOWN,
        "veml data filter makes a version with some of the classes",
    )  # fmt: skip
    adapted = fit_classifier(
        config, classes, len(train.keys), epochs=request.epochs, iterations=request.iterations,
        trust=request.trust,
    )  # fmt: skip
    notes += adapted.notes
    return Settled(
        "classification", train, val, adapted.config, adapted.iterations, adapted.epochs, classes
    )


def _drawn(
    repo: Repository, request: Request, notes: list[str]
) -> tuple[Part, Part, tuple[str, ...]]:
    """Return what is trained on, what is measured on, and the classes."""
    data, record = data_version(repo, request.data, notes)
    refuse_without_labels(data.path, data.facts)
    classes = tuple(one.name for one in data.facts.classes)
    known = used_classes("classification", data)
    if len(known) < 2:
        found = f"one class alone, {known[0]}" if known else "no sample with a class"
        raise InvalidInputError(
            f"{data.path}: has {found}; a classifier tells two or more apart",
            hint=f"veml data show {data.path}",
            kind="one-class" if known else "no-labels",
        )
    train, val = two_parts(repo, request, data, record, _labelled, notes)
    return train, val, classes


def _labelled(data: Dataset, annotations: Mapping[str, Annotation]) -> tuple[tuple[str, ...], int]:
    refuse_without_labels(data.path, data.facts)
    return labelled(data.path, data.keys, annotations)
