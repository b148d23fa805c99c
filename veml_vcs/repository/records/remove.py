"""``veml model rm``, ``training rm``, ``inference rm``: records out of the next commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.versions import NamedVersion, open_version, parse_spec
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.rm import RmResult, rm


def remove_records(
    repo: Repository,
    version: type[NamedVersion[Any]],
    names: Sequence[str],
    *,
    cached: bool = False,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> RmResult:
    """Remove records, as ``veml rm`` removes files; what they name stays.

    Raises:
        NotFoundError: There is no such name.
        ConflictError: A record has changes that no commit has.
    """
    kind = version.kind
    paths = [kind.path(parse_spec(kind, name).name) for name in names]
    staged = repo.git.staged_files()
    for name, path in zip(names, paths, strict=True):
        if "@" in name:
            raise InvalidInputError(f"{name}: a version stays in its commit; only NAME is removed")
        if path not in staged:
            open_version(repo, version, name)  # says which there are
    return rm(
        repo, [repo.absolute(path) for path in paths], cached=cached, force=force, dry_run=dry_run,
        progress=progress,
    )  # fmt: skip
