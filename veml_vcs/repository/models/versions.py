"""The model versions of a commit or of the index, and one of them by name."""

from __future__ import annotations

from collections.abc import Mapping

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.records.versions import (
    NamedVersion,
    Records,
    VersionSpec,
    open_version,
    records_in,
)
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import ModelRecord


class ModelVersion(NamedVersion[ModelRecord]):
    """One model version: its record is all there is of it; the config is in Git."""

    kind = MODEL


def models_in(repo: Repository, files: Mapping[str, TreeFile]) -> Records[ModelRecord]:
    """Return the models of a Git tree, or of the index."""
    return records_in(repo, MODEL, files)


def open_model(repo: Repository, spec: VersionSpec | str) -> ModelVersion:
    """Return one model version: ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such model there.
        FormatError: What lies there is no record of a model.
    """
    return open_version(repo, ModelVersion, spec)
