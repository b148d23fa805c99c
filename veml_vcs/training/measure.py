"""Measure a training version on a data version: its checkpoint runs, nothing is learnt.

What was measured is a fact about two version ids, so it is remembered as a Git note on the training
version (``refs/notes/veml/measured``, one JSON line each) and not measured again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from veml_vcs.errors import FormatError, InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.notes import read_note, write_note
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion
from veml_vcs.samples.facts import Annotation
from veml_vcs.training.engine import prepare_engine, require_engine
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.inputs import known_classes
from veml_vcs.training.interruption import Interruption
from veml_vcs.training.machine import Machine
from veml_vcs.training.measured import Measured
from veml_vcs.training.plan import Part, Plan
from veml_vcs.training.quiet import quiet
from veml_vcs.training.run_folder import RunFolder
from veml_vcs.training.train import run_of
from veml_vcs.training.watch import Quiet, Watcher

if TYPE_CHECKING:
    from veml_vcs.samples.tensors import Checkpoint
    from veml_vcs.training.run import Run

MEASURED_NOTES = "measured"


@dataclass(frozen=True)
class Measurement:
    """What a training version was measured to do on a part of a data version.

    Attributes:
        training: Version id of the training.
        path: The data set's folder.
        data: Version id of the data.
        part: How its samples were chosen; empty: all that are labelled.
        samples: How many.
        metrics: Name -> value.
        per_class: Class -> name -> value.
        predictions: Key -> what the network said; empty where it was only remembered.
    """

    training: VersionId
    path: str
    data: VersionId
    part: Mapping[str, Any]
    samples: int
    metrics: Mapping[str, float]
    per_class: Mapping[str, Mapping[str, float]]
    predictions: Mapping[str, Annotation] = field(default_factory=dict)


def measure(
    repo: Repository,
    training: TrainingVersion,
    part: Part,
    watcher: Watcher | None = None,
    machine: Machine | None = None,
    *,
    predictions: bool = False,
    note: bool = True,
) -> Measurement:
    """Measure a training version on samples of a data version.

    Args:
        repo: The repository.
        training: The training version.
        part: The samples; those of a record's data use are ``held_back.part_of_use``. Samples
            without labels count as empty, so give them for their predictions alone.
        watcher: Is told what is done.
        machine: How this machine computes.
        predictions: Also return what the network said of each sample; then it always runs.
        note: Remember it; not for samples without labels.

    Returns:
        Metrics as the training itself would have them on this data.

    Raises:
        MissingDependencyError: The engine is not installed.
        NotFoundError: Checkpoint or data is not in this clone.
        InvalidInputError: The data has a class that was not trained.
        FormatError: The checkpoint does not fit the config that the record says.
    """
    require_engine(training.record.task)
    if not predictions and (known := remembered(repo, training.id, part)) is not None:
        return known
    told = watcher or Quiet()
    told.doing(f"measuring {training.label} on {len(part)} samples of {part.path}")
    found, said = run_network(repo, training, part, machine)
    done = Measurement(
        training.id, part.path, part.version, dict(part.part), len(part.keys),
        found.metrics, found.per_class, said,
    )  # fmt: skip
    if note:
        remember(repo, done, part)
    return done


def run_network(
    repo: Repository,
    training: TrainingVersion,
    part: Part,
    machine: Machine | None = None,
    *,
    weights: Checkpoint | None = None,
) -> tuple[Measured, dict[str, Annotation]]:
    """Run a training version over samples.

    Args:
        repo: The repository.
        training: The training version.
        part: The samples.
        machine: How this machine computes.
        weights: Others than the training's own.

    Returns:
        What was measured against their annotations, and key -> what the network said.
    """
    with loaded(repo, training, part, machine, weights=weights) as run:
        from veml_vcs.training.runner import metric_of

        run.runner.val()
        found: Measured = metric_of(run.runner).measured
        return found, run.predictions().get(part.path, {})


@contextmanager
def loaded(
    repo: Repository,
    training: TrainingVersion,
    part: Part,
    machine: Machine | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    weights: Checkpoint | None = None,
) -> Iterator[Run]:
    """Build the network of a training version, with its weights, over samples.

    Args:
        repo: The repository.
        training: The training version.
        part: The samples.
        machine: How this machine computes.
        settings: Keys of the flat config -> values that they have here.
        weights: Others than the training's own.

    Raises:
        MissingDependencyError: The engine is not installed.
        FormatError: The engine cannot build it, or the checkpoint does not fit.
    """
    record = training.record
    kept = training.checkpoint() if weights is None else weights
    plan = measuring_plan(repo, training, part)
    plan = replace(plan, config={**plan.config, **(settings or {})})
    with tempfile.TemporaryDirectory(prefix="veml-measure-") as scratch:
        folder = _ScratchFolder(repo, training.name, scratch)
        with quiet(folder.write_log):
            prepare_engine(record.task)
            from veml_vcs.training.weights import load_weights

            run: Run = run_of(record.task)(
                repo, plan, folder, Quiet(), machine or Machine(), Interruption(), scratch
            )
            fitted = load_weights(run.runner.bare_model, kept, f"training {training.label}")
            if fitted.fresh or fitted.left:
                raise FormatError(
                    f"training {training.label}: its checkpoint is not of the network that its "
                    f"record describes: {', '.join((*fitted.fresh, *fitted.left)[:3])}",
                    kind="checkpoint-does-not-fit",
                )
            yield run


def measuring_plan(repo: Repository, training: TrainingVersion, part: Part) -> Plan:
    """Return a plan that builds a training version's network over samples, to train nothing.

    A forecaster's numbers have the scale of what it was trained on, so that is looked at.

    Raises:
        NotFoundError: What a forecaster was trained on is not in this clone.
        FormatError: They are of a series, and not the end that a training holds back.
    """
    record = training.record
    trained = [part]
    if record.task == "forecasting" and "fraction" not in part.part:
        raise FormatError(
            f"{part.path}: a forecaster is measured on the end of a series that is held back",
            kind="unknown-part",
        )
    if record.task == "forecasting":
        trained = [part_of_use(repo, use) for use in uses_of(training, "train")]
    return Plan(
        task=record.task,
        name=training.name,
        train=trained[0],
        also=tuple(trained[1:]),
        val=part,
        classes=classes_of(training),
        model=record.model.name,
        model_version=record.model.version,
        config=dict(record.config),
        seed=record.seed or 0,
        iterations=max(1, record.iterations or 1),
        epochs=record.epochs or None,
    )


def classes_of(training: TrainingVersion) -> tuple[str, ...]:
    """Return the classes that a training version tells apart, in the order of its labels.

    Raises:
        InvalidInputError: Its record says none: it was made elsewhere.
    """
    found = known_classes(training.record)
    if not found and training.record.task != "forecasting":
        raise InvalidInputError(
            f"training {training.label} does not say which classes it tells apart, so it cannot be "
            "measured: it was made elsewhere",
            hint="veml train --start makes one of its weights",
            kind="no-classes",
        )
    return found


def remembered(repo: Repository, training: VersionId, part: Part) -> Measurement | None:
    """Return what was measured before; None if it was not."""
    wanted = _about(part)
    for line in (read_note(repo, MEASURED_NOTES, training) or b"").splitlines():
        try:
            found = json.loads(line)
            if all(found[name] == value for name, value in wanted.items()):
                return Measurement(
                    training, part.path, part.version, dict(part.part), len(part.keys),
                    dict(found["metrics"]), dict(found["per_class"]),
                )  # fmt: skip
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # a line of another veml: it is measured anew
    return None


def remember(repo: Repository, done: Measurement, part: Part) -> None:
    """Note a measurement on the training version."""
    found = {**_about(part), "metrics": done.metrics, "per_class": done.per_class}
    line = json.dumps(found, sort_keys=True).encode()
    before = read_note(repo, MEASURED_NOTES, done.training) or b""
    if line not in before.splitlines():
        write_note(repo, MEASURED_NOTES, done.training, before + line + b"\n")


def _about(part: Part) -> dict[str, Any]:
    return {"data": part.version, "part": dict(part.part), "samples": len(part.keys)}


@dataclass(frozen=True)
class _ScratchFolder(RunFolder):
    """The folder of a run that is never to be resumed.

    Attributes:
        scratch: Where it lies.
    """

    scratch: str

    @cached_property
    def path(self) -> str:
        """Where it lies."""
        return os.path.join(self.scratch, "run")

    def write_log(self, line: str) -> None:
        """Let what libraries say go."""
