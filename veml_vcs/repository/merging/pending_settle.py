"""Settle the conflicts of one data set that a plain git command left.

The three records stand in the index, so settling is merging them once more with the choices made.
"""

from __future__ import annotations

from collections.abc import Mapping

from veml_vcs.errors import ConflictError, NotFoundError
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.merging.conflict import refuse_both
from veml_vcs.repository.merging.pending import (
    NOT_MERGED,
    Pending,
    forget_pending,
    load_pending,
    pending_conflicts,
    records_of,
    remember_pending,
)
from veml_vcs.repository.merging.record import merge_records
from veml_vcs.repository.merging.rules import ConflictName
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.annotations import Choice, Resolution
from veml_vcs.samples.annotations.conflicts import RESOLUTIONS
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord


def settle_pending(
    repo: Repository,
    path: str,
    choices: Mapping[str, Resolution],
    chosen: Mapping[ConflictName, Resolution],
) -> None:
    """Settle some keys of a data set; once none is open, its record is staged.

    The folder is brought along by the caller.

    Args:
        repo: The repository, whose lock the caller holds.
        path: The data set.
        choices: Key -> side or both, for all conflicts of a sample or file.
        chosen: Conflict -> side or both, for single ones.

    Raises:
        NotFoundError: There is no such conflict, or data is missing.
        InvalidInputError: Both are asked for where that has no meaning.
    """
    pending = pending_conflicts(repo).get(path) or _staged(repo, path)
    if pending is None:
        raise NotFoundError(f"no conflict in {path}", kind="no-conflict")
    known = {one.key for one in pending.conflicts}
    for key in [*choices, *(name[0] for name in chosen)]:
        if key not in known:
            raise NotFoundError(
                f"no conflict at {path}/{key}", hint="veml status lists them", kind="no-conflict"
            )
    records = records_of(repo, path, pending.stages)
    if any(one.kind == NOT_MERGED for one in pending.conflicts):
        refuse_both(pending.conflicts, choices, chosen)
        choice = choices[""]
        assert choice != "both"
        _finish(repo, path, _merge_now(repo, path, records, choice))
        return
    settled: dict[ConflictName, Resolution] = {}
    for one in pending.conflicts:
        if one.choice in RESOLUTIONS and one.key not in choices:
            settled[one.name] = one.choice
    settled.update(chosen)
    merged = merge_records(repo, path, *records, choices=choices, chosen=settled)
    refuse_both(merged.conflicts, choices, chosen)
    record = merged.record
    if record is None or all(one.choice is not None for one in merged.conflicts):
        _finish(repo, path, record)
        return
    data = record.to_bytes()
    repo.files.write_atomic(repo.absolute(path + RECORD_SUFFIX), data)
    remember_pending(repo, Pending(path, pending.stages, merged.conflicts, blob_id(data)))


def _merge_now(
    repo: Repository,
    path: str,
    records: tuple[DataRecord | None, DataRecord | None, DataRecord | None],
    choice: Choice,
) -> DataRecord | None:
    """Merge what git could not; take one side whole only where nothing else is possible."""
    try:
        return merge_records(repo, path, *records, default=choice).record
    except ConflictError:
        return dict(zip(("base", "ours", "theirs"), records, strict=True))[choice]


def _staged(repo: Repository, path: str) -> Pending | None:
    """Return the conflicts of a record that was staged while they were open."""
    file = repo.git.staged_files().get(path + RECORD_SUFFIX)
    for one in load_pending(repo):
        if one.path == path and file is not None and one.provisional == file.blob:
            return one
    return None


def _finish(repo: Repository, path: str, record: DataRecord | None) -> None:
    """Stage the settled record, or that the data set is gone."""
    file = path + RECORD_SUFFIX
    if record is None:
        repo.files.remove(repo.absolute(file))
        repo.git.unstage([file])
    else:
        data = record.to_bytes()
        repo.files.write_atomic(repo.absolute(file), data)
        repo.git.stage_blobs({file: data})
    forget_pending(repo, path)
