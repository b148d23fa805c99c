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
from veml_vcs.training.labelled import UNKNOWN, refuse_unknown_classes
from veml_vcs.training.plan import Part, Request
from veml_vcs.training.settled import Settled
from veml_vcs.training.two_parts import two_parts


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
    if request.parts is None:
        train, val, classes = _drawn(repo, request, notes)
    else:
        train, val = request.parts
        classes = request.told_apart or trained_classes(train.dataset(repo).facts)
    refuse_unknown_classes(
        "detection", val.dataset(repo), classes, UNKNOWN, "veml data filter makes a version with "
        "some of the classes",
    )  # fmt: skip
    adapted = adapt_detection(
        config, classes, len(train.keys), epochs=request.epochs, iterations=request.iterations
    )
    notes += adapted.notes
    return Settled(
        "detection", train, val, adapted.config, adapted.iterations, adapted.epochs, classes
    )


def _drawn(
    repo: Repository, request: Request, notes: list[str]
) -> tuple[Part, Part, tuple[str, ...]]:
    """Return what is trained on, what is measured on, and the classes."""
    data, record = data_version(repo, request.data, notes)
    classes = trained_classes(data.facts)
    refuse_without_boxes(data.path, data.facts, classes)

    def chosen(one: Dataset, annotations: Mapping[str, Annotation]) -> tuple[tuple[str, ...], int]:
        refuse_without_boxes(one.path, one.facts, trained_classes(one.facts))
        if one is data and not any(said.get("objects") for said in annotations.values()):
            raise InvalidInputError(
                f"{data.path}: no sample has a box, so there is nothing to learn from",
                hint=f"veml data show {data.path}",
                kind="no-labels",
            )
        return labelled(one.keys, annotations)

    train, val = two_parts(repo, request, data, record, chosen, notes)
    return train, val, classes
