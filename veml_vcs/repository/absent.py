"""Data that this clone does not have: how that is noticed, and what is said.

A plain ``git clone`` brings records and no data. Whether a version is here is told by the root of
its tree, which every writer stores last.
"""

from __future__ import annotations

import contextlib
import os

from veml_vcs.errors import NotFoundError
from veml_vcs.ids import ObjectId, short
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.source import FETCH_HINT, local_remote
from veml_vcs.versions.data import DataRecord


def is_here(repo: Repository, record: DataRecord) -> bool:
    """Tell whether the store has a data version."""
    return record.tree in repo.store


def require_here(
    repo: Repository,
    path: str,
    record: DataRecord | None,
    revision: str | None = None,
    *,
    then: str = "veml checkout",
) -> None:
    """Refuse to go on with a version whose data is not in this clone.

    Args:
        repo: The repository.
        path: The data set.
        record: The version; None is nothing, and always here.
        revision: Where it is from; None is HEAD, the index, or what is being merged.
        then: What to type once the data is here, where no revision is named.

    Raises:
        NotFoundError: It is not; the hint is the command that gets it.
    """
    if record is not None and not is_here(repo, record):
        with contextlib.suppress(NotFoundError):
            repo.store.size(ObjectId(record.tree))  # a pack that cannot be read is named
        raise absent_error(repo, path, record, revision, then=then)


def absent_error(
    repo: Repository,
    path: str,
    record: DataRecord,
    revision: str | None = None,
    *,
    then: str = "veml checkout",
) -> NotFoundError:
    """Return the error for a version whose data is not in this clone."""
    where = f" at {revision}" if revision else ""
    return NotFoundError(
        f"{path}{where}: the data of version {short(record.tree)} ({record.samples:,} samples, "
        f"{record.content_bytes:,} bytes) is not in this clone",
        hint=fetch_command(repo, revision, then=then),
        kind="data-missing",
    )


def fetch_command(
    repo: Repository, revision: str | None = None, *, then: str = "veml checkout"
) -> str:
    """Return the command that gets the data of a revision (None: of HEAD and of a merge)."""
    what = f" {revision}" if revision else ""
    remote = local_remote(repo)
    if remote is not None and os.path.isdir(remote):
        return f"veml data fetch{what}" + ("" if revision else f", then {then}")
    return f"veml data fetch --from PATH{what}, where PATH is {FETCH_HINT.partition(' is ')[2]}"
