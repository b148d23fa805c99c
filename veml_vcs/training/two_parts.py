"""What is trained on and what is measured on: two parts of one data version, or two versions.

For tasks whose samples stand for themselves; a series is cut by time instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.inputs import data_version
from veml_vcs.training.plan import Part, Request
from veml_vcs.training.split import Split, split_by_name, split_by_seed

Labelled = Callable[[Dataset, Mapping[str, Annotation]], tuple[tuple[str, ...], int]]
"""Gives the samples that can be learnt from, and the number of the others; may refuse the data."""


def two_parts(
    repo: Repository,
    request: Request,
    data: Dataset,
    record: str,
    labelled: Labelled,
    notes: list[str],
) -> tuple[Part, Part]:
    """Return what is trained on and what is measured on, as the user asked for it.

    Args:
        repo: The repository.
        request: ``val``, ``val_split`` and ``seed`` of it.
        data: The data version that is trained on.
        record: The text of its record.
        labelled: Chooses the samples of a data version.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is no such data set, or its data is not here.
        ConflictError: The folder differs from the version that would be measured on.
        InvalidInputError: A part is empty, or the task cannot use the data.
    """
    keys, annotations = _chosen(data, labelled, notes)
    if request.val is None:
        split = _split(request, data, keys, annotations)
        return (
            Part(data.path, record, split.train, split.train_part),
            Part(data.path, record, split.val, split.val_part),
        )
    other, other_record = data_version(repo, request.val, notes)
    held, _ = _chosen(other, labelled, notes)
    if not held:
        raise InvalidInputError(f"{other.path}: no sample has labels", kind="no-labels")
    same = {data.entries[key].content for key in keys}
    shared = sum(other.entries[key].content in same for key in held)
    if shared:
        notes.append(f"{shared} of {len(held)} samples measured on are also trained on")
    return Part(data.path, record, keys), Part(other.path, other_record, held)


def _chosen(
    data: Dataset, labelled: Labelled, notes: list[str]
) -> tuple[tuple[str, ...], Mapping[str, Annotation]]:
    annotations = data.annotations()
    keys, blank = labelled(data, annotations)
    if blank:
        notes.append(f"{data.path}: {blank} samples without annotation are left out")
    return keys, annotations


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
