"""Records that no commit should have: edited by hand, or in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from veml_vcs.errors import FormatError
from veml_vcs.ids import VersionId
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.data import RECORD_SUFFIX
from veml_vcs.versions.kinds import MODEL, Record, kind_of


class BlockedRecord(NamedTuple):
    """Why a commit is refused.

    Attributes:
        kind: Of what the record says it is.
        reason: What is wrong, with which path.
        hint: What to type.
    """

    kind: str
    reason: str
    hint: str


def blocked_records(repo: Repository, changed: Mapping[str, VersionId]) -> Iterator[BlockedRecord]:
    """Yield the records that a commit is refused for.

    What a model's record says is compared with its config elsewhere (``models/stale``).

    Args:
        repo: The repository.
        changed: The paths that the commit adds or changes, and their new blobs.
    """
    for path, blob in changed.items():
        if not path.endswith(RECORD_SUFFIX):
            continue
        data = repo.git.read_blob(blob)
        kind = kind_of(data)
        if kind is None:
            continue
        try:
            kind.name_of(path)
        except FormatError as error:
            move = f"git mv {path} {kind.folder}NAME{RECORD_SUFFIX}"
            yield BlockedRecord(kind.name, error.message, move)
            continue
        problem = None if kind is MODEL else record_problem(data, path)
        if problem is not None:
            back = f"veml restore --staged {path}, or veml checkout -- {path}"
            yield BlockedRecord(kind.name, problem, back)


def record_problem(data: bytes, where: str) -> str | None:
    """Return why a record is none, or not as veml writes it; None if it is sound, or of no kind."""
    return read_checked(data, where)[1]


def read_checked(data: bytes, where: str) -> tuple[Record | None, str | None]:
    """Return what a record of any of the kinds says, and what is wrong with it.

    Args:
        data: The file.
        where: Its path, for messages.
    """
    kind = kind_of(data)
    if kind is None:
        return None, None
    try:
        record: Record = kind.parse(data, where)
    except FormatError as error:
        return None, f"the record was edited by hand: {error.message}"
    if record.to_bytes() == data:
        return record, None
    return record, f"{where}: the record was edited by hand"
