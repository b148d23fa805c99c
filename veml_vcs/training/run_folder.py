"""Where an unfinished training keeps its plan and state: inside Git's folder, never in a commit.

``.git/veml/runs/NAME/`` holds ``plan.json``, ``state.pth`` (weights, optimiser, schedules, log),
``train.log`` and a lock. It is removed when the training version is written: what is worth keeping
is in that. Every file is replaced whole, so a killed process leaves the state before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from veml_vcs.errors import ConflictError, NotFoundError
from veml_vcs.objects.lock import FileLock
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.runs import LOCK, PLAN, STATE, pending_trainings, run_folder
from veml_vcs.training.plan import Plan, read_plan

_LOG, _WRITTEN = "train.log", "written"
_LOCK_SECONDS = 15.0
"""Workers of a killed training hold its lock until they see that it is gone: some seconds."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of one unfinished training.

    Attributes:
        repo: The repository.
        name: Of the training.
    """

    repo: Repository
    name: str

    @cached_property
    def path(self) -> str:
        """Where it lies."""
        return run_folder(self.repo, self.name)

    @property
    def state_path(self) -> str:
        """Where the state lies, if there is one."""
        return os.path.join(self.path, STATE)

    @property
    def log_path(self) -> str:
        """Where the text log lies."""
        return os.path.join(self.path, _LOG)

    @property
    def begun(self) -> bool:
        """Whether there is a training to resume."""
        return self.repo.files.exists(os.path.join(self.path, PLAN))

    @property
    def has_state(self) -> bool:
        """Whether a step of it was kept."""
        return self.repo.files.exists(self.state_path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that trains it.

        Raises:
            LockedError: Another one does.
        """
        self.repo.create_store()
        self.repo.files.make_folder(self.path)
        lock = os.path.join(self.path, LOCK)
        with FileLock(lock, timeout_seconds=_LOCK_SECONDS, purpose=f"veml train {self.name}"):
            yield

    def refuse_begun(self, *, force: bool) -> None:
        """Refuse to begin anew what can go on.

        Args:
            force: Do not.

        Raises:
            ConflictError: There is an unfinished training of that name.
        """
        if self.begun and not force:
            raise ConflictError(
                f"the training {self.name!r} was interrupted and can go on",
                hint=f"veml train --resume --name {self.name}; --force throws it away",
                kind="unfinished-training",
            )

    def begin(self, plan: Plan) -> None:
        """Keep the plan of a new training, in the place of any other."""
        self.clear()
        self.repo.files.write_atomic(os.path.join(self.path, PLAN), plan.to_bytes())

    def plan(self) -> Plan:
        """Return the plan.

        Raises:
            NotFoundError: There is no unfinished training of that name.
        """
        if not self.begun:
            known = ", ".join(unfinished(self.repo)) or "none"
            raise NotFoundError(
                f"no unfinished training {self.name!r}; unfinished: {known}",
                hint="veml train --data DATA --model NAME begins one",
                kind="no-unfinished-training",
            )
        path = os.path.join(self.path, PLAN)
        return read_plan(bytes(self.repo.files.read(path)), path)

    def keep_state(self, data: bytes) -> None:
        """Replace the state.

        Raises:
            StorageError: The disk says no; the state before is still there.
        """
        self.repo.files.write_atomic(self.state_path, data)

    def write_log(self, line: str) -> None:
        """Add a line to the text log."""
        self.repo.files.append(self.log_path, line.encode("utf-8", "replace") + b"\n")

    def note_written(self, version: str) -> None:
        """Remember the partial training version that was written of this run."""
        self.repo.files.write_atomic(os.path.join(self.path, _WRITTEN), version.encode())

    def written(self) -> str | None:
        """Return the version id of the partial training version of this run."""
        path = os.path.join(self.path, _WRITTEN)
        return bytes(self.repo.files.read(path)).decode() if self.repo.files.exists(path) else None

    def clear(self, *, keep_log: bool = False) -> None:
        """Remove everything but the lock: another process may wait for it.

        Args:
            keep_log: Nor the text log, which says what went wrong.
        """
        for name in (PLAN, STATE, _WRITTEN) + (() if keep_log else (_LOG,)):
            path = os.path.join(self.path, name)
            if self.repo.files.exists(path):
                self.repo.files.remove(path)


def unfinished(repo: Repository) -> tuple[str, ...]:
    """Return the names of the trainings that can be resumed, the last one first."""
    return tuple(one.name for one in pending_trainings(repo))
