"""``veml model add``: record what a config says as a model version, and stage both."""

from __future__ import annotations

import os
import posixpath
from contextlib import nullcontext
from dataclasses import dataclass, field

from veml_vcs.errors import ConflictError, FormatError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.models.read import Run, from_disk, ran_record, record_of
from veml_vcs.repository.records.versions import record_on_disk
from veml_vcs.repository.records.write import refuse_outsiders, stage_record
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.plain import add_plain
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import (
    ConfigChange,
    FactChange,
    ModelRecord,
    compare_configs,
)


@dataclass(frozen=True)
class AddedModel:
    """What ``model add`` did.

    Attributes:
        name: The model.
        path: Its record, from the repository's root.
        version: Its version id.
        config: The config's path.
        new: Whether there was no such model.
        same: Whether the record was there already, as it is.
        facts: What the model is; ``old`` is what its record said before.
        changes: Config keys that say something else than before.
        staged: Files that were staged, from the repository's root.
        ran: Whether the config was run.
        notes: Sentences about what could not be found out.
    """

    name: str
    path: str
    version: VersionId
    config: str
    new: bool
    facts: tuple[FactChange, ...]
    changes: tuple[ConfigChange, ...] = ()
    staged: tuple[str, ...] = ()
    ran: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)
    same: bool = False


def add_model(
    repo: Repository,
    config: str,
    name: str | None = None,
    *,
    run: Run | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> AddedModel:
    """Record a config of the work tree as a model version, and stage it with its files.

    Args:
        repo: The repository.
        config: The config, on disk.
        name: The model's name; None takes the config's, without its ending.
        run: Runs the config instead of reading it. Whoever passes this trusts it.
        force: Let a model that was made of another config be made of this one.
        dry_run: Tell what would be done, and do nothing.

    Raises:
        FormatError: The config cannot be read without running it, or holds no model.
        NotFoundError: It, or a file that it inherits from, is not there.
        ConflictError: The name is another model's, or the record's place is taken.
        InvalidInputError: The name cannot be one, or Git ignores the config.
    """
    path = repo.relative(config)
    if name is None:
        name = posixpath.splitext(posixpath.basename(path))[0]
    target = MODEL.path(name)
    notes: tuple[str, ...] = ()
    with nullcontext() if dry_run else repo.lock("veml model add"):
        old = _old_record(repo, target, path, force)
        if run is None:
            record = record_of(path, from_disk(repo), old)
        else:
            record, notes = ran_record(repo, path, run)
        files = [one for one in record.files if "::" not in one]
        refuse_outsiders(repo, [*files, target])
        data = record.to_bytes()
        if dry_run:
            staged = add_plain(repo, files, repo.staged_datasets(), dry_run=True)
        else:
            staged = stage_model(repo, target, record, files)
    return AddedModel(
        name, target, blob_id(data), path, old is None, MODEL.compare_facts(old, record),
        compare_configs({} if old is None else old.config, record.config),
        tuple(sorted({*staged, target})), run is not None, notes, old == record,
    )  # fmt: skip


def stage_model(repo: Repository, path: str, record: ModelRecord, files: list[str]) -> list[str]:
    """Write and stage a record with the files of its config; return those that changed the index.

    The files first: killed in between, what is staged is a config that its record does not know,
    which ``veml status`` tells.
    """
    staged = add_plain(repo, files, repo.staged_datasets())
    stage_record(repo, path, record.to_bytes())
    return staged


def _old_record(repo: Repository, target: str, config: str, force: bool) -> ModelRecord | None:
    """Return the record that is there; refuse one of another config, and what is no record."""
    if not os.path.lexists(repo.absolute(target)):
        return None
    try:
        old = record_on_disk(repo, MODEL, target)
    except FormatError:
        if force:
            return None
        raise
    if old is None:
        raise ConflictError(
            f"{target}: the record of the model belongs here, but another file is",
            hint="choose another name with --name",
            kind="would-lose-changes",
        )
    if old.path != config and not force:
        raise ConflictError(
            f"{target} is a model made of {old.path}, not of {config}",
            hint="choose another name with --name, or --force to make it of this config",
            kind="would-lose-changes",
        )
    return old
