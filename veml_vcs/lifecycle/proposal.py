"""What a transfer would do, settled and refused before anything is trained: ``--dry-run`` shows it.

Whose lifecycle, at which distance, which class is which, what is changed. ``transfer`` carries it
out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import VersionId
from veml_vcs.lifecycle.deployed import DeployedAs, deployments_of
from veml_vcs.lifecycle.fitting import fit_length, size_notes
from veml_vcs.lifecycle.seen import seen_of_held_back
from veml_vcs.lifecycle.sources import (
    THRESHOLD,
    Ranked,
    Source,
    best_first,
    known_sources,
    ranked_sources,
    usable,
)
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.git.repo import blob_id
from veml_vcs.repository.models.versions import models_in
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.revisions import parse_data_spec
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.training.class_names import ClassMatch, match_classes
from veml_vcs.training.classification.adapt import is_classifier
from veml_vcs.training.detection_samples import trained_classes
from veml_vcs.training.forecasting.adapt import is_forecaster
from veml_vcs.training.inputs import data_version, known_classes
from veml_vcs.training.plan import Plan, Request
from veml_vcs.training.planning import make_plan
from veml_vcs.versions.kinds import TRAINING
from veml_vcs.versions.models import flatten, unflatten
from veml_vcs.versions.trainings.outcome import Task

_TASKS: dict[str, Task] = {
    "detection": "detection",
    "classification": "classification",
    "series": "forecasting",
    "arrays": "forecasting",
    "tabular": "forecasting",
}
_TEMPLATES: dict[Task, str] = {
    "detection": "faster-rcnn-small",
    "classification": "resnet-small",
    "forecasting": "dcrnn-small",
}


@dataclass(frozen=True)
class TransferRequest:
    """What the user asked for.

    Attributes:
        train: Of the training: data, name, held-back part, settings, seed, length; its ``classes``
            are the user's ``OLD=NEW``.
        top: How many of the nearest lifecycles are tried.
        threshold: Energy distance up to which data counts as similar.
        source: A data version or a training whose lifecycle is taken, whatever its distance.
        seeds: How many seeds each way is trained with.
        compare: Whether training from scratch is compared with.
        deploy: Whether how the source was deployed is taken over.
    """

    train: Request
    top: int = 1
    threshold: float = THRESHOLD
    source: str | None = None
    seeds: int = 1
    compare: bool = False
    deploy: bool = True


@dataclass(frozen=True)
class Chosen:
    """A lifecycle that will be taken over, fitted to the new data.

    Attributes:
        source: The training.
        ranked: The data version that it is of, and its distance.
        match: Which class is which; None where there are no classes, or nobody knows the source's.
        request: What will be trained.
        plan: The same, settled.
        seen: How many of the held-back samples the source was trained on.
        notes: What was fitted, and what limits the answer, in sentences.
        deployed: How the source was deployed, which is taken over at the end.
    """

    source: Source
    ranked: Ranked
    match: ClassMatch | None
    request: Request
    plan: Plan
    seen: int = 0
    notes: tuple[str, ...] = ()
    deployed: tuple[DeployedAs, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What a transfer would do.

    Attributes:
        data: The new data set's folder.
        version: Its version id.
        task: What is to be learnt.
        name: Of the new training.
        asked: What the user asked for.
        ranking: Known data versions, the nearest first; empty for a series.
        chosen: The lifecycles that will be taken over; empty if nothing is similar enough.
        refusal: Why nothing was chosen.
        scratch: The command that trains from scratch.
        notes: What limits the ranking.
    """

    data: str
    version: VersionId
    task: Task
    name: str
    asked: TransferRequest
    ranking: tuple[Ranked, ...]
    chosen: tuple[Chosen, ...]
    scratch: str
    refusal: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)

    def require_chosen(self) -> None:
        """Refuse to go on without a lifecycle.

        Raises:
            NotFoundError: Nothing was chosen; the hint is the command that trains from scratch.
        """
        if not self.chosen:
            raise NotFoundError(
                self.refusal, hint=f"from scratch: {self.scratch}", kind="nothing-similar"
            )


