"""The data that a rebuilt training learns from: what the old one did, and what is new."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.lifecycle.rebuild.labels import data_version_of
from veml_vcs.lifecycle.rebuild.state import Rebuild
from veml_vcs.repository.data.combine import Incoming, incoming_from
from veml_vcs.repository.data.operate import Operated
from veml_vcs.repository.data.parts import merge_parts, some_of
from veml_vcs.repository.data.version import DataVersion, derivation
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.labelled import labelled_samples
from veml_vcs.training.plan import Part


def merge_data(
    repo: Repository,
    rebuild: Rebuild,
    old: TrainingVersion,
    known: Incoming,
    progress: Progress = silent,
) -> Part:
    """Make and stage the data version that is trained on.

    All samples that the old training was trained on, of each of its data versions, and the labelled
    ones of the new; what is measured on is in none of them. A version that is there already, of a
    rebuild that was killed, is taken as it is.

    Args:
        repo: The repository.
        rebuild: What is rebuilt.
        old: The training that is rebuilt.
        known: Samples of the new data, with their labels.
        progress: Is told how far it is.

    Raises:
        NotFoundError: A record of the old data is not in Git any more.
        ConflictError: Something else has the name.
    """
    parts = _labelled_parts(repo, old)
    versions = [_version(repo, part) for part in parts]
    others = [
        some_of(incoming_from(version), set(part.keys))
        for version, part in zip(versions[1:], parts[1:], strict=True)
    ]
    new = data_version_of(repo, rebuild.new)
    derived = derivation("merge", [*versions, new], _arguments(rebuild))
    made = merge_parts(
        repo, versions[0], set(parts[0].keys), [*others, known], to=rebuild.to, derived=derived,
        checkout=True,
        force=_made_before(repo, rebuild, derived), progress=progress,
    )  # fmt: skip
    return _whole(repo, made, old.record.task)


def measured_data(
    repo: Repository,
    rebuild: Rebuild,
    old: TrainingVersion,
    known: Incoming,
    progress: Progress = silent,
) -> Part:
    """Make and stage the data version of new samples that were labelled to be measured on."""
    first = _version(repo, _labelled_parts(repo, old)[0])
    new = data_version_of(repo, rebuild.new)
    arguments = {**_arguments(rebuild), "measured": True}
    derived = derivation("filter", [new], arguments)
    to = f"{rebuild.to}-measured"
    made = merge_parts(
        repo, first, (), [known], to=to, derived=derived,
        checkout=True,
        force=_made_before(repo, rebuild, derived, to), progress=progress,
    )  # fmt: skip
    return _whole(repo, made, old.record.task)


def _labelled_parts(repo: Repository, old: TrainingVersion) -> list[Part]:
    """Return what a training was trained on; without what it was adapted to, which has no labels.

    Raises:
        InvalidInputError: None of it has labels.
    """
    found = []
    for use in uses_of(old, "train"):
        part = part_of_use(repo, use)
        said = part.dataset(repo).annotations()
        keys, _ = labelled_samples(old.record.task, part.path, part.keys, said)
        if keys:
            found.append(replace(part, keys=keys))
    if not found:
        raise InvalidInputError(
            f"training {old.label}: nothing that it was trained on has labels", kind="no-labels"
        )
    return found


def _arguments(rebuild: Rebuild) -> dict[str, Any]:
    """Return what of a rebuild tells which samples it took, and which labels."""
    found: dict[str, Any] = {"rebuild": rebuild.method, "seed": rebuild.seed}
    if rebuild.selection:
        found |= {"selection": rebuild.selection, "budget": rebuild.budget}
    if rebuild.labels is not None:
        found["labels"] = rebuild.labels.version
    if rebuild.labels_digest:
        found["labels"] = rebuild.labels_digest
    return found


def _made_before(
    repo: Repository, rebuild: Rebuild, derived: dict[str, Any], to: str | None = None
) -> bool:
    """Tell whether the data set is there because this very rebuild was killed after making it."""
    record = repo.staged_datasets().get(to or rebuild.to)
    return record is not None and dict(record.derived) == derived


def _version(repo: Repository, part: Part) -> DataVersion:
    found = data_version_of(repo, part)
    if not found.facts.format:
        raise NotFoundError(
            f"{part.path}: the record of the version that was trained on is not in Git any more, "
            "so it cannot be merged with the new data",
            hint="git fetch brings the commit that has it",
            kind="record-missing",
        )
    return found


def _whole(repo: Repository, made: Operated, task: str) -> Part:
    data = Dataset(repo, made.path, made.record)
    keys, _ = labelled_samples(task, data.path, data.keys, data.annotations())
    return Part(made.path, made.record.to_bytes().decode(), keys)
