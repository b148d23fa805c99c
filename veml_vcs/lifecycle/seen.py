"""Which samples a training has seen: where they are measured on, its metric flatters.

A network remembers what it was trained on. So before a lifecycle is taken over, the samples that
the new training holds back are looked for among those that its source, and what that began with,
were trained on.
"""

from __future__ import annotations

from collections.abc import Iterator

from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import SampleId
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.used import used_data
from veml_vcs.training.detection_samples import labelled
from veml_vcs.training.plan import Plan
from veml_vcs.training.split import split_by_name, split_by_seed
from veml_vcs.versions.trainings import DataUse, TrainingRecord, parse_training_record

_GENERATIONS = 16


def seen_of_held_back(
    repo: Repository, plan: Plan, source: TrainingRecord
) -> tuple[int, list[str]]:
    """Count the held-back samples that a source was trained on.

    Args:
        repo: The repository.
        plan: The new training.
        source: What it begins with.

    Returns:
        How many, and a note for each data version that is not here, so that nobody can tell.
    """
    held = {
        entry.content
        for key, entry in plan.val.dataset(repo).entries.items()
        if key in set(plan.val.keys) and entry.content is not None
    }
    seen: set[SampleId] = set()
    notes = []
    for record in _generations(repo, source):
        for use in record.data:
            if use.role == "train":
                try:
                    seen |= trained_contents(repo, use)
                except (NotFoundError, DamagedError, FormatError) as error:
                    notes.append(
                        f"whether held-back samples were trained on before cannot be told: {error}"
                    )
    return len(held & seen), notes


def trained_contents(repo: Repository, use: DataUse) -> set[SampleId]:
    """Return the samples that a training was trained on, by drawing its split again.

    Where the record does not tell the split, or it cannot be drawn, all samples of the version.

    Raises:
        NotFoundError: The data version is not in this clone.
    """
    data = used_data(repo, use)
    contents = {
        key: entry.content for key, entry in data.entries.items() if entry.content is not None
    }
    chosen = tuple(contents)
    annotations = data.annotations()
    keys, _ = labelled(data.keys, annotations)
    try:
        if {"seed", "fraction"} <= use.part.keys():
            known = {key: contents[key] for key in keys if key in contents}
            back = round(1 - float(use.part["fraction"]), 12)
            chosen = split_by_seed(known, back, int(use.part["seed"])).train
        elif "without" in use.part:
            chosen = split_by_name(keys, annotations, str(use.part["without"])).train
        elif "split" in use.part:
            wanted = use.part["split"]
            chosen = tuple(key for key in keys if wanted in annotations[key].get("splits", ()))
    except (InvalidInputError, TypeError, ValueError):
        return set(contents.values())  # a record of another hand: all it can have seen
    return {contents[key] for key in chosen if key in contents}


def _generations(repo: Repository, record: TrainingRecord) -> Iterator[TrainingRecord]:
    """Yield a training and those whose weights it began with."""
    for _ in range(_GENERATIONS):
        yield record
        before = record.initial.version
        if before is None:
            return
        try:
            record = parse_training_record(repo.git.read_blob(before), before)
        except (KeyError, NotFoundError, FormatError):
            return  # its record is in no commit that this clone has
