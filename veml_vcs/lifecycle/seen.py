"""Which samples a training has seen: where they are measured on, its metric flatters.

A network remembers what it was trained on. So before a lifecycle is taken over, the samples that
the new training holds back are looked for among those that its source, and what that began with,
were trained on.
"""

from __future__ import annotations

from collections.abc import Iterator

from veml_vcs.errors import DamagedError, FormatError, NotFoundError
from veml_vcs.ids import SampleId
from veml_vcs.repository.repository import Repository
from veml_vcs.training.held_back import contents_of, part_of_use
from veml_vcs.training.plan import Plan
from veml_vcs.versions.trainings import TrainingRecord, parse_training_record

_GENERATIONS = 16
"""Longer chains are not followed: a record of another hand may go round in a circle."""


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
    seen: set[SampleId] = set()
    notes = []
    for record in _generations(repo, source):
        for use in record.data:
            if use.role == "train":
                try:
                    seen |= contents_of(repo, part_of_use(repo, use))
                except (NotFoundError, DamagedError, FormatError) as error:
                    notes.append(
                        "whether held-back samples were trained on before cannot be told: "
                        f"{error.message}"
                    )
    return len(contents_of(repo, plan.val) & seen), notes


def _generations(repo: Repository, record: TrainingRecord) -> Iterator[TrainingRecord]:
    """Yield a training and those whose weights it began with."""
    for _ in range(_GENERATIONS):
        yield record
        before = record.initial.version
        if before is None:
            return
        try:
            record = parse_training_record(repo.git.read_blob(before), before)
        except (NotFoundError, FormatError):
            return  # its record is in no commit that this clone has
