"""Carry a rebuild out, step by step: label, merge, train, measure. What is done is not done again.

What each step made is either kept in the state (the merged data), or found again where it belongs:
measurements as notes, an unfinished training in its run's folder, a finished one as a record that
says of which rebuild it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from veml_vcs.errors import ConflictError, InvalidInputError, NotFoundError, VemlError
from veml_vcs.lifecycle.rebuild.labels import csv_path, known_labels, read_labels, write_list
from veml_vcs.lifecycle.rebuild.merged import measured_data, merge_data
from veml_vcs.lifecycle.rebuild.request import RebuildRequest
from veml_vcs.lifecycle.rebuild.series import trained_on
from veml_vcs.lifecycle.rebuild.settle import Unmoved, settle
from veml_vcs.lifecycle.rebuild.state import Method, Rebuild, RebuildFolder, begun_folder
from veml_vcs.repository.data.combine import Incoming
from veml_vcs.repository.data.parts import some_of
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion, open_training
from veml_vcs.training.batch_norm import adapt_statistics
from veml_vcs.training.held_back import part_of_use
from veml_vcs.training.machine import Machine
from veml_vcs.training.measure import classes_of, measure
from veml_vcs.training.plan import Part, Request
from veml_vcs.training.run_folder import RunFolder
from veml_vcs.training.train import resume, train
from veml_vcs.training.watch import Watcher


@dataclass(frozen=True)
class Accuracy:
    """What was measured on one distribution, before and after.

    Attributes:
        data: The data set's folder.
        samples: How many samples; of a series, steps.
        before: Metrics of the old training.
        after: Metrics of the new one.
    """

    data: str
    samples: int
    before: Mapping[str, float]
    after: Mapping[str, float]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild came to.

    Attributes:
        status: ``complete``; ``waiting`` for labels; ``partial``: the training was interrupted;
            ``planned``: a dry run.
        name: Of the new training.
        training: The one that is rebuilt.
        method: How.
        why: Why so.
        selection: How samples were chosen, of active learning.
        labels: How many samples of the new data had to be labelled.
        samples: How many there are; of a series, steps.
        path: Record of the new training; empty before there is one.
        version: Its version id.
        data: The merged data set; empty where none is made.
        trained_on: How many samples were trained on; of a series, windows.
        listed: The list of what is to be labelled, from the repository's root.
        old: Accuracy on what the old training held back; None where nothing is known of it.
        new: Accuracy on the new data; None where nothing of it is labelled.
        seconds: How long training took, of this call.
        drift: What was measured of the two distributions.
        chosen: Keys of the new data that are learnt from.
        notes: What the user should know.
        task: What is learnt; ``forecasting`` counts steps of a series, and trains on windows.
    """

    status: Literal["complete", "waiting", "partial", "planned"]
    name: str
    training: str
    method: Method
    why: str
    selection: str
    labels: int
    samples: int
    path: str = ""
    version: str = ""
    data: str = ""
    trained_on: int = 0
    listed: str = ""
    old: Accuracy | None = None
    new: Accuracy | None = None
    seconds: float = 0.0
    drift: Mapping[str, Any] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    task: str = "detection"