def propose(repo: Repository, asked: TransferRequest, progress: Progress = silent) -> Proposal:
    """Settle a transfer, or say why there is none.

    Args:
        repo: The repository.
        asked: What to do.
        progress: Is told how far embedding is.

    Raises:
        NotFoundError: There is no such data set, training or revision, or its bytes are not here.
        ConflictError: The folder differs from the version that would be trained on.
        InvalidInputError: The data has nothing to learn from, the source is of another task, or
            options contradict.
        DamagedError: The source's checkpoint is.
    """
    if asked.train.start is not None or asked.train.like is not None:
        raise InvalidInputError("a transfer begins with its source: leave start and like out")
    if asked.top < 1 or asked.seeds < 1:
        raise InvalidInputError("--top and --seeds: expected 1 or more")
    if asked.source is not None and asked.top > 1:
        raise InvalidInputError("--from names one source, --top asks for several: give one of them")
    data, text = data_version(repo, asked.train.data, [])
    version = blob_id(text.encode())
    task = task_of(data)
    ranking: list[Ranked] = []
    notes: list[str] = []
    if task == "forecasting":
        if asked.source is None:
            raise InvalidInputError(
                f"{data.path}: a series of sensors; which series are similar cannot be told yet "
                "(veml similar compares images)",
                hint=_from_hint(repo, asked, task),
                kind="not-images",
            )
    else:
        ranking, notes = ranked_sources(
            repo, asked.train.data, task, version=version, progress=progress
        )
    if asked.source is not None:
        picked = [_named(repo, asked.source, ranking, data, version, task)]
    else:
        near = [one for one in ranking if one.within(asked.threshold)]
        picked = [(one.sources[0], one) for one in near if one.sources][: asked.top]
        notes += _more_classes(picked, near, data)
    name = asked.train.name or _name_of(data, picked)
    chosen = tuple(_fitted(repo, asked, source, ranked, name, version) for source, ranked in picked)
    return Proposal(
        data.path, version, task, name, asked, tuple(ranking), chosen,
        _scratch(repo, asked, ranking, task, name),
        "" if chosen else _refusal(data, ranking, asked.threshold, task),
        tuple(notes),
    )  # fmt: skip


def task_of(data: Dataset) -> Task:
    """Return what can be learnt from a data set.

    Raises:
        InvalidInputError: Nothing can.
    """
    task = _TASKS.get(data.facts.task)
    if task is None:
        what = "has no labels" if data.facts.task == "none" else f"is for {data.facts.task}"
        raise InvalidInputError(
            f"{data.path}: there is nothing to learn: this data set {what} "
            f"(format {data.facts.format})",
            hint=f"veml data show {data.path}",
            kind="no-labels",
        )
    return task


def _named(
    repo: Repository,
    text: str,
    ranking: Sequence[Ranked],
    data: Dataset,
    version: VersionId,
    task: Task,
) -> tuple[Source, Ranked]:
    """Return the source that the user names: the best training of a data version, or a training.

    Raises:
        NotFoundError: There is none of that name, or nobody trained on it.
        InvalidInputError: It is of another task.
    """
    wanted = _data_named(repo, text)
    if wanted is None:
        found = open_training(repo, text)
        source = Source(found.name, found.revision, found.id, found.record)
        if not any(one.role == "train" for one in found.record.data):
            raise InvalidInputError(f"training {text}: its record names no data it was trained on")
    else:
        path, wanted_version = wanted
        every, _ = known_sources(repo)
        of_path = [one for one in every if one.data.path == path and usable(one, task)]
        here = best_first(one for one in of_path if one.data.version == wanted_version)
        if not here:
            other = ", ".join(one.label for one in of_path[:4])
            raise NotFoundError(
                f"--from {text}: nobody has trained on this version of {path} for {task}",
                hint=f"trainings of other versions of it: {other} (--from TRAINING)"
                if other
                else f"veml train --data {text} --model MODEL",
                kind="no-lifecycle",
            )
        source = here[0]
    if source.record.task != task:
        raise InvalidInputError(
            f"training {source.label} is for {source.record.task}; {data.path} is data for {task}",
            kind="other-task",
        )
    use = source.data
    ranked = next((one for one in ranking if _holds(one, source)), None)
    if ranked is None:
        same = use.version == version
        ranked = Ranked(
            0, use.path, source.revision or "index", use.version, use.samples,
            0.0 if same else None, None, same,
        )  # fmt: skip
    return source, ranked


