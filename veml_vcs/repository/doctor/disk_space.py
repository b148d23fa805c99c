"""How much room is left where the store and the work tree lie."""

from __future__ import annotations

import os

from veml_vcs.repository.doctor.check import Check, Patient, Said

_LITTLE_BYTES = 1 << 30
_NOTHING_BYTES = 50 << 20
_NOTHING_FILES = 1000


def _run(patient: Patient) -> Said:
    repo = patient.repo
    seen: set[int] = set()
    for folder in (repo.root, repo.git.common_folder):
        device = os.stat(folder).st_dev
        if device in seen:
            continue
        seen.add(device)
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
        text = f"{free / (1 << 30):.1f} GiB free of {disk.f_blocks * disk.f_frsize / (1 << 30):.0f}"
        mend = "veml gc --dry-run says what gc would free; else make room"
        if free < _NOTHING_BYTES:
            yield "broken", f"the disk of {folder} is full: {text}", mend
        elif disk.f_files and disk.f_favail < _NOTHING_FILES:
            yield "broken", f"the disk of {folder} has room for {disk.f_favail} more files", mend
        elif free < _LITTLE_BYTES:
            yield "warning", f"the disk of {folder} is nearly full: {text}", mend
        else:
            yield "ok", f"{folder}: {text}", None


CHECK = Check("disk", "free disk space", _run, in_repository=True)
