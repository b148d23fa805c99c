"""What ``veml doctor`` says of git hooks and drivers; and all checks together."""

from __future__ import annotations

import os
import stat

from veml_hooks.install import hooks_status
from veml_vcs.repository.doctor import CHECKS, Check, Patient
from veml_vcs.repository.doctor.check import Said
from veml_vcs.repository.git.program import has_git


def _run(patient: Patient) -> Said:
    found = hooks_status(patient.repo)
    if found.hooks_path is not None:
        yield (
            "warning",
            f"core.hooksPath is {found.hooks_path}: git runs hooks from {found.folder} alone",
            'add to the hooks there: veml hook run NAME "$@"; or: veml hook install --force',
        )
    states: dict[str, list[str]] = {}
    for name, state in found.hooks.items():
        usable = state != "installed" or _is_executable(os.path.join(found.folder, name))
        states.setdefault(state if usable else "not executable", []).append(name)
    words = {
        "missing": "not installed: data folders will not follow git",
        "outdated": "written by another veml or for another Python",
        "foreign": "somebody else's, and veml's part is not in it",
        "not executable": "not executable, so git skips them",
    }
    for word, names in states.items():
        # Where git looks elsewhere, what is said above is all that counts.
        if word != "installed" and found.hooks_path is None:
            told = f"hooks {words[word]}: {', '.join(names)}"
            yield "warning", told, "veml hook install"
    missing = [name for name, there in found.drivers.items() if not there]
    if missing and has_git():
        yield (
            "warning",
            f"drivers not set up, so git merges and shows records by line: {', '.join(missing)}",
            "veml hook install",
        )
    if found.complete and "not executable" not in states and found.hooks_path is None:
        own = f"; your own run first: {', '.join(found.kept)}" if found.kept else ""
        yield "ok", f"all hooks and drivers are installed{own}", None


def _is_executable(path: str) -> bool:
    return bool(os.stat(path).st_mode & stat.S_IXUSR)


HOOKS = Check("hooks", "git hooks, merge and diff drivers", _run, in_repository=True)

ALL_CHECKS: tuple[Check, ...] = (*CHECKS[:6], HOOKS, *CHECKS[6:])
"""Hooks after the store, before what is under way."""
