"""The model versions of a commit, of the index or of the work tree, and one of them by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from veml_vcs.errors import FormatError, InvalidInputError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.models.place import may_be_model
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.models import (
    MODELS,
    ModelRecord,
    check_name,
    is_model_record,
    model_name,
    parse_model_record,
    record_path,
)


class ModelSpec(NamedTuple):
    """Which model version is meant.

    Attributes:
        name: The model.
        revision: The commit; None is what is staged.
    """

    name: str
    revision: str | None

    def __str__(self) -> str:
        """Return ``NAME`` or ``NAME@REV``."""
        return self.name if self.revision is None else f"{self.name}@{self.revision}"


@dataclass(frozen=True)
class ModelVersion:
    """One model version.

    Attributes:
        name: The model.
        revision: The commit, as the user named it; None is what is staged.
        record: What it is.
    """

    name: str
    revision: str | None
    record: ModelRecord

    @property
    def id(self) -> VersionId:
        """The version id: the Git blob id of the record."""
        return blob_id(self.record.to_bytes())


@dataclass(frozen=True)
class Models:
    """The models of one state.

    Attributes:
        records: Name -> record.
        unreadable: Path of a file that says it is a model's record and is none -> why not.
    """

    records: Mapping[str, ModelRecord]
    unreadable: Mapping[str, FormatError]


def parse_model_spec(text: str) -> ModelSpec:
    """Split ``NAME`` or ``NAME@REV``.

    Raises:
        InvalidInputError: It is neither.
    """
    name, sign, revision = text.partition("@")
    if sign and not revision:
        raise InvalidInputError(f"{text!r}: no revision after the @", hint=f"{name}@HEAD")
    name = name.removeprefix(MODELS).removesuffix(RECORD_SUFFIX)
    return ModelSpec(check_name(name), revision or None)


def models_in(repo: Repository, files: Mapping[str, TreeFile]) -> Models:
    """Return the models of a Git tree, or of the index."""
    records, unreadable = {}, {}
    for path in sorted(path for path in files if may_be_model(path)):
        data = repo.git.read_blob(files[path].blob)
        if is_model_record(data):
            try:
                records[model_name(path)] = parse_model_record(data, path)
            except FormatError as error:
                unreadable[path] = error
    return Models(records, unreadable)


def models_at(repo: Repository, revision: str | None) -> Models:
    """Return the models of a commit, or those that are staged (None)."""
    if revision is None:
        return models_in(repo, repo.git.staged_files())
    return models_in(repo, repo.git.files(repo.resolve(revision)))


def open_model(repo: Repository, spec: ModelSpec | str) -> ModelVersion:
    """Return one model version.

    Args:
        repo: The repository.
        spec: ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such model there.
        FormatError: What lies there is no record of a model.
    """
    wanted = parse_model_spec(spec) if isinstance(spec, str) else spec
    found = models_at(repo, wanted.revision)
    path = record_path(wanted.name)
    if path in found.unreadable:
        raise found.unreadable[path]
    if wanted.name not in found.records:
        where = wanted.revision or "the index"
        known = ", ".join(list(found.records)[:8]) or "none"
        raise NotFoundError(
            f"no model {wanted.name!r} in {where}; models there: {known}",
            hint=f"veml model add CONFIG --name {wanted.name}" if not wanted.revision else None,
            kind="unknown-model",
        )
    return ModelVersion(wanted.name, wanted.revision, found.records[wanted.name])


def record_on_disk(repo: Repository, path: str) -> ModelRecord | None:
    """Return the record of a model that lies in the work tree; None if none does.

    Raises:
        FormatError: It says it is one, and is none.
    """
    full = repo.absolute(path)
    if os.path.islink(full) or not os.path.isfile(full):
        return None
    data = bytes(repo.files.read(full))
    return parse_model_record(data, path) if is_model_record(data) else None
