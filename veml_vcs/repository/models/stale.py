"""Which records of models do not say what their configs say: changed since, missing, edited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.models.read import Read, from_disk, from_git, record_of
from veml_vcs.repository.models.versions import models_in
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import MODEL
from veml_vcs.versions.models import ConfigChange, ModelRecord, compare_configs

_KEYS_LISTED = 3


@dataclass(frozen=True)
class StaleModel:
    """A record of a model that is not what its config says.

    Attributes:
        path: The record, from the repository's root.
        kind: ``changed`` (the config says something else), ``missing`` (a file of the config is
            not there), ``unreadable`` (the config cannot be read any more) or ``edited`` (the
            record is not as veml writes it).
        reason: What is wrong, in words.
        hint: What to type next.
        changes: Keys of the config that say something else than the record.
    """

    path: str
    kind: str
    reason: str
    hint: str
    changes: tuple[ConfigChange, ...] = ()


def stale_models(
    repo: Repository,
    files: Mapping[str, TreeFile],
    read: Read,
    changed: Iterable[str] | None = None,
) -> tuple[StaleModel, ...]:
    """Compare the records of models with their configs.

    Args:
        repo: The repository.
        files: The Git tree, index or work tree whose records are looked at.
        read: Reads the configs beside them.
        changed: Look only at models of which the record or a file of the config is among these
            paths; None looks at all.
    """
    if not any(map(MODEL.may_be, files)):
        return ()
    models = models_in(repo, files)
    touched = None if changed is None else set(changed)
    found = [_edited(path, error) for path, error in models.unreadable.items()
             if touched is None or path in touched]  # fmt: skip
    for name, record in models.records.items():
        path = MODEL.path(name)
        if touched is not None and not touched & {path, *record.files}:
            continue
        data = repo.git.read_blob(files[path].blob)
        one = check_model(name, record, data, read)
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.path))


def stale_here(repo: Repository) -> tuple[StaleModel, ...]:
    """Compare the tracked records of the work tree with the configs beside them.

    A config in conflict says nothing; that it is, is told elsewhere.
    """
    staged = {path: file for path, file in repo.git.staged_files().items() if MODEL.may_be(path)}
    here = {}
    for path in staged:
        file = repo.git.worktree_file(path)
        if file is not None:
            here[path] = file
    found = stale_models(repo, here, from_disk(repo))
    conflicted = set(repo.git.conflicted_paths())
    if not conflicted:
        return found
    records = models_in(repo, here).records
    settled = {MODEL.path(name) for name, one in records.items() if not conflicted & set(one.files)}
    return tuple(one for one in found if one.path in settled or one.kind == "edited")


def stale_staged(repo: Repository, changed: Iterable[str]) -> tuple[StaleModel, ...]:
    """Compare the staged records with the staged configs, of models that a commit changes."""
    files = repo.git.staged_files()
    return stale_models(repo, files, from_git(repo, files, "the index"), changed)


def check_model(name: str, record: ModelRecord, data: bytes, read: Read) -> StaleModel | None:
    """Tell how a record is not what its config says; None if it is, or nobody can tell here.

    Args:
        name: The model.
        record: Its record.
        data: The record's bytes.
        read: Reads the config's files.
    """
    path = MODEL.path(name)
    if record.to_bytes() != data:
        return _edited(path, None, record)
    again = f"veml model add {record.path} --name {name}"
    if record.ran:
        return _check_ran(path, record, read, again + " --trust")
    try:
        now = record_of(record.path, read, record)
    except NotFoundError as error:
        if error.kind == "config-base":
            return None  # the package that it inherits from is not installed on this machine
        return StaleModel(path, "missing", error.message, _elsewhere(name))
    except FormatError as error:
        return StaleModel(
            path, "unreadable", error.message,
            f"write it so that it can be read, then {again}; or {again} --trust",
        )  # fmt: skip
    changes = compare_configs(record.config, now.config)
    if not changes and now.files == record.files:
        return None
    what = described(changes) if changes else "it is made of other files"
    return StaleModel(path, "changed", f"{record.path} says something else: {what}", again, changes)


def described(changes: tuple[ConfigChange, ...]) -> str:
    """Return the first keys that differ, in words."""
    words: dict[str, Callable[[ConfigChange], str]] = {
        "changed": lambda one: f"{one.key} {_short(one.old)} -> {_short(one.new)}",
        "added": lambda one: f"+{one.key}",
        "removed": lambda one: f"-{one.key}",
    }
    listed = [words[one.kind](one) for one in changes[:_KEYS_LISTED]]
    if len(changes) > _KEYS_LISTED:
        listed.append(f"and {len(changes) - _KEYS_LISTED:,} more")
    return ", ".join(listed)


def _check_ran(path: str, record: ModelRecord, read: Read, again: str) -> StaleModel | None:
    """Compare the text of a config that was run: nothing else is known without running it."""
    for file, blob in record.ran.items():
        try:
            now = blob_id(read(file))
        except (NotFoundError, FormatError) as error:
            return StaleModel(path, "missing", error.message, again)
        if now != blob:
            return StaleModel(path, "changed", f"{file} changed since it was run", again)
    return None


def _edited(path: str, error: FormatError | None, record: ModelRecord | None = None) -> StaleModel:
    name = MODEL.bare_name(path)
    reason = error.message if error is not None else f"{path}: it is not in veml's form"
    config = "CONFIG" if record is None else record.path
    return StaleModel(
        path, "edited", f"the record was edited by hand: {reason}",
        f"git checkout -- {path}, or veml model add {config} --name {name} --force",
    )  # fmt: skip


def _elsewhere(name: str) -> str:
    return f"veml model add ITS-NEW-PLACE --name {name} --force, or veml model rm {name}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 30 else text[:27] + "..."
