"""Which samples a data use of a training record means: its part, drawn again.

A record says how samples were chosen, not which: a seed and a fraction, a split that the data has,
steps of a series. Of the same data version that is always the same samples.
"""

from __future__ import annotations

from collections.abc import Sequence

from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import SampleId
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.records.used import used_data
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.training.inputs import data_version
from veml_vcs.training.labelled import labelled_samples
from veml_vcs.training.plan import Part
from veml_vcs.training.split import split_by_name, split_by_seed
from veml_vcs.versions.trainings import DataUse, TrainingRecord
from veml_vcs.versions.trainings.uses import Role


def uses_of(training: TrainingVersion, role: Role) -> tuple[DataUse, ...]:
    """Return what a training was trained on (``train``), or measured on (``val``).

    Raises:
        NotFoundError: It was measured on nothing.
    """
    found = tuple(use for use in training.record.data if use.role == role)
    if not found:
        raise NotFoundError(
            f"training {training.label} names no data that it was measured on",
            hint="veml training show tells what it was made of",
            kind="no-val-data",
        )
    return found


def part_of_use(repo: Repository, use: DataUse) -> Part:
    """Return the samples that a data use of a record means.

    Args:
        repo: The repository.
        use: The use.

    Raises:
        NotFoundError: The data is not in this clone.
        FormatError: The record chose them in a way that this veml does not know.
        DamagedError: What is stored is not what the record says.
    """
    data = used_data(repo, use)
    keys = _keys(data, use)
    if len(keys) != use.samples:
        raise FormatError(
            f"{use.path}: the record names {use.samples} samples ({dict(use.part)}), and the data "
            f"version has {len(keys)} of that kind",
            kind="unknown-part",
        )
    return Part(use.path, data.record.to_bytes().decode(), keys, dict(use.part))


def contents_of(repo: Repository, part: Part | None) -> set[SampleId]:
    """Return the contents of samples; none of no part."""
    if part is None:
        return set()
    entries = part.dataset(repo).entries
    found = (entries[key].content for key in part.keys)
    return {one for one in found if one is not None}


def part_of_data(training: TrainingVersion, spec: str, notes: list[str]) -> Part:
    """Return the samples of another data version that a training version is measured on.

    All that are labelled.

    Args:
        training: The training version.
        spec: ``PATH`` (as staged), ``PATH@REV`` or ``REV:PATH``.
        notes: What the user should know is added.

    Raises:
        NotFoundError: There is no such data, or it is not in this clone.
        ConflictError: The folder differs from the version.
        InvalidInputError: It has no labels, or the training is a forecaster's.
    """
    if training.record.task == "forecasting":
        raise InvalidInputError(
            f"training {training.label}: a forecaster is measured on the end of the series that it "
            "was trained on: the scale of its numbers is that series'",
            hint="leave out --data",
            kind="no-other-series",
        )
    data, text = data_version(training.repository, spec, notes)
    keys, blank = labelled_samples(
        training.record.task, data.path, data.keys, data.annotations()
    )  # fmt: skip
    if not keys:
        raise InvalidInputError(
            f"{data.path}: no sample has labels to measure against",
            hint=f"veml data show {data.path}",
            kind="no-labels",
        )
    if blank:
        notes.append(f"{data.path}: {blank} samples without annotation are left out")
    tell_trained_on(training.repository, training.record, data, keys, notes)
    return Part(data.path, text, keys)


def tell_trained_on(
    repo: Repository, record: TrainingRecord, data: Dataset, keys: Sequence[str], notes: list[str]
) -> None:
    """Add a note where a training has seen samples that it is measured on.

    Args:
        repo: The repository.
        record: The training.
        data: What it is measured on.
        keys: Of these samples.
        notes: Are added to; also where it cannot be told.
    """
    seen = _trained_on(repo, record, notes)
    shared = sum(data.entries[key].content in seen for key in keys)
    if shared:
        notes.append(
            f"{shared} of {len(keys)} samples of {data.path} were trained on: the numbers are "
            "better than on new ones"
        )


def _trained_on(repo: Repository, record: TrainingRecord, notes: list[str]) -> set[SampleId]:
    """Return the contents that a training has seen, as far as they can be told here."""
    found: set[SampleId] = set()
    for use in record.data:
        if use.role == "train":
            try:
                part = part_of_use(repo, use)
            except (NotFoundError, FormatError) as error:
                notes.append(f"whether samples were trained on cannot be told: {error.message}")
                continue
            found |= contents_of(repo, part)
    return found


def _keys(data: Dataset, use: DataUse) -> tuple[str, ...]:
    part = dict(use.part)
    if "steps" in part:  # of a series its end is held back; its files are the same
        return data.series().keys
    if not part and use.samples == len(data):
        return tuple(data.keys)
    annotations = data.annotations()
    keys, _ = labelled_samples(data.facts.task, data.path, data.keys, annotations)
    if not part:
        return keys
    if part.keys() == {"seed", "fraction"}:
        # The fraction that is held back is drawn; the rest is trained on.
        held = use.role == "val"
        fraction = part["fraction"] if held else round(1 - part["fraction"], 12)
        contents = {key: data.entries[key].content for key in keys}
        known = {key: one for key, one in contents.items() if one is not None}
        split = split_by_seed(known, fraction, part["seed"])
        return split.val if held else split.train
    if part.keys() == {"split"} and use.role == "val":
        return split_by_name(keys, annotations, part["split"]).val
    if part.keys() == {"split"}:
        named = part["split"]
        return tuple(key for key in keys if named in annotations[key].get("splits", ()))
    if part.keys() == {"without"}:
        return split_by_name(keys, annotations, part["without"]).train
    raise FormatError(
        f"{use.path}: samples chosen by {part!r:.200}, which this veml does not know",
        kind="unknown-part",
    )
