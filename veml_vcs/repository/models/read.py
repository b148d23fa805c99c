"""Read the config of a model out of a repository: from the work tree, the index or a commit."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from veml_vcs.errors import FormatError, NotFoundError
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.configs import read_config
from veml_vcs.versions.models import ModelRecord, compare_configs, flatten
from veml_vcs.versions.models.record import make_record

Read = Callable[[str], bytes]

MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class RanConfig:
    """What running a config told.

    Attributes:
        values: What it says, nested and plain.
        files: The files that were opened for it, on disk.
        parameters: How many parameters its model has; None if it could not be built.
        notes: Sentences about what could not be found out.
    """

    values: Mapping[str, Any]
    files: tuple[str, ...]
    parameters: int | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)


class Run(Protocol):
    """Runs a config, in a process of its own; the training room has it."""

    def __call__(self, path: str) -> RanConfig:
        """Run the config at a path on disk."""


def from_disk(repo: Repository) -> Read:
    """Return what reads files of the work tree."""

    def read(path: str) -> bytes:
        full = repo.absolute(path)
        # A link could lead to a file whose text no commit would hold.
        parent = os.path.realpath(os.path.dirname(full))
        try:
            status = os.lstat(full)
            inside = parent == repo.root or parent.startswith(repo.root + os.sep)
            if not stat.S_ISREG(status.st_mode) or not inside:
                raise FormatError(
                    f"{path}: a config is an ordinary file of the repository, not a link or folder",
                    kind="config-not-readable",
                )
            if status.st_size > MAX_BYTES:
                raise FormatError(
                    f"{path}: {status.st_size:,} bytes are more than any config has",
                    kind="config-not-readable",
                )
            with open(full, "rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise NotFoundError(
                f"{path}: {error.strerror or error}", hint="veml status", kind="no-such-path"
            ) from error

    return read


def from_git(repo: Repository, files: Mapping[str, TreeFile], where: str) -> Read:
    """Return what reads files of a Git tree or of the index."""

    def read(path: str) -> bytes:
        if path not in files:
            raise NotFoundError(f"{path}: not in {where}", kind="no-such-path")
        return repo.git.read_blob(files[path].blob)

    return read


def record_of(path: str, read: Read, old: ModelRecord | None = None) -> ModelRecord:
    """Return the record of a config, read and not run.

    Args:
        path: The config, from the repository's root.
        read: Reads the repository's files.
        old: A record of the same model: as long as the model is the same, so is its number of
            parameters, which reading does not tell.

    Raises:
        FormatError: The config cannot be read without running it, or holds no model.
        NotFoundError: It, or a file that it inherits from, is not there.
    """
    found = read_config(path, read)
    record = make_record(found.files, found.values)
    if old is not None and old.parameters is not None and _model(old) == _model(record):
        return ModelRecord(record.files, record.config, old.parameters)
    return record


def ran_record(repo: Repository, path: str, run: Run) -> tuple[ModelRecord, tuple[str, ...]]:
    """Return the record of a config that was run, and what could not be found out.

    Args:
        repo: The repository.
        path: The config, from the repository's root.
        run: Runs it.

    Raises:
        FormatError: It holds no model, or failed.
    """
    ran = run(repo.absolute(path))
    readable = _read_the_same(repo, path, ran)
    if readable is not None:
        return readable, ran.notes
    inside = [path]
    for file in ran.files:
        full = os.path.realpath(file)
        if full.startswith(repo.root + os.sep):
            inside.append(os.path.relpath(full, repo.root).replace(os.sep, "/"))
    files = tuple(one for one in dict.fromkeys(inside) if not one.startswith(".git/"))
    read = from_disk(repo)
    blobs = {one: str(blob_id(read(one))) for one in files}
    return make_record(files, ran.values, parameters=ran.parameters, ran=blobs), ran.notes


def _read_the_same(repo: Repository, path: str, ran: RanConfig) -> ModelRecord | None:
    """Return the record of a config that says the same when it is read; None if it does not.

    Running it then told nothing but the number of parameters, and everybody can check the record.
    """
    try:
        record = record_of(path, from_disk(repo))
    except (FormatError, NotFoundError):
        return None
    if compare_configs(record.config, flatten(ran.values)):
        return None
    return ModelRecord(record.files, record.config, ran.parameters)


def _model(record: ModelRecord) -> dict[str, str]:
    """Return what makes the model, not its training; 1 and 1.0 are told apart."""
    return {key: repr(one) for key, one in record.config.items() if key.startswith("model.")}
