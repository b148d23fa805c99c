"""Locks: of veml, which the kernel lets go of with their owner, and files of Git's that stay."""

from __future__ import annotations

import os
from collections.abc import Iterator

from veml_vcs.errors import LockedError
from veml_vcs.objects.lock import FileLock
from veml_vcs.repository.doctor.check import Check, Patient, Said
from veml_vcs.repository.git.lock import SUFFIX, holder_of
from veml_vcs.repository.repository import Repository


def _run(patient: Patient) -> Said:
    repo = patient.repo
    quiet = True
    if repo.has_data and os.access(repo.folder, os.W_OK):
        try:
            with FileLock(os.path.join(repo.folder, "lock"), timeout_seconds=0, purpose="doctor"):
                pass
        except LockedError as error:
            quiet = False
            yield "note", error.message, error.hint
    for lock in _git_locks(repo):
        quiet = False
        owner, alive = holder_of(lock)
        if alive:
            yield "note", f"{lock} is held by {owner}", "wait for it to end"
        else:
            yield (
                "broken",
                f"{lock} was left by {owner}; whatever needs it waits and then fails",
                f"if no Git program runs any more: rm {lock}",
            )
    if quiet:
        yield "ok", "no locks are held", None


def _git_locks(repo: Repository) -> Iterator[str]:
    """Yield Git's lock files that no dead veml left: those the next veml command removes itself."""
    locks = repo.git.dulwich.locks
    for folder in dict.fromkeys((repo.git.control_folder, repo.git.common_folder)):
        for name in sorted(repo.files.listdir(folder)):
            if name.endswith(SUFFIX) and not locks.is_of_veml(os.path.join(folder, name)):
                yield os.path.join(folder, name)
    for folder, _, names in os.walk(os.path.join(repo.git.common_folder, "refs")):
        for name in sorted(names):
            if name.endswith(SUFFIX) and not locks.is_of_veml(os.path.join(folder, name)):
                yield os.path.join(folder, name)


CHECK = Check("locks", "locks, and who holds them", _run, in_repository=True)
