"""Trainings that are begun and not done: where they lie, and what ``veml status`` says of them.

``.git/veml/runs/NAME/``; what stands in it is ``training.run_folder``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import quote, unquote

from veml_vcs.objects.lock import is_locked
from veml_vcs.repository.repository import Repository

PLAN, STATE, LOCK = "plan.json", "state.pth", "lock"


@dataclass(frozen=True)
class PendingTraining:
    """A training that has begun.

    Attributes:
        name: Of it.
        running: Whether a process trains it now; else it was interrupted, and can go on.
    """

    name: str
    running: bool


def run_folder(repo: Repository, name: str) -> str:
    """Return the folder of one training."""
    return os.path.join(_runs_folder(repo), quote(name, safe=""))


def pending_trainings(repo: Repository) -> tuple[PendingTraining, ...]:
    """Return the trainings that are begun and not done, the last one first."""
    folder = _runs_folder(repo)
    if not repo.files.exists(folder):
        return ()
    found = []
    for entry in repo.files.listdir(folder):
        one = os.path.join(folder, entry)
        plan, state = os.path.join(one, PLAN), os.path.join(one, STATE)
        if repo.files.exists(plan):
            changed = repo.files.modified_ns(state if repo.files.exists(state) else plan)
            running = is_locked(os.path.join(one, LOCK))
            found.append((changed or 0, unquote(entry), running))
    return tuple(PendingTraining(name, running) for _, name, running in sorted(found, reverse=True))


def _runs_folder(repo: Repository) -> str:
    return os.path.join(repo.private_folder, "runs")
