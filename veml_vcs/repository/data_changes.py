"""How the data sets of two commits differ, in counts: one line each of status, log and commit."""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.repository.absent import is_here
from veml_vcs.repository.change_counts import counts_between
from veml_vcs.repository.damage import Unreadable, unreadable
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Gap
from veml_vcs.versions.data import DataRecord


@dataclass(frozen=True)
class StagedData:
    """How a data set's staged version differs from HEAD's.

    Attributes:
        path: The folder.
        kind: ``new``, ``modified`` or ``deleted``.
        added: Number of new samples.
        changed: Number of samples with other bytes.
        annotated: Number of samples whose annotation alone differs.
        removed: Number of samples that are gone.
        files: Number of other files that differ.
        absent: The numbers are not known, because the data is not in this clone.
        unreadable: What cannot be read of HEAD's version or of the staged one, and is not counted.
    """

    path: str
    kind: str
    added: int = 0
    changed: int = 0
    annotated: int = 0
    removed: int = 0
    files: int = 0
    absent: bool = False
    unreadable: tuple[Unreadable, ...] = ()


def staged_data_changes(
    repo: Repository, old: dict[str, DataRecord], new: dict[str, DataRecord]
) -> tuple[StagedData, ...]:
    """Compare the data sets of two trees, down to counts of samples."""
    found = []
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        if before is None and after is not None:
            found.append(StagedData(path, "new", added=after.samples, files=after.files))
        elif after is None and before is not None:
            found.append(StagedData(path, "deleted", removed=before.samples, files=before.files))
        elif before is not None and after is not None:
            found.append(_compare(repo, path, before, after))
    return tuple(found)


def _compare(repo: Repository, path: str, old: DataRecord, new: DataRecord) -> StagedData:
    if not (is_here(repo, old) and is_here(repo, new)):
        return StagedData(path, "modified", absent=True)
    gaps: list[Gap] = []
    old_gaps: list[Gap] = []
    counts = counts_between(repo, old.tree, new.tree, gaps, old_gaps)
    unread = unreadable(path, new.tree, gaps) + unreadable(path, old.tree, old_gaps)
    return StagedData(path, "modified", *counts, unreadable=unread)
