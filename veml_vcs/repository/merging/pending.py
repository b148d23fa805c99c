"""Conflicts in data sets that a plain git command left: merge, rebase, cherry-pick, revert, stash.

Whatever the command was, the index keeps base, ours and theirs of a record in conflict (stages 1 to
3), and from these three the conflicts follow; so there is nothing to lose. ``pending.json`` (per
work tree) spares computing them again, and remembers the record in which open conflicts stand at
ours, by its blob id, so that it is known again should somebody ``git add`` it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from veml_vcs.errors import FormatError, VemlError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.repo import TreeFile, blob_id
from veml_vcs.repository.merging.conflict import NOT_MERGED, DataConflict
from veml_vcs.repository.merging.operation import operation_of
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.data import (
    RECORD_SUFFIX,
    DataRecord,
    dataset_path,
    is_data_record,
    parse_data_record,
)

BY_LINE = "git merged the record by line; veml resolve merges it by sample and by box"
"""The reason where nothing contradicts: merging it is all that is left to do."""
"""The kind of conflict of a record that has not been merged by sample yet."""

PENDING_FILE = "pending.json"
_FORMAT = 1
_MOST = 64  # entries kept: those of old merges are void, and harmless

Stages = tuple[VersionId | None, VersionId | None, VersionId | None]


@dataclass(frozen=True)
class Pending:
    """A record that git could not merge by itself.

    Attributes:
        path: The data set's folder.
        stages: Blob ids of base, ours and theirs.
        conflicts: What contradicts, settled or not.
        provisional: Blob id of the merged record in which ours stands; None if there is none.
    """

    path: str
    stages: Stages
    conflicts: tuple[DataConflict, ...]
    provisional: VersionId | None

    @property
    def open_conflicts(self) -> tuple[DataConflict, ...]:
        """The conflicts that are not settled yet."""
        return tuple(one for one in self.conflicts if one.choice is None)


def pending_conflicts(repo: Repository) -> dict[str, Pending]:
    """Return the data sets whose record is in conflict in the index, by path.

    Also those that were staged (``git add``) while conflicts were open.

    Computes the conflicts where the merge driver did not leave them (a clone where it is not set
    up, or data that came later).
    """
    known = {one.stages: one for one in load_pending(repo)}
    found: dict[str, Pending] = {}
    for file in repo.git.conflicted_paths():
        if not file.endswith(RECORD_SUFFIX):
            continue
        three = repo.git.conflict_stages(file)
        if not any(_is_record(repo, one) for one in three):
            continue
        path = dataset_path(file)
        stages = _stages(three)
        pending = known.get(stages)
        if pending is None or pending.path != path:
            pending = _compute(repo, path, stages)
        found[path] = pending
    staged = repo.git.staged_files() if known else {}
    for one in known.values():
        entry = staged.get(one.path + RECORD_SUFFIX)
        added = entry is not None and entry.blob == one.provisional
        if added and one.open_conflicts and one.path not in found and _is_alive(repo, one):
            found[one.path] = one
    return found


def _is_alive(repo: Repository, pending: Pending) -> bool:
    """Tell whether a staged record is of a merge under way, not HEAD's after it was given up."""
    if operation_of(repo.git) not in ("stash", "squash"):
        return True
    head = repo.git.files(repo.git.head().commit).get(pending.path + RECORD_SUFFIX)
    return head is None or head.blob != pending.provisional


def records_of(
    repo: Repository, path: str, stages: Stages
) -> tuple[DataRecord | None, DataRecord | None, DataRecord | None]:
    """Return the three records of a path in conflict.

    Raises:
        FormatError: One of them is not the record of a data version.
    """
    found = []
    for blob in stages:
        data = repo.git.read_blob(blob) if blob is not None else None
        if data is not None and not is_data_record(data):
            raise FormatError(f"{path}{RECORD_SUFFIX}: one side is not a record of a data version")
        found.append(parse_data_record(data, path) if data is not None else None)
    return found[0], found[1], found[2]


def load_pending(repo: Repository) -> list[Pending]:
    """Return what is remembered; a file that cannot be understood says nothing."""
    path = os.path.join(repo.private_folder, PENDING_FILE)
    if not repo.files.exists(path):
        return []
    try:
        stored = json.loads(bytes(repo.files.read(path)))
        check = stored.get("check")  # veml 0.1 wrote none
        if stored["veml"] != _FORMAT or check not in (None, _check(stored["pending"])):
            return []
        return [_parse(one) for one in stored["pending"]]
    except (AttributeError, ValueError, LookupError, TypeError, RecursionError):
        return []


def remember_pending(repo: Repository, new: Pending) -> None:
    """Remember the conflicts of one record."""
    others = [one for one in load_pending(repo) if one.stages != new.stages]
    _save(repo, [*others, new][-_MOST:])


def forget_pending(repo: Repository, path: str) -> None:
    """Forget the conflicts of a data set: they are settled."""
    old = load_pending(repo)
    left = [one for one in old if one.path != path]
    if left != old:
        _save(repo, left)


def _compute(repo: Repository, path: str, stages: Stages) -> Pending:
    from veml_vcs.repository.merging.record import merge_records

    try:
        merged = merge_records(repo, path, *records_of(repo, path, stages))
    except VemlError as error:
        reason = error.message + (f" ({error.hint})" if error.hint else "")
        return Pending(path, stages, (DataConflict(path, "", NOT_MERGED, reason),), None)
    if not merged.conflicts:
        return Pending(path, stages, (DataConflict(path, "", NOT_MERGED, BY_LINE),), None)
    provisional = blob_id(merged.record.to_bytes()) if merged.record is not None else None
    return Pending(path, stages, merged.conflicts, provisional)


def _stages(three: tuple[TreeFile | None, TreeFile | None, TreeFile | None]) -> Stages:
    base, ours, theirs = (one.blob if one is not None else None for one in three)
    return base, ours, theirs


def _is_record(repo: Repository, file: TreeFile | None) -> bool:
    return file is not None and is_data_record(repo.git.read_blob(file.blob))


def _save(repo: Repository, pending: list[Pending]) -> None:
    document: dict[str, Any] = {
        "veml": _FORMAT,
        "pending": [
            {
                "path": one.path,
                "stages": list(one.stages),
                "conflicts": [conflict.as_dict() for conflict in one.conflicts],
                "provisional": one.provisional,
            }
            for one in pending
        ],
    }
    document["check"] = _check(document["pending"])
    repo.files.make_folder(repo.private_folder)
    path = os.path.join(repo.private_folder, PENDING_FILE)
    repo.files.write_atomic(path, json.dumps(document, indent=1).encode() + b"\n", durable=False)


def _check(pending: Any) -> str:
    """Return the checksum: a changed letter could settle a conflict that nobody has looked at."""
    canonical = json.dumps(pending, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _parse(one: Mapping[str, Any]) -> Pending:
    base, ours, theirs = one["stages"]
    conflicts = tuple(DataConflict(**conflict) for conflict in one["conflicts"])
    return Pending(str(one["path"]), (base, ours, theirs), conflicts, one["provisional"])
