"""Whether there are models at all: what every command asks, before anything heavy is imported.

Reading records of models brings in the reader of configs; a repository without models shall not pay
for it in each ``status``, ``diff`` and ``commit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.kinds import MODEL

if TYPE_CHECKING:
    from veml_vcs.repository.models.refresh import RefreshedModel
    from veml_vcs.repository.models.stale import StaleModel
    from veml_vcs.repository.repository import Repository
    from veml_vcs.versions.models.merge import KeyConflict


def any_refreshed(
    repo: Repository, wanted: Callable[[str], bool], *, dry_run: bool = False
) -> tuple[RefreshedModel, ...]:
    """Return ``refresh_models`` where a tracked file may be a model's record."""
    if not any(map(MODEL.may_be, repo.git.tracked_paths(RECORD_SUFFIX))):
        return ()
    from veml_vcs.repository.models.refresh import refresh_models

    return refresh_models(repo, wanted, dry_run=dry_run)


def any_model_conflicts(
    repo: Repository, conflicted: Iterable[str]
) -> dict[str, tuple[KeyConflict, ...]]:
    """Return ``model_conflicts`` where a path in conflict may be a model's record."""
    if not any(map(MODEL.may_be, conflicted)):
        return {}
    from veml_vcs.repository.models.merging import model_conflicts

    return model_conflicts(repo)


def any_stale_here(repo: Repository, staged: Iterable[str]) -> tuple[StaleModel, ...]:
    """Return ``stale_here`` where a tracked file may be a model's record."""
    if not any(map(MODEL.may_be, staged)):
        return ()
    from veml_vcs.repository.models.stale import stale_here

    return stale_here(repo)


def any_stale_staged(
    repo: Repository, staged: Iterable[str], changed: Iterable[str]
) -> tuple[StaleModel, ...]:
    """Return ``stale_staged`` where a staged file may be a model's record."""
    if not any(map(MODEL.may_be, staged)):
        return ()
    from veml_vcs.repository.models.stale import stale_staged

    return stale_staged(repo, changed)
