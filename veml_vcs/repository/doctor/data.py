"""Data sets whose folder does not hold what their record says, or whose data is not here."""

from __future__ import annotations

from typing import Literal

from veml_vcs.ids import short
from veml_vcs.repository.absent import fetch_command, is_here
from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.worktree.follow import FolderBehind, folders_behind


def _run(patient: Patient) -> Said:
    repo = patient.repo
    datasets = repo.staged_datasets()
    behind = folders_behind(repo)
    for one in behind.values():
        yield _said(one)
    for path, record in datasets.items():
        if path not in behind and not is_here(repo, record):
            yield (
                "warning",
                f"{path}: the data of version {short(record.tree)} is not in this clone",
                fetch_command(repo),
            )
            behind[path] = FolderBehind(path, "absent")
    if not behind:
        count = len(datasets)
        yield "ok", f"{count} data set{'s' * (count != 1)}, all here" if count else "none", None


def _said(one: FolderBehind) -> tuple[Literal["warning", "broken"], str, str | None]:
    reason = one.reason or {
        "behind": "the folder holds another version than its record says"
        if one.held is not None
        else "its folder was not brought here yet",
        "gone": "the record is gone and the folder is still there",
    }.get(one.kind, one.kind)
    mend = one.hint or "veml checkout"
    state: Literal["warning", "broken"] = "broken" if one.kind == "unreadable" else "warning"
    return state, reason if reason.startswith(one.path) else f"{one.path}: {reason}", mend


CHECK = Check("data", "data sets and their folders", _run, in_repository=True)
