"""The training versions of a commit or of the index, and one of them by name with what it holds.

What is in the store is imported when it is asked for: ``veml status`` reads records alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from veml_vcs.errors import DamagedError, FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import ObjectId, VersionId, short
from veml_vcs.repository.absent import fetch_command
from veml_vcs.repository.damage import MEND
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.place import may_be_training
from veml_vcs.samples.facts import Annotation
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.trainings import (
    NAMES,
    TRAININGS,
    TrainingRecord,
    is_training_record,
    parse_training_record,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from veml_vcs.samples.tensors import Checkpoint


class TrainingSpec(NamedTuple):
    """Which training version is meant.

    Attributes:
        name: The training.
        revision: The commit; None is what is staged.
    """

    name: str
    revision: str | None

    def __str__(self) -> str:
        """Return ``NAME`` or ``NAME@REV``."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


@dataclass(frozen=True)
class TrainingVersion:
    """One training version; its heavy parts are read from the store when asked for.

    Attributes:
        repository: The repository.
        name: The training.
        revision: The commit, as the user named it; None is what is staged.
        record: What it is.
    """

    repository: Repository
    name: str
    revision: str | None
    record: TrainingRecord

    @property
    def id(self) -> VersionId:
        """The version id: the Git blob id of the record."""
        return blob_id(self.record.to_bytes())

    @property
    def label(self) -> str:
        """The training as the user named it: ``NAME`` or ``NAME@REV``."""
        return str(TrainingSpec(self.name, self.revision))

    def checkpoint(self) -> Checkpoint:
        """Return the weights, each tensor checked against its id.

        Raises:
            NotFoundError: This clone's store does not have them.
            DamagedError: What is stored is not what the record says.
        """
        from veml_vcs.samples.tensors import read_checkpoint

        repo = self.repository
        with self._reading("checkpoint"):
            return read_checkpoint(repo.store, repo.catalog, self.record.checkpoint.tree)

    def log(self) -> dict[str, NDArray[np.float64]]:
        """Return the log: column -> float64 [rows], NaN where a row says nothing; maybe empty.

        Raises:
            NotFoundError: This clone's store does not have it.
            DamagedError: What is stored is not what the record says.
        """
        from veml_vcs.repository.trainings.stored import read_log

        with self._reading("log"):
            return {} if self.record.log is None else read_log(self.repository, self.record.log)

    def predictions(self) -> dict[str, dict[str, Annotation]]:
        """Return what the network said of validation samples: data set's folder -> key -> what.

        Raises:
            NotFoundError: This clone's store does not have them.
            DamagedError: What is stored is not what the record says.
        """
        from veml_vcs.repository.trainings.stored import read_predictions

        facts = self.record.predictions
        if facts is None:
            return {}
        with self._reading("predictions"):
            return read_predictions(self.repository, facts.tree, self.record.data)

    @contextmanager
    def _reading(self, part: str) -> Iterator[None]:
        """Name the training in errors of what is read from the store."""
        tree = self.record.trees.get(part)
        if tree is not None and tree not in self.repository.store:
            with suppress(NotFoundError):
                self.repository.store.size(ObjectId(tree))  # a pack that cannot be read is named
            raise NotFoundError(
                f"training {self.label}: its {part} ({short(tree)}) is not in this clone",
                hint=fetch_command(self.repository, self.revision),
                kind="data-missing",
            )
        try:
            yield
        except (DamagedError, NotFoundError) as error:
            told = type(error)(
                f"training {self.label}, {part}: {error.message}", hint=MEND, kind=error.kind
            )
            told.object_id = error.object_id
            raise told from error


@dataclass(frozen=True)
class Trainings:
    """The trainings of one state.

    Attributes:
        records: Name -> record.
        unreadable: Path of a file that says it is a training's record and is none -> why not.
    """

    records: Mapping[str, TrainingRecord]
    unreadable: Mapping[str, FormatError]


def parse_training_spec(text: str) -> TrainingSpec:
    """Split ``NAME`` or ``NAME@REV``.

    Raises:
        InvalidInputError: It is neither.
    """
    name, sign, revision = text.partition("@")
    if sign and not revision:
        raise InvalidInputError(f"{text!r}: no revision after the @", hint=f"{name}@HEAD")
    name = name.removeprefix(TRAININGS).removesuffix(RECORD_SUFFIX)
    return TrainingSpec(NAMES.check(name), revision or None)


def trainings_in(repo: Repository, files: Mapping[str, TreeFile]) -> Trainings:
    """Return the trainings of a Git tree, or of the index."""
    records, unreadable = {}, {}
    for path in sorted(path for path in files if may_be_training(path)):
        data = repo.git.read_blob(files[path].blob)
        if is_training_record(data):
            try:
                records[NAMES.name(path)] = parse_training_record(data, path)
            except FormatError as error:
                unreadable[path] = error
    return Trainings(records, unreadable)


def trainings_at(repo: Repository, revision: str | None) -> Trainings:
    """Return the trainings of a commit, or those that are staged (None)."""
    if revision is None:
        return trainings_in(repo, repo.git.staged_files())
    return trainings_in(repo, repo.git.files(repo.resolve(revision)))


def open_training(repo: Repository, spec: TrainingSpec | str) -> TrainingVersion:
    """Return one training version.

    Args:
        repo: The repository.
        spec: ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such training there.
        FormatError: What lies there is no record of a training.
    """
    wanted = parse_training_spec(spec) if isinstance(spec, str) else spec
    found = trainings_at(repo, wanted.revision)
    path = NAMES.path(wanted.name)
    if path in found.unreadable:
        raise found.unreadable[path]
    if wanted.name not in found.records:
        where = wanted.revision or "the index"
        known = ", ".join(list(found.records)[:8]) or "none"
        raise NotFoundError(
            f"no training {wanted.name!r} in {where}; trainings there: {known}",
            hint="veml training ls" if found.records else None,
            kind="unknown-training",
        )
    return TrainingVersion(repo, wanted.name, wanted.revision, found.records[wanted.name])


def record_on_disk(repo: Repository, path: str) -> TrainingRecord | None:
    """Return the record of a training that lies in the work tree; None if none does.

    Raises:
        FormatError: It says it is one, and is none.
    """
    full = repo.absolute(path)
    if os.path.islink(full) or not os.path.isfile(full):
        return None
    data = bytes(repo.files.read(full))
    return parse_training_record(data, path) if is_training_record(data) else None
