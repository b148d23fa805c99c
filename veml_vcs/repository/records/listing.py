"""``veml training ls``, ``inference ls``: the records of a commit, and which are stale.

Models are listed by what their configs say today (``models/listing``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.records.stale import StaleRecord, stale_records
from veml_vcs.repository.records.versions import files_at, records_in
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import R, RecordKind


@dataclass(frozen=True)
class ListedRecord(Generic[R]):
    """One version in a list.

    Attributes:
        name: Its name.
        version: Its version id; None if its record cannot be read.
        record: What it is; None if its record cannot be read.
        problem: Why it cannot be.
        stale: How what it is of moved on since.
    """

    name: str
    version: VersionId | None
    record: R | None = None
    problem: str = ""
    stale: tuple[str, ...] = ()


def list_records(
    repo: Repository, kind: RecordKind[R], revision: str | None = None
) -> tuple[ListedRecord[R], ...]:
    """Return the versions of a commit, or those that are staged (None), by name.

    Raises:
        NotFoundError: There is no such revision.
    """
    files = files_at(repo, revision)
    found = records_in(repo, kind, files)
    stale: dict[str, list[StaleRecord]] = {}
    for one in stale_records(repo, files, kind):
        stale.setdefault(one.name, []).append(one)
    listed: list[ListedRecord[R]] = [
        ListedRecord(kind.bare_name(path), None, problem=error.message)
        for path, error in found.unreadable.items()
    ]
    for name, record in found.records.items():
        why = tuple(one.reason for one in stale.get(name, ()))
        listed.append(ListedRecord(name, blob_id(record.to_bytes()), record, stale=why))
    return tuple(sorted(listed, key=lambda one: one.name))
