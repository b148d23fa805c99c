"""``veml model ls`` and ``compare``: the models of a commit, two side by side."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.models.read import from_git
from veml_vcs.repository.models.stale import stale_here, stale_models
from veml_vcs.repository.models.versions import (
    models_in,
    open_model,
)
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import (
    ConfigChange,
    FactChange,
    compare_configs,
)


@dataclass(frozen=True)
class ListedModel:
    """One model in a list.

    Attributes:
        name: The model.
        version: Its version id; None if its record cannot be read.
        config: The config's path.
        architecture: Of the model.
        backbone: Of the model, with its size.
        classes: Number of classes of its heads.
        parameters: Number of parameters, None if nobody counted them.
        stale: How the record is not what its config says; empty if it is.
    """

    name: str
    version: VersionId | None
    config: str = ""
    architecture: str = ""
    backbone: str = ""
    classes: tuple[int, ...] = ()
    parameters: int | None = None
    stale: str = ""


@dataclass(frozen=True)
class ModelComparison:
    """Two model versions side by side.

    Attributes:
        old: The first, as the user named it.
        new: The second.
        old_version: Version id of the first.
        new_version: Version id of the second.
        facts: What each of them is, fact by fact, also where they are the same.
        changes: Keys of the config that differ.
    """

    old: str
    new: str
    old_version: VersionId
    new_version: VersionId
    facts: tuple[FactChange, ...]
    changes: tuple[ConfigChange, ...]

    @property
    def differs(self) -> bool:
        """Whether they are two versions."""
        return self.old_version != self.new_version


def list_models(repo: Repository, revision: str | None = None) -> tuple[ListedModel, ...]:
    """Return the models of a commit, or those that are staged (None), by name.

    Raises:
        NotFoundError: There is no such revision.
    """
    if revision is None:
        files = repo.git.staged_files()
        stale = stale_here(repo)
    else:
        files = repo.git.files(repo.resolve(revision))
        stale = stale_models(repo, files, from_git(repo, files, revision))
    found = models_in(repo, files)
    why = {one.path: one.reason for one in stale}
    listed = [ListedModel(MODEL.bare_name(path), None,
                          stale=why.get(path, error.message))
              for path, error in found.unreadable.items()]  # fmt: skip
    for name, record in found.records.items():
        facts = record.facts
        listed.append(ListedModel(
            name, blob_id(record.to_bytes()), record.path, facts.architecture,
            "" if facts.backbone is None else str(facts.backbone), facts.classes,
            record.parameters, why.get(MODEL.path(name), ""),
        ))  # fmt: skip
    return tuple(sorted(listed, key=lambda one: one.name))


def compare_models(repo: Repository, old: str, new: str) -> ModelComparison:
    """Compare two model versions, each ``NAME`` (as staged) or ``NAME@REV``.

    Raises:
        NotFoundError: There is no such model.
    """
    left = open_model(repo, old)
    right = open_model(repo, new)
    return ModelComparison(
        old, new, left.id, right.id, MODEL.compare_facts(left.record, right.record),
        compare_configs(left.record.config, right.record.config),
    )  # fmt: skip
