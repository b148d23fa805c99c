"""The heavy parts of a training version in the store: log and predictions, out and in.

The checkpoint is ``samples.tensors``; the log is one, too: a float64 tensor a column. Predictions
are a tree of annotations without samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import TreeId, short
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import annotation_id
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.fragments.annotations import AnnotationWriter
from veml_vcs.samples.tensors import Checkpoint, Tensor, read_checkpoint, write_checkpoint
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build_tree
from veml_vcs.samples.tree.entry import check_key
from veml_vcs.versions.trainings import DataUse, LogFacts, PredictionFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write_log(repo: Repository, log: Mapping[str, Sequence[float]]) -> LogFacts | None:
    """Store a log; None if it says nothing.

    Raises:
        InvalidInputError: Its columns are not of one length.
    """
    if not log:
        return None
    lengths = {name: len(column) for name, column in log.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidInputError(f"the log's columns are not of one length: {lengths!r:.200}")
    tensors = {}
    for name, column in log.items():
        values = np.asarray(column, "<f8")
        tensors[name] = Tensor("F64", values.shape, values.tobytes())
    stored = write_checkpoint(repo.store, repo.catalog, Checkpoint(tensors))
    return LogFacts(stored.tree, next(iter(lengths.values())), tuple(sorted(log)))


def read_log(repo: Repository, log: LogFacts) -> dict[str, NDArray[np.float64]]:
    """Return the columns of a log: float64 [rows] each, NaN where a row says nothing.

    Raises:
        DamagedError: What is stored is not what the record says.
        NotFoundError: This clone does not have it.
    """
    found = read_checkpoint(repo.store, repo.catalog, log.tree).tensors
    sound = all(one.dtype == "F64" and one.shape == (log.rows,) for one in found.values())
    if not sound or tuple(sorted(found)) != log.columns:
        raise DamagedError(f"log {short(log.tree)}: other columns than its record says")
    return {name: np.frombuffer(one.data, "<f8") for name, one in sorted(found.items())}


def write_predictions(
    repo: Repository, predictions: Mapping[str, Mapping[str, Annotation]]
) -> PredictionFacts | None:
    """Store what a network said of samples, by data set's folder and key; None if nothing.

    Raises:
        InvalidInputError: A key cannot be one.
    """
    if not any(predictions.values()):
        return None
    entries = {}
    with repo.store.write() as writer:
        said = AnnotationWriter(repo.catalog, writer)
        for path, samples in predictions.items():
            for key, annotation in samples.items():
                about = annotation_id(annotation)
                said.add_many([(about, annotation)])
                place = check_key(f"{path}/{key}")
                entries[place] = Entry(EntryKind.ANNOTATION_ONLY, None, about)
        said.finish()
        tree = build_tree(
            sorted(entries.items(), key=lambda one: one[0].encode("utf-8", "surrogateescape")),
            writer,
        )
    repo.catalog.refresh()
    return PredictionFacts(tree, len(entries))


def read_predictions(
    repo: Repository, tree: TreeId, data: Sequence[DataUse]
) -> dict[str, dict[str, Annotation]]:
    """Return what a network said: data set's folder -> key -> annotation.

    Args:
        repo: The repository.
        tree: Root of the predictions.
        data: The data versions of the training, which tell folders and keys apart.

    Raises:
        DamagedError: What is stored is no predictions of this data.
        NotFoundError: This clone does not have it.
    """
    entries = dict(Tree(repo.store, tree).items())
    notes = repo.annotations.read_many(
        {one.annotation for one in entries.values() if one.annotation is not None}
    )
    # The longest first: a data set may lie below another's name.
    paths = sorted({use.path for use in data}, key=len, reverse=True)
    found: dict[str, dict[str, Annotation]] = {}
    for place, entry in entries.items():
        path = next((one for one in paths if place.startswith(one + "/")), None)
        if path is None or entry.annotation is None:
            raise DamagedError(f"predictions {short(tree)}: {place!r:.80} is of no data set of it")
        found.setdefault(path, {})[place[len(path) + 1 :]] = notes[entry.annotation]
    return found
