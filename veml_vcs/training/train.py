"""``veml train``: a plan is carried out, and what came of it becomes a training version.

The loop is MMEngine's. Interrupted, the state stays in the run's folder (``run_folder``), and the
weights so far are written as a partial version; ``resume`` goes on to what an uninterrupted run
would have become.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from veml_vcs.errors import InvalidInputError, NotFoundError, VemlError
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.write import require_free, write_training
from veml_vcs.training.engine import prepare_engine, require_engine
from veml_vcs.training.interruption import Interruption
from veml_vcs.training.machine import Machine
from veml_vcs.training.plan import Plan, Request
from veml_vcs.training.planning import make_plan
from veml_vcs.training.quiet import quiet
from veml_vcs.training.run_folder import RunFolder, unfinished
from veml_vcs.training.watch import Quiet, Watcher
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.trainings.outcome import Task

if TYPE_CHECKING:
    from veml_vcs.training.run import Run


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes:
        name: Of the training.
        path: Its record, from the repository's root.
        version: Its version id.
        status: ``complete``, or ``partial`` if it was interrupted.
        iterations: Steps done.
        of_iterations: Steps there were to be.
        metrics: What was measured.
        per_class: By class.
        samples: How many were trained on, and measured on; of a series windows.
        new_bytes: What the store had to take for the weights.
        task: What was learnt.
    """

    name: str
    path: str
    version: str
    status: str
    iterations: int
    of_iterations: int
    metrics: dict[str, float] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    samples: tuple[int, int] = (0, 0)
    new_bytes: int = 0
    task: Task = "detection"


def train(
    repo: Repository,
    request: Request,
    watcher: Watcher,
    machine: Machine | None = None,
    *,
    force: bool = False,
) -> Trained | None:
    """Train a model on a data version, and write and stage the training version.

    Args:
        repo: The repository.
        request: What to train.
        watcher: Is told how it goes.
        machine: How.
        force: Throw away an unfinished training of that name, and overwrite a record that no
            commit has.

    Returns:
        What came of it; None in all but the first of several processes.

    Raises:
        MissingDependencyError: The engine is not installed.
        VemlError: Whatever is wrong with what was asked, before anything is trained; or the loss
            is no number any more.
    """
    plan = make_plan(repo, request)
    require_engine(plan.task)
    folder = RunFolder(repo, plan.name)
    folder.refuse_begun(force=force)
    require_free(repo, plan.name, force=force)
    how = machine or Machine()
    if _rank(how) != 0:
        _meet(how)  # the first process throws away what lies there
        return _carry_out(repo, plan, folder, Quiet(), how, force=force)
    with folder.locked():
        folder.refuse_begun(force=force)  # another process may have begun it meanwhile
        folder.begin(plan)
        _meet(how)
        for note in plan.notes:
            watcher.note(note)
        try:
            return _carry_out(repo, plan, folder, watcher, how, force=force)
        except VemlError as error:
            # It never began; or it would come to the same end again.
            if not folder.has_state or error.kind == "loss-not-finite":
                folder.clear(keep_log=True)
            raise


def resume(
    repo: Repository, name: str | None, watcher: Watcher, machine: Machine | None = None
) -> Trained | None:
    """Go on with an interrupted training.

    Args:
        repo: The repository.
        name: Of the training; None is the only unfinished one.
        watcher: Is told how it goes.
        machine: How.

    Raises:
        NotFoundError: There is none.
        InvalidInputError: There are several, and no name is given.
        VemlError: As ``train``.
    """
    if name is None:
        known = unfinished(repo)
        if len(known) > 1:
            raise InvalidInputError(
                f"{len(known)} trainings are unfinished: {', '.join(known)}",
                hint=f"veml train --resume --name {known[0]}",
            )
        if not known:
            raise NotFoundError(
                "no training is unfinished",
                hint="veml train --data DATA --model NAME begins one",
                kind="no-unfinished-training",
            )
        name = known[0]
    folder = RunFolder(repo, name)
    how = machine or Machine()
    plan = folder.plan()
    require_engine(plan.task)
    if _rank(how) != 0:
        _meet(how)
        return _carry_out(repo, plan, folder, Quiet(), how, force=False)
    with folder.locked():
        plan = folder.plan()
        force = _wrote(repo, folder)
        require_free(repo, plan.name, force=force)
        _meet(how)
        return _carry_out(repo, plan, folder, watcher, how, force=force)


def _wrote(repo: Repository, folder: RunFolder) -> bool:
    """Tell whether the record that lies there is the partial one of this very run: no loss."""
    path = repo.absolute(TRAINING.path(folder.name))
    written = folder.written()
    if written is None or not repo.files.exists(path):
        return False
    return written == blob_id(bytes(repo.files.read(path)))


def _rank(machine: Machine) -> int:
    """Return which of several processes this one is."""
    if machine.launcher == "none":
        return 0
    from veml_vcs.training.launch import start_processes

    return start_processes(machine.launcher)


def _meet(machine: Machine) -> None:
    """Wait for the other processes, if there are any."""
    if machine.launcher != "none":
        from veml_vcs.training.launch import meet

        meet()


def run_of(task: Task) -> type[Run]:
    """Return what carries out a task; imports the engine."""
    if task == "forecasting":
        from veml_vcs.training.forecasting.run import ForecastRun

        return ForecastRun
    if task == "classification":
        from veml_vcs.training.classification.run import ClassificationRun

        return ClassificationRun
    from veml_vcs.training.detection_run import DetectionRun

    return DetectionRun


def _carry_out(
    repo: Repository,
    plan: Plan,
    folder: RunFolder,
    watcher: Watcher,
    machine: Machine,
    *,
    force: bool,
) -> Trained | None:
    """Train, and write what came of it."""
    watcher.doing("starting the engine")
    interruption = Interruption(
        lambda: watcher.note("stopping after this step; once more ends it at once")
    )
    repo.files.make_folder(folder.path)
    # MMEngine makes folders that nobody needs: elsewhere.
    scratch = tempfile.TemporaryDirectory(prefix="veml-train-")
    with scratch as elsewhere, quiet(folder.write_log), interruption.watched():
        prepare_engine(plan.task)
        run = run_of(plan.task)(repo, plan, folder, watcher, machine, interruption, elsewhere)
        complete = run.train()
        if not run.first:
            return None
        outcome = run.outcome(complete=complete)
        if complete:
            run.keep()  # whatever hinders the writing, the training is not lost
    watcher.doing("writing the training version")
    done = write_training(repo, outcome, plan.name, force=force)
    if complete:
        folder.clear()
    else:
        folder.note_written(done.version)
    return Trained(
        plan.name, done.path, done.version, outcome.status, outcome.iterations or 0,
        plan.iterations, dict(outcome.metrics),
        {name: dict(one) for name, one in outcome.per_class.items()},
        (len(plan.train), len(plan.val)), done.new_bytes, plan.task,
    )  # fmt: skip