def rebuild(
    repo: Repository,
    request: RebuildRequest,
    watcher: Watcher,
    machine: Machine | None = None,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Rebuilt | Unmoved:
    """Rebuild a training for new data.

    Args:
        repo: The repository.
        request: What the user asks for.
        watcher: Is told how it goes.
        machine: How this machine trains.
        dry_run: Settle it, and do nothing.
        progress: Is told how far embedding is.

    Returns:
        What it came to; ``Unmoved`` where ``auto`` finds nothing to do.

    Raises:
        VemlError: Whatever is wrong with what was asked, before anything is done; or what stopped
            the training. What was begun can go on.
    """
    settled = settle(repo, request, watcher, progress)
    if isinstance(settled, Unmoved):
        return settled
    if dry_run:
        return _result(settled, "planned")
    folder = RebuildFolder(repo, settled.name)
    with folder.locked():
        folder.refuse_begun()
        if settled.waits:
            _refuse_listed(repo, settled)
            write_list(repo, settled, classes_of(_old(repo, settled)))
            folder.keep(settled)
            return _result(settled, "waiting")
        folder.keep(settled)
        try:
            return _carry(repo, folder, settled, watcher, machine, progress)
        except VemlError:
            if not RunFolder(repo, settled.name).begun and folder.read() == settled:
                folder.clear()  # it never began
            raise


def go_on(
    repo: Repository,
    name: str | None,
    watcher: Watcher,
    machine: Machine | None = None,
    *,
    labels: str | None = None,
    partial: bool = False,
    progress: Progress = silent,
) -> Rebuilt:
    """Go on with a rebuild that waits for labels, or that was interrupted.

    Args:
        repo: The repository.
        name: Of the training that it makes; None is the only one that is begun.
        watcher: Is told how it goes.
        machine: How this machine trains.
        labels: The labels that came, a COCO file on disk.
        partial: Go on without samples that have no labels in it.
        progress: Is told how far it is.

    Raises:
        NotFoundError: None is begun, or there is no such file.
        InvalidInputError: It waits for labels, and none or too few came.
        ConflictError: The training that is rebuilt is another version now.
    """
    folder = begun_folder(repo, name)
    with folder.locked():
        settled = folder.read()
        known: Incoming | None = None
        if settled.waits:
            if labels is None:
                raise InvalidInputError(
                    f"the rebuild {settled.name!r} waits for labels of {settled.labels_needed} "
                    f"samples, listed in {settled.listed}",
                    hint=f"veml rebuild --continue LABELS{os.path.splitext(settled.listed)[1]} "
                    f"--name {settled.name}",
                    kind="waits-for-labels",
                )
            known, mark = read_labels(
                repo, settled, labels, classes_of(_old(repo, settled)), partial=partial
            )  # fmt: skip
            settled = replace(
                settled,
                labels_digest=mark,
                chosen=tuple(key for key in settled.chosen if key in known.contents),
                measured=tuple(key for key in settled.measured if key in known.contents),
            )
            _refuse_one_sided(settled, labels)
        elif labels is not None:
            raise InvalidInputError(
                f"the rebuild {settled.name!r} waits for no labels",
                hint=f"veml rebuild --continue --name {settled.name}",
            )
        return _carry(repo, folder, settled, watcher, machine, progress, known)


def abort(repo: Repository, name: str | None) -> Rebuild:
    """Give a rebuild up: its state goes, and the unfinished training with it.

    Data versions that it staged stay: ``veml rm`` takes them away. Lists and labels stay, too.

    Args:
        repo: The repository.
        name: Of the training that it makes; None is the only one that is begun.

    Raises:
        NotFoundError: None is begun.
    """
    folder = begun_folder(repo, name)
    with folder.locked():
        settled = folder.read()
        run = RunFolder(repo, settled.name)
        if run.begun:
            with run.locked():
                run.clear()
        folder.clear()
    return settled


def _refuse_one_sided(settled: Rebuild, labels: str) -> None:
    if not settled.chosen or (settled.test is None and not settled.measured):
        what = "train" if not settled.chosen else "measure"
        raise InvalidInputError(
            f"{labels}: not one of the samples to {what} with has labels",
            hint=f"the column purpose of {csv_path(settled.listed)} tells them",
            kind="labels-missing",
        )


def _refuse_listed(repo: Repository, settled: Rebuild) -> None:
    if repo.files.exists(repo.absolute(settled.listed)):
        raise ConflictError(
            f"{settled.listed} is there already, maybe with labels in it",
            hint="move it away, or --list FOLDER writes the list elsewhere",
            kind="would-lose-changes",
        )


def _old(repo: Repository, settled: Rebuild) -> TrainingVersion:
    """Open the training that is rebuilt.

    Raises:
        ConflictError: It is another version now.
    """
    found = open_training(repo, settled.training)
    if found.id != settled.version:
        raise ConflictError(
            f"training {settled.training} is another version now than when the rebuild "
            f"{settled.name!r} was begun ({settled.version[:10]})",
            hint=f"veml rebuild --abort --name {settled.name}, and begin it again",
            kind="moved-on",
        )
    return found


def _carry(
    repo: Repository,
    folder: RebuildFolder,
    settled: Rebuild,
    watcher: Watcher,
    machine: Machine | None,
    progress: Progress,
    known: Incoming | None = None,
) -> Rebuilt:
    """Do what is not done yet."""
    old = _old(repo, settled)
    for note in settled.notes:
        watcher.note(note)
    if settled.method in ("full", "active") and settled.trained_on is None:
        settled = _with_data(repo, folder, settled, old, known, progress)
    held = next((use for use in old.record.data if use.role == "val"), None)
    held_part = None if held is None else part_of_use(repo, held)
    before_old = _measured(repo, old, held_part, watcher, machine)
    before_new = _measured(repo, old, settled.test, watcher, machine)
    began = time.monotonic()
    status = _train(repo, settled, old, watcher, machine)
    seconds = time.monotonic() - began
    if status == "partial":
        return replace(_result(settled, "partial"), seconds=seconds)
    made = open_training(repo, settled.name)
    after_old = _measured(repo, made, held_part, watcher, machine)
    trained = settled.windows or sum(
        use.samples for use in made.record.data if use.role == "train"
    )  # fmt: skip
    done = replace(
        _result(settled, "complete"),
        path=f"trainings/{settled.name}.veml",
        version=made.id,
        trained_on=trained,
        old=_accuracy(held_part, before_old, after_old),
        new=_accuracy(settled.test, before_new, dict(made.record.metrics)),
        seconds=seconds,
    )
    folder.clear()
    return done


def _with_data(
    repo: Repository,
    folder: RebuildFolder,
    settled: Rebuild,
    old: TrainingVersion,
    known: Incoming | None,
    progress: Progress,
) -> Rebuild:
    """Make the data that is trained on, and what is measured on where that was labelled with it."""
    if known is None:
        known = known_labels(repo, settled)
    if settled.measured:
        held = some_of(known, set(settled.measured))
        settled = replace(settled, test=measured_data(repo, settled, old, held, progress))
        known = some_of(known, set(settled.chosen))
    merged = merge_data(repo, settled, old, known, progress)
    return folder.keep(replace(settled, trained_on=merged, waits=False))


def _train(
    repo: Repository,
    settled: Rebuild,
    old: TrainingVersion,
    watcher: Watcher,
    machine: Machine | None,
) -> Literal["complete", "partial"]:
    """Train, or go on training, unless that is done."""
    origin = settled.rebuilt_from()
    with suppress(NotFoundError):
        there = open_training(repo, settled.name).record
        if there.status == "complete" and there.rebuilt_from == origin:
            return "complete"
    if settled.method == "adapt":
        adapt_statistics(
            repo, old, _learnt_from(settled), settled.name, test=settled.test,
            rebuilt_from=origin, watcher=watcher, machine=machine,
        )  # fmt: skip
        return "complete"
    if RunFolder(repo, settled.name).begun:
        found = resume(repo, settled.name, watcher, machine)
    else:
        also: tuple[Part, ...] = ()
        if settled.task == "forecasting" and settled.method == "full":
            also = trained_on(repo, old)
        found = train(repo, _request(settled, old, origin, also), watcher, machine)
    return "complete" if found is not None and found.status == "complete" else "partial"


def _request(
    settled: Rebuild, old: TrainingVersion, origin: Mapping[str, Any], also: tuple[Part, ...]
) -> Request:
    """Return what to train: the old model and hyper-parameters, on other data."""
    trained = settled.trained_on or _learnt_from(settled)
    assert settled.test is not None
    return Request(
        data=trained.path,
        model=old.record.model.name,
        name=settled.name,
        settings=settled.settings,
        seed=settled.seed,
        epochs=settled.epochs,
        iterations=settled.iterations,
        start=settled.training if settled.method == "transfer" else None,
        like=settled.training,
        rebuilt_from=origin,
        parts=(trained, settled.test),
        told_apart=classes_of(old),
        also=also,
    )


def _learnt_from(settled: Rebuild) -> Part:
    """Return the samples of the new data that are learnt from, and how they were chosen."""
    new, test = settled.new, settled.test
    if len(settled.chosen) == len(new.keys) or test is None or test.path != new.path:
        return replace(new, keys=settled.chosen)
    part = {"seed": test.part["seed"], "fraction": round(1 - test.part["fraction"], 12)}
    return replace(new, keys=settled.chosen, part=part)


def _measured(
    repo: Repository,
    training: TrainingVersion,
    part: Part | None,
    watcher: Watcher,
    machine: Machine | None,
) -> Mapping[str, float]:
    return {} if part is None else measure(repo, training, part, watcher, machine).metrics


def _amount(part: Part) -> int:
    """Return how much there is: samples, or steps of a series."""
    if "steps" not in part.part:
        return len(part.keys)
    first, end = part.steps
    return end - first


def _accuracy(
    part: Part | None, before: Mapping[str, float], after: Mapping[str, float]
) -> Accuracy | None:
    return None if part is None else Accuracy(part.path, _amount(part), before, after)


def _result(
    settled: Rebuild, status: Literal["complete", "waiting", "partial", "planned"]
) -> Rebuilt:
    return Rebuilt(
        status, settled.name, settled.training, settled.method, settled.why, settled.selection,
        settled.labels_needed, _amount(settled.new), data=settled.to, listed=settled.listed,
        drift=settled.drift, chosen=settled.chosen, notes=settled.notes, task=settled.task,
    )  # fmt: skip