def _holds(ranked: Ranked, source: Source) -> bool:
    return ranked.version == source.data.version or any(
        one.version == source.version for one in ranked.sources
    )


def _data_named(repo: Repository, text: str) -> tuple[str, VersionId] | None:
    """Return path and version of a data version that a text names; None if it names none."""
    if text.startswith(TRAINING.folder):
        return None
    path, revision = parse_data_spec(text)
    known = repo.staged_datasets()
    if revision is not None:
        known = repo.datasets_at(repo.resolve(revision))
    record = known.get(path.rstrip("/"))
    return None if record is None else (path.rstrip("/"), blob_id(record.to_bytes()))


def _more_classes(
    picked: Sequence[tuple[Source, Ranked]], near: Sequence[Ranked], data: Dataset
) -> list[str]:
    """Say which of the similar lifecycles knows more of the classes than the nearest does."""
    classes = trained_classes(data.facts)

    def shared(source: Source) -> int:
        return len(match_classes(known_classes(source.record), classes).pairs)

    if not picked or not classes:
        return []
    first, most = picked[0][0], max((one.sources[0] for one in near if one.sources), key=shared)
    if shared(most) <= shared(first):
        return []
    return [
        f"{most.label} knows {shared(most)} of the {len(classes)} classes, the nearest "
        f"({first.label}) {shared(first)}: --from {most.label} takes it, --top tries both"
    ]


def _name_of(data: Dataset, picked: Sequence[tuple[Source, Ranked]]) -> str:
    name = posixpath.basename(data.path)
    taken = {source.name for source, _ in picked}
    return f"{name}-transfer" if name in taken else name


def _fitted(
    repo: Repository,
    asked: TransferRequest,
    source: Source,
    ranked: Ranked,
    name: str,
    version: VersionId,
) -> Chosen:
    """Fit a lifecycle to the new data; refuse what cannot be.

    Raises:
        NotFoundError: Its checkpoint is not in this clone.
        DamagedError: Its checkpoint is damaged.
        InvalidInputError: Nothing can be learnt from the data, or ``--map`` makes no sense.
    """
    open_training(repo, source.label).checkpoint()  # here, and whole; not after hours
    request = replace(asked.train, name=name, like=source.label, start=source.label)
    plan = make_plan(repo, request)
    known = known_classes(source.record)
    if request.classes and not (plan.classes and known):
        raise InvalidInputError(
            f"--map: the record of training {source.label} tells no classes to begin with"
        )
    request, plan, notes = fit_length(repo, request, plan, source)
    match = match_classes(known, plan.classes, request.classes) if plan.classes and known else None
    if match is not None and not match.pairs:
        notes.append(
            "no class is in both: the last layers begin at random (--map OLD=NEW says which is "
            "which)"
        )
    if plan.classes and not known:
        notes.append(f"which classes {source.label} knows is not told by its record")
    seen = 0
    if plan.task != "forecasting":
        seen, more = seen_of_held_back(repo, plan, source.record)
        notes += more
    if seen:
        notes.append(
            f"{seen} of the {len(plan.val)} samples measured on were trained on by {source.label} "
            "or what it began with: the metric flatters"
        )
    if plan.task == "detection":
        notes += size_notes(repo, plan)
    if source.record.status != "complete":
        notes.append(f"training {source.label} was interrupted: nothing was measured of it")
    if ranked.distance is not None and not ranked.within(asked.threshold):
        notes.append(
            f"its data is at a distance of {ranked.distance:.1f}, beyond {asked.threshold:g}: "
            "it may do harm; --compare scratch measures that"
        )
    told = transferred_from(source, ranked, match, None if asked.source else asked.threshold)
    request = replace(request, transferred_from=told)
    return Chosen(
        source, ranked, match, request, replace(plan, transferred_from=told), seen, tuple(notes),
        deployments_of(repo, source.version) if asked.deploy else (),
    )  # fmt: skip


