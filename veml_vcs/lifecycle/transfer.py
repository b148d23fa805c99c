"""``veml transfer``: a proposal is carried out, with one source or several, one seed or several.

Each run is a training version of its own, made by the training room; here is what is run in which
order, under which name, what an interrupted transfer need not do again, and what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from veml_vcs.errors import ConflictError, FormatError, NotFoundError
from veml_vcs.lifecycle.deployed import DeployedAlike, deploy_alike, refuse_taken
from veml_vcs.lifecycle.proposal import Chosen, Proposal
from veml_vcs.lifecycle.verdict import Verdict, paired
from veml_vcs.repository.models.add import stage_model
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.write import stage_record
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.repository.trainings.write import require_free
from veml_vcs.training.engine import require_engine
from veml_vcs.training.machine import Machine
from veml_vcs.training.plan import Plan, Request
from veml_vcs.training.planning import make_plan
from veml_vcs.training.run_folder import RunFolder
from veml_vcs.training.train import Trained, train
from veml_vcs.training.train import resume as go_on
from veml_vcs.training.watch import Watcher
from veml_vcs.versions.changes import main_metric
from veml_vcs.versions.kinds import MODEL, TRAINING
from veml_vcs.versions.models import parse_model_record
from veml_vcs.versions.trainings import TrainingRecord
from veml_vcs.versions.trainings.outcome import Task

SCRATCH = "scratch"


@dataclass(frozen=True)
class RunDone:
    """One training of a transfer.

    Attributes:
        name: The training.
        version: Its version id.
        way: What it began with: a training, or ``scratch``.
        seed: Its seed.
        status: ``complete`` or ``partial``.
        iterations: Steps.
        metrics: What was measured.
        again: Whether it was there already, from an interrupted transfer.
    """

    name: str
    version: str
    way: str
    seed: int
    status: str
    iterations: int
    metrics: Mapping[str, float]
    again: bool = False


@dataclass(frozen=True)
class Way:
    """One way of training, over all seeds.

    Attributes:
        way: A training that was begun with, or ``scratch``.
        data: The data set of that training; empty for ``scratch``.
        distance: Energy distance to it; None where it was not measured.
        mean: Mean of the metric; None if nothing was measured.
        spread: Its standard deviation over seeds; None with one seed.
    """

    way: str
    data: str
    distance: float | None
    mean: float | None
    spread: float | None


@dataclass(frozen=True)
class Transfer:
    """What a transfer came to.

    Attributes:
        data: The new data set's folder.
        task: What was learnt.
        metric: The metric that is compared; empty if nothing was measured.
        more_is_better: Whether a larger value of it is better.
        runs: Every training, in the order they were made.
        ways: Every way of training.
        best: The way that did best, of those that took a lifecycle over.
        name: The training that is kept under the name that was asked for.
        verdict: The best against training from scratch; None if that was not asked for.
        left: How many runs are left, since one was interrupted.
        trained: The training of that name in full; None if an interrupted transfer had made it.
        deployed: What came of deploying it as the source was.
    """

    data: str
    task: Task
    metric: str
    more_is_better: bool
    runs: tuple[RunDone, ...]
    ways: tuple[Way, ...]
    best: str
    name: str
    verdict: Verdict | None = None
    left: int = 0
    trained: Trained | None = None
    deployed: tuple[DeployedAlike, ...] = ()


@dataclass(frozen=True)
class _Run:
    """One training that has to be made."""

    way: str
    request: Request


def transfer(
    repo: Repository,
    proposal: Proposal,
    watcher: Watcher,
    machine: Machine | None = None,
    *,
    force: bool = False,
    resume: bool = False,
    progress: Progress = silent,
) -> Transfer:
    """Carry out a proposal: train, compare, keep, deploy.

    Args:
        repo: The repository.
        proposal: As ``propose`` made it.
        watcher: Is told how it goes.
        machine: How to train.
        force: Throw away unfinished trainings of these names, and overwrite records that no commit
            has.
        resume: Take what is finished, go on with what was interrupted.
        progress: Is told how far deploying is.

    Raises:
        NotFoundError: Nothing was chosen.
        ConflictError: A name is taken, or an unfinished training is of something else.
        MissingDependencyError: The engine is not installed.
        VemlError: As ``veml train``.
    """
    proposal.require_chosen()
    require_engine(proposal.task)
    runs = [run for one in proposal.chosen for run in _runs_of(proposal, one)]
    if not resume:
        names = [*(one.request.name or "" for one in runs), *_scratch_names(proposal)]
        for name in dict.fromkeys([*names, proposal.name]):
            RunFolder(repo, name).refuse_begun(force=force)
            require_free(repo, name, force=force)
        for one in proposal.chosen:
            refuse_taken(repo, proposal.name, one.deployed, force=force)
    for one in proposal.chosen:
        bring_model(repo, one, watcher)
    worker = _Worker(repo, watcher, machine, force=force, resume=resume, announce=len(runs) > 1)
    done: list[RunDone] = []
    for place, run in enumerate(runs):
        done.append(worker.run(run))
        if done[-1].status != "complete":
            return _told(proposal, done, worker, left=len(runs) - place)
    best = _best(proposal, done)
    if proposal.asked.compare:
        base = next(one for one in proposal.chosen if one.source.label == best)
        more = _scratch_runs(proposal, base)
        worker.announce = True
        for place, run in enumerate(more):
            done.append(worker.run(run))
            if done[-1].status != "complete":
                return _told(proposal, done, worker, left=len(more) - place)
    if len(proposal.chosen) > 1:
        _keep_best(repo, proposal, next(one for one in done if one.way == best), force or resume)
    ways = next(one.deployed for one in proposal.chosen if one.source.label == best)
    deployed = deploy_alike(repo, proposal.name, ways, progress, force=force)
    return replace(_told(proposal, done, worker), deployed=deployed)


# -- what is run -------------------------------------------------------------------------------


def _seeds(proposal: Proposal) -> range:
    first = proposal.asked.train.seed
    return range(first, first + proposal.asked.seeds)


def _suffixed(name: str, seed: int, first: int) -> str:
    return name if seed == first else f"{name}-seed-{seed}"


def _runs_of(proposal: Proposal, chosen: Chosen) -> list[_Run]:
    """Return the trainings that one lifecycle is taken over in."""
    name = proposal.name
    if len(proposal.chosen) > 1:
        name = f"{name}-from-{proposal.chosen.index(chosen) + 1}"
    seeds = _seeds(proposal)
    return [
        _Run(
            chosen.source.label,
            replace(chosen.request, name=_suffixed(name, seed, seeds[0]), seed=seed),
        )
        for seed in seeds
    ]


def _scratch_names(proposal: Proposal) -> list[str]:
    if not proposal.asked.compare:
        return []
    seeds = _seeds(proposal)
    return [_suffixed(f"{proposal.name}-{SCRATCH}", seed, seeds[0]) for seed in seeds]


def _scratch_runs(proposal: Proposal, chosen: Chosen) -> list[_Run]:
    """Return the same trainings without the source's weights, and with all else."""
    plain = replace(chosen.request, start=None, transferred_from={}, classes=())
    return [
        _Run(SCRATCH, replace(plain, name=name, seed=seed))
        for name, seed in zip(_scratch_names(proposal), _seeds(proposal), strict=True)
    ]


