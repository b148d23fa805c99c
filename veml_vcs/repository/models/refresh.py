"""Bring the records of models up to configs that are being added: what ``add`` is for a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.repository.models.add import stage_model
from veml_vcs.repository.models.read import from_disk, record_of
from veml_vcs.repository.models.stale import StaleModel, check_model
from veml_vcs.repository.models.versions import models_in
from veml_vcs.repository.records.versions import record_of_file, record_on_disk
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import (
    ConfigChange,
    FactChange,
    ModelRecord,
    compare_configs,
)


@dataclass(frozen=True)
class RefreshedModel:
    """A model whose record was brought up to its config.

    Attributes:
        name: The model.
        path: Its record, from the repository's root.
        facts: The facts that changed.
        changes: The keys of its config that changed.
        problem: Why its record could not be brought up to it; None if it was.
        hint: What to type then.
    """

    name: str
    path: str
    facts: tuple[FactChange, ...] = ()
    changes: tuple[ConfigChange, ...] = ()
    problem: str | None = None
    hint: str | None = None


def refresh_models(
    repo: Repository, wanted: Callable[[str], bool], *, dry_run: bool = False
) -> tuple[RefreshedModel, ...]:
    """Read the configs again of models that have a file that is being added; stage the records.

    A record in conflict is settled by this, if all files of its config are: it says what they say.
    A config that was run is not run again by this, and one that cannot be read any more stays: both
    are told, and a commit of them is refused.

    Args:
        repo: The repository, whose lock the caller holds.
        wanted: Tells of a path, from the repository's root, whether it is being added.
        dry_run: Only tell.
    """
    files = repo.git.staged_files()
    conflicted = _conflicted(repo)
    found = []
    for name, record in {**models_in(repo, files).records, **conflicted}.items():
        if not any(map(wanted, record.files)):
            continue
        path = MODEL.path(name)
        read = from_disk(repo)
        if name in conflicted:
            stale = StaleModel(path, "changed", "in conflict", f"veml model add {record.path}")
        else:
            data = repo.git.read_blob(files[path].blob)
            one = check_model(name, record, data, read)
            if one is None:
                continue
            stale = one
        if record.ran or stale.kind == "edited":
            found.append(RefreshedModel(name, path, problem=stale.reason, hint=stale.hint))
            continue
        try:
            new = record_of(record.path, read, record)
        except (FormatError, NotFoundError):
            found.append(RefreshedModel(name, path, problem=stale.reason, hint=stale.hint))
            continue
        if not dry_run:
            stage_model(repo, path, new, [one for one in new.files if "::" not in one])
        facts = tuple(one for one in MODEL.compare_facts(record, new) if one.differs)
        found.append(RefreshedModel(name, path, facts, compare_configs(record.config, new.config)))
    return tuple(found)


def _conflicted(repo: Repository) -> dict[str, ModelRecord]:
    """Return the records in conflict whose configs are not, as the work tree has them."""
    open_paths = set(repo.git.conflicted_paths())
    found = {}
    for path in open_paths:
        if MODEL.may_be(path):
            try:
                record = record_on_disk(repo, MODEL, path)
            except FormatError:  # marks of a conflict, where git merged it by line
                # A file that was never a record is the user's to settle.
                record = record_of_file(repo, MODEL, path, repo.git.conflict_stages(path)[1])
            if record is not None and not open_paths & set(record.files):
                found[MODEL.name_of(path)] = record
    return found
