"""What the user asks ``veml rebuild`` for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from veml_vcs.analysis.embedders import DEFAULT_EMBEDDER
from veml_vcs.analysis.selection import SelectionMethod
from veml_vcs.errors import InvalidInputError
from veml_vcs.lifecycle.rebuild.state import Method
from veml_vcs.training.split import DEFAULT_FRACTION


def default_selection(task: str) -> SelectionMethod:
    """Return how samples are chosen for a label where nobody said.

    What came out ahead where it was measured: margin of classifiers, random of small detectors
    (docs/experiments.md), which are sure of what they have never seen.
    """
    return "margin" if task == "classification" else "random"


@dataclass(frozen=True)
class RebuildRequest:
    """What the user asks for.

    Attributes:
        training: ``NAME`` or ``NAME@REV``: what is rebuilt.
        new: ``PATH``, ``PATH@REV`` or ``REV:PATH``: the data that it is rebuilt for.
        method: How; ``auto`` asks the drift verdict, and which labels there are.
        budget: How many samples may be labelled: ``20`` or ``30%``; None: nobody said.
        selection: How they are chosen; None is by the task.
        name: Of the new training; None is the old one's with the method behind it.
        labels_from: A data version that has the labels of the new data.
        test: A data version to measure the new distribution on; None holds back a part.
        held_back: Which part.
        to: The data set that a merged version becomes; None is beside the old data.
        folder: Where what is to be labelled is listed, from the repository's root.
        seed: Draws everything.
        epochs: Passes, instead of what the old training had.
        iterations: Steps, instead of what the old training had.
        settings: ``KEY=VALUE``, each changes the old config.
        embedder: Tells how alike samples are.
    """

    training: str
    new: str
    method: Method | Literal["auto"] = "auto"
    budget: str | None = None
    selection: SelectionMethod | None = None
    name: str | None = None
    labels_from: str | None = None
    test: str | None = None
    held_back: float = DEFAULT_FRACTION
    to: str | None = None
    folder: str = "to-label"
    seed: int = 0
    epochs: int | None = None
    iterations: int | None = None
    settings: tuple[str, ...] = ()
    embedder: str = DEFAULT_EMBEDDER


def budget_of(text: str, pool: int) -> int:
    """Return how many samples a budget is.

    Args:
        text: ``20``, or ``30%`` of the pool.
        pool: How many there are to choose from.

    Raises:
        InvalidInputError: It is no number, none at all, or more than there are.
    """
    part = text.strip().endswith("%")
    try:
        number = float(text.strip().removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInputError(
            f"--budget {text}: expected a number of samples, or a part of them",
            hint="--budget 20, or --budget 30%",
            kind="no-budget",
        )
    if part:
        count = pool + 1 if number > 100 else round(number * pool / 100)
    else:
        count = int(number)
    if not part and number != count:
        raise InvalidInputError(f"--budget {text}: a sample is labelled or not", kind="no-budget")
    if count < 1:
        raise InvalidInputError(
            f"--budget {text}: no sample of {pool} would be labelled",
            hint="--budget 1 is the least; --method adapt needs no label",
            kind="no-budget",
        )
    if count > pool:
        raise InvalidInputError(
            f"--budget {text}: there are {pool} samples to choose from",
            hint=f"--budget {pool} labels all of them, as --method full does",
            kind="budget-too-large",
        )
    return count