class _Worker:
    """Makes one training after the other, or takes what an interrupted transfer has made."""

    def __init__(
        self,
        repo: Repository,
        watcher: Watcher,
        machine: Machine | None,
        *,
        force: bool,
        resume: bool,
        announce: bool,
    ) -> None:
        self._repo, self._watcher, self._machine = repo, watcher, machine
        self._force, self._resume = force, resume
        self.announce = announce
        self.trained: dict[str, Trained] = {}

    def run(self, one: _Run) -> RunDone:
        """Make one training.

        Raises:
            ConflictError: An unfinished training of that name is of something else.
            VemlError: As ``veml train``.
        """
        name, seed = one.request.name or "", one.request.seed
        if self.announce:
            self._watcher.note(f"{name}: from {one.way}, seed {seed}")
        if self._resume:
            found = self._made_before(one)
            if found is not None:
                return found
            if RunFolder(self._repo, name).begun:
                self._refuse_other(one)
                return self._done(one, go_on(self._repo, name, self._watcher, self._machine))
        made = train(self._repo, one.request, self._watcher, self._machine, force=self._force)
        return self._done(one, made)

    def _done(self, one: _Run, made: Trained | None) -> RunDone:
        assert made is not None  # several processes are no matter of a transfer
        self.trained[made.name] = made
        return RunDone(
            made.name, made.version, one.way, one.request.seed, made.status, made.iterations,
            made.metrics,
        )  # fmt: skip

    def _made_before(self, one: _Run) -> RunDone | None:
        """Return a training that is there, if it is the one that would be made."""
        try:
            found = open_training(self._repo, one.request.name or "")
        except (NotFoundError, FormatError):
            return None
        record = found.record
        if record.status != "complete" or not _is_of(
            record, make_plan(self._repo, one.request), self._repo
        ):
            return None
        self._watcher.note(f"{found.name}: done before")
        return RunDone(
            found.name, found.id, one.way, one.request.seed, record.status,
            record.iterations or 0, record.metrics, again=True,
        )  # fmt: skip

    def _refuse_other(self, one: _Run) -> None:
        kept = RunFolder(self._repo, one.request.name or "").plan()
        asked = make_plan(self._repo, one.request)
        if replace(kept, notes=()).to_bytes() != replace(asked, notes=()).to_bytes():
            raise ConflictError(
                f"the unfinished training {kept.name!r} is not the one that is asked for: data, "
                "source or settings are others",
                hint=f"veml train --resume --name {kept.name} ends it as it was begun; --force "
                "throws it away",
                kind="unfinished-training",
            )


def _is_of(record: TrainingRecord, plan: Plan, repo: Repository) -> bool:
    """Tell whether a training version is what a plan would make."""
    made = (record.config, record.transferred_from, record.rebuilt_from)
    asked = (plan.config, plan.transferred_from, plan.rebuilt_from)
    return (
        json.dumps([dict(one) for one in made], sort_keys=True)
        == json.dumps([dict(one) for one in asked], sort_keys=True)
        and record.seed == plan.seed
        and record.model == plan.model_use()
        and record.data == plan.uses(repo)
        and record.initial == plan.initial()
    )


