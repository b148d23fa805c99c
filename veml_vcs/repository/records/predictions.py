"""What a network said of samples, in the store: a tree of annotations without samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veml_vcs.errors import DamagedError
from veml_vcs.ids import TreeId, short
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import annotation_id
from veml_vcs.samples.facts import Annotation
from veml_vcs.samples.fragments.annotations import AnnotationWriter
from veml_vcs.samples.tree import Entry, EntryKind, Tree, build_tree
from veml_vcs.samples.tree.entry import check_key
from veml_vcs.versions.trainings import DataUse, PredictionFacts


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
        data: The data versions of the record, which tell folders and keys apart.

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