def transferred_from(
    source: Source, ranked: Ranked, match: ClassMatch | None, threshold: float | None
) -> dict[str, Any]:
    """Return what a training record says of the lifecycle that it was taken from.

    Args:
        source: The training.
        ranked: Its data, and the distance.
        match: Which class is which.
        threshold: Up to which distance was looked; None where the user named the source.
    """
    use = source.data
    told: dict[str, Any] = {
        "data": use.path,
        "data_version": use.version,
        "training": source.name,
        "training_version": source.version,
    }
    numbers = {
        "distance": ranked.distance,
        "core_set_distance": ranked.core_set_distance,
        "threshold": threshold,
    }
    told |= {key: round(one, 4) for key, one in numbers.items() if one is not None}
    if ranked.place:
        told["rank"] = ranked.place
    if match is not None:
        told["mapped"] = [f"{old}={new}" for old, new in match.pairs]
        told["new"] = list(match.fresh)
        told["gone"] = list(match.gone)
    return flatten(told)


def _refusal(data: Dataset, ranking: Sequence[Ranked], threshold: float, task: Task) -> str:
    """Say why nothing was chosen."""
    if not ranking:
        return f"no other data version is known here, so there is no lifecycle for {data.path}"
    trained = [one for one in ranking if one.sources]
    if not trained:
        return (
            f"nobody has trained for {task} on any of the {len(ranking)} other data versions that "
            "are known here"
        )
    best = trained[0]
    where = "cannot be told" if best.distance is None else f"is {best.distance:.1f}"
    return (
        f"nothing is similar enough to {data.path}: of the data that somebody trained on, "
        f"{best.data} is the nearest, and its distance {where} (threshold {threshold:g})"
    )


def _scratch(
    repo: Repository, asked: TransferRequest, ranking: Sequence[Ranked], task: Task, name: str
) -> str:
    """Return the command that trains from scratch, with a model that is here if there is one."""
    here = models_in(repo, repo.git.staged_files()).records
    liked = [one.sources[0].record.model.name for one in ranking if one.sources]
    fitting = [name for name, one in here.items() if _learns(unflatten(one.config)) == task]
    known = [one for one in (*liked, *fitting) if one in here]
    tail = f"veml train --data {asked.train.data} --model"
    if known:
        return f"{tail} {known[0]} --name {name}"
    shipped = _TEMPLATES[task]
    return (
        f"veml model template {shipped} configs/{shipped}.py && veml model add "
        f"configs/{shipped}.py && {tail} {shipped} --name {name}"
    )


def _learns(config: Mapping[str, Any]) -> Task:
    """Return what a model learns, as ``training.planning`` tells them apart."""
    if is_forecaster(config):
        return "forecasting"
    return "classification" if is_classifier(config) else "detection"


def _from_hint(repo: Repository, asked: TransferRequest, task: Task) -> str:
    every, _ = known_sources(repo)
    fitting = best_first(one for one in every if usable(one, task))
    if fitting:
        return f"name the source: veml transfer {asked.train.data} --from {fitting[0].label}"
    return f"nobody has trained for {task} here: veml train --data {asked.train.data} --model MODEL"