# -- the model version that comes along ---------------------------------------------------------


def bring_model(repo: Repository, chosen: Chosen, watcher: Watcher) -> bool:
    """Stage the source's model version where this branch has no model of that name.

    Its config's files come along, where nothing else is in their places.

    Args:
        repo: The repository.
        chosen: The lifecycle.
        watcher: Is told what was done, or why it was not.

    Returns:
        Whether it was staged.
    """
    use, revision = chosen.source.record.model, chosen.source.revision
    path = MODEL.path(use.name)
    staged = repo.git.staged_files()
    if path in staged:
        if staged[path].blob != use.version:
            watcher.note(
                f"model {use.name}: another version is here than {chosen.source.label} was trained "
                "with; the new training is of that one (veml status tells)"
            )
        return False
    there = {} if revision is None else repo.git.files(repo.resolve(revision))
    if path not in there or there[path].blob != use.version:
        watcher.note(f"model {use.name}: its version is in no commit that was looked at")
        return False
    data = repo.git.read_blob(use.version)
    if not MODEL.is_record(data):
        return False
    record = parse_model_record(data, path)
    files = {one: there[one].blob for one in record.files if "::" not in one and one in there}
    contents = {one: repo.git.read_blob(blob) for one, blob in files.items()}
    for one in (*files, path):
        full = repo.absolute(one)
        wanted = contents.get(one, data)
        if repo.files.exists(full) and bytes(repo.files.read(full)) != wanted:
            watcher.note(f"model {use.name} is not brought along: {one} is something else here")
            return False
    with repo.lock("veml transfer"):
        for one, content in contents.items():
            full = repo.absolute(one)
            if not repo.files.exists(full):
                repo.files.make_folder(full.rpartition("/")[0])
                repo.write_file(one, content)
        stage_model(repo, path, record, list(files))
    watcher.note(f"model {use.name} comes along from {revision}: {path}, {', '.join(files)}")
    return True


# -- what came of it ----------------------------------------------------------------------------


def _value(one: RunDone, metric: str) -> float | None:
    found = main_metric({metric: one.metrics[metric]}) if metric in one.metrics else None
    return None if found is None else found.value


def _values(done: Sequence[RunDone], way: str, metric: str) -> list[float]:
    every = [_value(one, metric) for one in done if one.way == way]
    return [one for one in every if one is not None]


def _compared(done: Sequence[RunDone]) -> tuple[str, bool]:
    """Return the metric that the runs are compared by, and whether more of it is better."""
    for one in done:
        found = main_metric(one.metrics)
        if found is not None:
            return found.name, found.more_is_better
    return "", True


def _best(proposal: Proposal, done: Sequence[RunDone]) -> str:
    """Return the way whose mean is best; the nearest data where nothing tells them apart."""
    metric, more = _compared(done)
    labels = [one.source.label for one in proposal.chosen]

    def goodness(label: str) -> float:
        values = _values(done, label, metric)
        return (fmean(values) if more else -fmean(values)) if values else float("-inf")

    return max(labels, key=goodness)


def _keep_best(repo: Repository, proposal: Proposal, best: RunDone, force: bool) -> None:
    """Give the name that was asked for to the best training."""
    record = open_training(repo, best.name).record
    data = record.to_bytes()
    with repo.lock("veml transfer"):
        path = require_free(repo, proposal.name, force=True)
        full = repo.absolute(path)
        if not repo.files.exists(full) or bytes(repo.files.read(full)) != data:
            require_free(repo, proposal.name, force=force)
        stage_record(repo, path, data)


def _told(proposal: Proposal, done: Sequence[RunDone], worker: _Worker, left: int = 0) -> Transfer:
    """Return what the runs came to."""
    metric, more = _compared(done)
    facts: list[tuple[str, str, float | None]] = [
        (one.source.label, one.ranked.data, one.ranked.distance) for one in proposal.chosen
    ]
    facts.append((SCRATCH, "", None))
    ways = []
    for way, data, distance in facts:
        if not any(one.way == way for one in done):
            continue
        values = _values(done, way, metric)
        mean = fmean(values) if values else None
        ways.append(Way(way, data, distance, mean, stdev(values) if len(values) > 1 else None))
    best = _best(proposal, done)
    verdict = None
    theirs, ours = _values(done, SCRATCH, metric), _values(done, best, metric)
    if theirs and len(theirs) == len(ours) == proposal.asked.seeds:
        verdict = paired(ours, theirs, more_is_better=more)
    kept = next((one for one in done if one.way == best), None)
    trained = None if kept is None else worker.trained.get(kept.name)
    if trained is not None and trained.status == "complete" and trained.name != proposal.name:
        trained = replace(trained, name=proposal.name, path=TRAINING.path(proposal.name))
    return Transfer(
        proposal.data, proposal.task, metric, more, tuple(done), tuple(ways), best,
        proposal.name, verdict, left, trained,
    )  # fmt: skip
