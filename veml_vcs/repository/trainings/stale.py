"""Which trainings are of data or a model that moved on: their metrics say nothing of what is here.

That is no error: it is so between a change and the next training. It is told, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import trainings_in
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.models import record_path as model_path
from veml_vcs.versions.trainings import NAMES, TrainingRecord


@dataclass(frozen=True)
class StaleTraining:
    """A training whose data or model is at another version now.

    Attributes:
        name: The training.
        path: Its record, from the repository's root.
        what: ``data`` or ``model``.
        of: The data set's folder, or the model's name.
        needs: The record that it is of, from the repository's root.
        gone: Whether it is not there at all any more.
    """

    name: str
    path: str
    what: Literal["data", "model"]
    of: str
    needs: str
    gone: bool

    @property
    def reason(self) -> str:
        """What moved on, in words."""
        if self.gone:
            return f"the {self.what} {self.of} is not here any more"
        return f"the {self.what} {self.of} is another version now"


def stale_trainings(repo: Repository, files: Mapping[str, TreeFile]) -> tuple[StaleTraining, ...]:
    """Return the trainings of a Git tree, or of the index, that are of other versions than it has.

    Args:
        repo: The repository.
        files: The tree's files.
    """
    found: dict[StaleTraining, None] = {}
    for name, record in trainings_in(repo, files).records.items():
        for what, of, path, version in _needs(record):
            here = files.get(path)
            if here is None or here.blob != version:
                found[StaleTraining(name, NAMES.path(name), what, of, path, here is None)] = None
    return tuple(found)


def _needs(record: TrainingRecord) -> list[tuple[Literal["data", "model"], str, str, str]]:
    needs: list[tuple[Literal["data", "model"], str, str, str]] = [
        ("data", use.path, use.path + RECORD_SUFFIX, use.version) for use in record.data
    ]
    model = record.model
    return [*needs, ("model", model.name, model_path(model.name), model.version)]
