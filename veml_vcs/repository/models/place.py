"""Whether there are models at all: what every command asks, before anything heavy is imported.

Reading records of models brings in the reader of configs; a repository without models shall not pay
for it in each ``status``, ``diff`` and ``commit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from veml_vcs.errors import FormatError
from veml_vcs.versions.data import RECORD_SUFFIX

if TYPE_CHECKING:
    from veml_vcs.repository.git.repo import TreeFile
    from veml_vcs.repository.models.changes import ModelDiff
    from veml_vcs.repository.models.refresh import RefreshedModel
    from veml_vcs.repository.models.stale import StaleModel
    from veml_vcs.repository.repository import Repository
    from veml_vcs.versions.models.merge import KeyConflict

MODELS_FOLDER = "models/"


def may_be_model(path: str) -> bool:
    """Tell by its path alone whether a file can be the record of a model."""
    return path.startswith(MODELS_FOLDER) and path.endswith(RECORD_SUFFIX)


def record_path(name: str) -> str:
    """Return where the record of a model lies, by a name that is known to be one."""
    return f"{MODELS_FOLDER}{name}{RECORD_SUFFIX}"


def is_model(data: bytes) -> bool:
    """Tell cheaply whether a file describes a model version, as ``is_model_record`` does."""
    return b'\n "kind": "model",\n' in data


def model_problem(data: bytes, where: str) -> str | None:
    """Return why a record of a model is none, or is not as veml writes it; None if it is sound."""
    from veml_vcs.versions.models import parse_model_record

    try:
        record = parse_model_record(data, where)
    except FormatError as error:
        return error.message
    return None if record.to_bytes() == data else f"{where}: it was edited by hand"


def any_model_diffs(
    repo: Repository,
    before: Mapping[str, TreeFile],
    after: Mapping[str, TreeFile],
    wanted: Callable[[str], bool] = lambda _path: True,
) -> tuple[ModelDiff, ...]:
    """Return ``model_diffs`` where a file that may be a model's record differs."""
    paths = [path for path in {*before, *after} if may_be_model(path)]
    if all(before.get(path) == after.get(path) for path in paths):
        return ()
    from veml_vcs.repository.models.changes import model_diffs

    return model_diffs(repo, before, after, wanted)


def any_refreshed(
    repo: Repository, wanted: Callable[[str], bool], *, dry_run: bool = False
) -> tuple[RefreshedModel, ...]:
    """Return ``refresh_models`` where a tracked file may be a model's record."""
    if not any(map(may_be_model, repo.git.tracked_paths(RECORD_SUFFIX))):
        return ()
    from veml_vcs.repository.models.refresh import refresh_models

    return refresh_models(repo, wanted, dry_run=dry_run)


def any_model_conflicts(
    repo: Repository, conflicted: Iterable[str]
) -> dict[str, tuple[KeyConflict, ...]]:
    """Return ``model_conflicts`` where a path in conflict may be a model's record."""
    if not any(map(may_be_model, conflicted)):
        return {}
    from veml_vcs.repository.models.merging import model_conflicts

    return model_conflicts(repo)


def any_stale_here(repo: Repository, staged: Iterable[str]) -> tuple[StaleModel, ...]:
    """Return ``stale_here`` where a tracked file may be a model's record."""
    if not any(map(may_be_model, staged)):
        return ()
    from veml_vcs.repository.models.stale import stale_here

    return stale_here(repo)


def any_stale_staged(
    repo: Repository, staged: Iterable[str], changed: Iterable[str]
) -> tuple[StaleModel, ...]:
    """Return ``stale_staged`` where a staged file may be a model's record."""
    if not any(map(may_be_model, staged)):
        return ()
    from veml_vcs.repository.models.stale import stale_staged

    return stale_staged(repo, changed)
