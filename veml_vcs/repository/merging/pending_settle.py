"""Settle the conflicts of data sets that a plain git command left.

The three records stand in the index, so settling is merging them once more with the choices made.
All data sets are merged before anything is written: they are settled together, or none is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from veml_vcs.errors import ConflictError, NotFoundError
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.merging.conflict import NOT_MERGED, refuse_both
from veml_vcs.repository.merging.pending import (
    BY_LINE,
    Pending,
    forget_pending,
    load_pending,
    pending_conflicts,
    records_of,
    remember_pending,
)
from veml_vcs.repository.merging.record import merge_records
from veml_vcs.repository.merging.rules import ConflictName
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.worktree.follow import follow
from veml_vcs.samples.annotations import Choice, Resolution
from veml_vcs.samples.annotations.conflicts import RESOLUTIONS
from veml_vcs.versions.data import RECORD_SUFFIX, DataRecord


@dataclass(frozen=True)
class Settled:
    """What becomes of one data set, before any of it is written.

    Attributes:
        path: The data set.
        record: Its merged record; None if it is gone.
        left: What is still in conflict; None if nothing is.
    """

    path: str
    record: DataRecord | None
    left: Pending | None = None


def plan_settlement(
    repo: Repository,
    path: str,
    choices: Mapping[str, Resolution],
    chosen: Mapping[ConflictName, Resolution],
) -> Settled:
    """Merge a data set once more with some keys settled, and write nothing but new objects.

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
        return Settled(path, _merge_now(repo, path, records, choice))
    settled: dict[ConflictName, Resolution] = {}
    for one in pending.conflicts:
        if one.choice in RESOLUTIONS and one.key not in choices:
            settled[one.name] = one.choice
    settled.update(chosen)
    merged = merge_records(repo, path, *records, choices=choices, chosen=settled)
    refuse_both(merged.conflicts, choices, chosen)
    record = merged.record
    if record is None or all(one.choice is not None for one in merged.conflicts):
        return Settled(path, record)
    blob = blob_id(record.to_bytes())
    return Settled(path, record, Pending(path, pending.stages, merged.conflicts, blob))


def plan_unmerged(repo: Repository) -> list[Settled]:
    """Merge the records that git could not, where no side contradicts the other.

    Their data came later, or the merge driver is not set up in this clone. Writes nothing but new
    objects; the caller holds the repository's lock.
    """
    return [
        Settled(path, merge_records(repo, path, *records_of(repo, path, one.stages)).record)
        for path, one in pending_conflicts(repo).items()
        if [left.path for left in one.conflicts] == [BY_LINE]
    ]


def apply_settlements(repo: Repository, settled: Sequence[Settled]) -> None:
    """Write what was planned: records first, then the index in one step; folders stay as they are.

    Killed before that step, all is still in conflict; killed after it, nothing is that was settled.
    """
    staged: dict[str, bytes] = {}
    gone: list[str] = []
    for one in settled:
        file = one.path + RECORD_SUFFIX
        if one.record is None:
            gone.append(file)
            repo.files.remove(repo.absolute(file))
            continue
        data = one.record.to_bytes()
        repo.write_file(file, data)
        if one.left is None:
            staged[file] = data
        else:
            remember_pending(repo, one.left)
    if staged or gone:
        repo.git.move_staged({}, staged, gone)
    for one in settled:
        if one.left is None:
            forget_pending(repo, one.path)


def bring_settled(
    repo: Repository, settled: Sequence[Settled], *, progress: Progress = silent
) -> None:
    """Write and stage what was settled, and bring the folders along.

    Raises:
        ConflictError: A folder has changes that would be lost: it stays as it is.
    """
    apply_settlements(repo, settled)
    asked = {one.path for one in settled}
    for one in follow(repo, progress=progress).left:
        if one.path in asked:
            if one.refused is not None:
                raise one.refused  # a full disk is no conflict
            raise ConflictError(
                f"settled, but the folder stays as it is: {one.reason}",
                hint=one.hint or "veml checkout",
            )


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
