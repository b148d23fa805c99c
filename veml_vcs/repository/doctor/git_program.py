"""Whether C git is there, and new enough for the hooks and drivers that make plain git agree."""

from __future__ import annotations

import re
import shutil
import subprocess

from veml_vcs.repository.doctor.check import Check, Patient, Said

_LEAST = (2, 22)
"""``post-index-change``, by which folders follow ``git reset --hard`` and ``git stash``."""


def _run(_patient: Patient) -> Said:
    path = shutil.which("git")
    install = "install Git 2.22 or later with your system's package manager"
    if path is None:
        yield "warning", "git is not installed; veml works without it, but hooks need it", install
        return
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)\S*", done.stdout)
    if done.returncode or found is None:
        said = (done.stderr or done.stdout).strip().splitlines()
        yield "broken", f"{path} does not work: {said[-1] if said else done.returncode}", install
    elif (int(found[1]), int(found[2])) < _LEAST:
        yield (
            "warning",
            f"git {found[0]} has no hook after reset and stash; folders follow at the next command",
            install,
        )
    else:
        yield "ok", f"git {found[0]}, {path}", None


CHECK = Check("git", "the program git", _run)
