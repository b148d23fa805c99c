"""Settle a rebuild, or refuse it: the first thing that ``veml rebuild`` does. Nothing is written.

What is measured on never reaches a training: neither what the old training held back, nor what is
held back of the new data, whatever name it has there.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import Any

from veml_vcs.errors import InvalidInputError
from veml_vcs.ids import SampleId
from veml_vcs.lifecycle.rebuild.labels import listed_name
from veml_vcs.lifecycle.rebuild.moved import Moved, choose_method, look
from veml_vcs.lifecycle.rebuild.request import RebuildRequest, budget_of, default_selection
from veml_vcs.lifecycle.rebuild.select import choose, pool_of
from veml_vcs.lifecycle.rebuild.series import settle_series
from veml_vcs.lifecycle.rebuild.started import free_name, refuse_known
from veml_vcs.lifecycle.rebuild.state import Method, Rebuild
from veml_vcs.repository.data.place import target_path
from veml_vcs.repository.dataset import Dataset
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import TrainingVersion, open_training
from veml_vcs.training.held_back import contents_of, part_of_use, uses_of
from veml_vcs.training.inputs import data_version
from veml_vcs.training.labelled import labelled_samples, refuse_unknown_classes
from veml_vcs.training.measure import classes_of
from veml_vcs.training.plan import Part
from veml_vcs.training.split import Split, split_by_seed
from veml_vcs.training.watch import Watcher


@dataclass(frozen=True)
class Unmoved:
    """There is nothing to rebuild for.

    Attributes:
        training: What would be rebuilt.
        new: The new data.
        why: In a sentence.
        drift: What was measured, flat.
    """

    training: str
    new: str
    why: str
    drift: dict[str, Any]


@dataclass(frozen=True)
class _Sides:
    """What a rebuild is settled of.

    Attributes:
        old: The training that is rebuilt.
        data: The new data version.
        new: All of its samples.
        known: Those of them that are labelled.
        labels: Where else labels are.
        notes: What the user should know is added.
    """

    old: TrainingVersion
    data: Dataset
    new: Part
    known: tuple[str, ...]
    labels: Part | None
    notes: list[str]


def settle(
    repo: Repository, request: RebuildRequest, watcher: Watcher, progress: Progress = silent
) -> Rebuild | Unmoved:
    """Settle a rebuild, or refuse it.

    Args:
        repo: The repository.
        request: What the user asks for.
        watcher: Is told what is done.
        progress: Is told how far embedding is.

    Raises:
        NotFoundError: There is no such training or data version, or its data is not here.
        ConflictError: A folder differs from the version that would be taken, a name is taken.
        InvalidInputError: Labels are missing, classes do not match, the budget is none or too
            large, options contradict.
        FormatError: The old training's record does not say how it was trained.
        MissingDependencyError: A part that the method needs is not installed.
    """
    old = open_training(repo, request.training)
    if not 0 < request.held_back < 1:
        raise InvalidInputError(
            f"--val-split {request.held_back:g}: expected a fraction between 0 and 1"
        )
    if old.record.task == "forecasting":
        return settle_series(repo, request, old)
    sides = _open(repo, request, old)
    notes = sides.notes
    watcher.doing("comparing distributions")
    auto = request.method == "auto"
    moved = look(
        repo, uses_of(old, "train")[0], sides.new, embedder=request.embedder, seed=request.seed,
        needed=auto, progress=progress,
    )  # fmt: skip
    method, why = _method(request, sides, moved)
    if method is None:
        return Unmoved(old.label, sides.new.path, why, moved.facts)
    if not auto:
        notes.append(moved.said)
    name = free_name(repo, request, old, method)
    base = Rebuild(
        name=name, training=old.label, version=old.id, method=method, why=why, new=sides.new,
        chosen=(), labels=sides.labels, seed=request.seed, epochs=request.epochs,
        iterations=request.iterations, settings=request.settings, drift=moved.facts,
        task=old.record.task,
    )  # fmt: skip
    if method in ("full", "active"):
        base = replace(base, to=_target(repo, request, old, name))
    settled = _chosen(repo, request, sides, base, watcher, progress)
    return replace(settled, notes=tuple(notes))


def _open(repo: Repository, request: RebuildRequest, old: TrainingVersion) -> _Sides:
    """Open everything that is named, and check that it goes together."""
    notes: list[str] = []
    known = classes_of(old)
    data, record = data_version(repo, request.new, notes)
    if data.facts.task in ("series", "arrays", "tabular"):
        raise InvalidInputError(
            f"{data.path}: {old.label} is for {old.record.task} and looks at images; this data set "
            f"is of the task {data.facts.task} (format {data.facts.format})",
            hint="--new names data of the kind that it was trained on",
            kind="other-task",
        )
    refuse_known(old, data)
    _refuse_classes(old, data, known)
    keys, blank = _labelled(old, data)
    if keys and blank:
        notes.append(f"{data.path}: {blank} of {len(data.keys)} samples have no labels")
    labels = None
    if request.labels_from is not None:
        if request.method not in ("active", "auto"):
            raise InvalidInputError(
                "--labels-from goes with --method active: the others take the labels of --new"
            )
        other, text = data_version(repo, request.labels_from, notes)
        _refuse_classes(old, other, known)
        said, _ = _labelled(old, other)
        if not said:
            raise InvalidInputError(f"{other.path}: no sample has labels", kind="no-labels")
        labels = Part(other.path, text, said)
    return _Sides(old, data, Part(data.path, record, tuple(data.keys)), keys, labels, notes)


def _labelled(old: TrainingVersion, data: Dataset) -> tuple[tuple[str, ...], int]:
    return labelled_samples(old.record.task, data.path, data.keys, data.annotations())


def _refuse_classes(old: TrainingVersion, data: Dataset, known: tuple[str, ...]) -> None:
    """Refuse data with classes that the old training does not tell apart."""
    refuse_unknown_classes(
        old.record.task, data, known, f"which {old.label} does not know; it tells apart",
        "veml data update --rename-class, or veml data filter --class ... --drop-others, makes a "
        "version that fits; veml train learns other classes",
    )  # fmt: skip


def _method(request: RebuildRequest, sides: _Sides, moved: Moved) -> tuple[Method | None, str]:
    """Return the method, and why; refuse one for which labels are missing."""
    method: Method | None
    if request.method == "auto":
        method, why = choose_method(
            moved, labelled=len(sides.known), samples=len(sides.new.keys), budget=request.budget,
            labels_from=request.labels_from,
        )  # fmt: skip
    else:
        method, why = request.method, "the user asked for it"
    if method in ("full", "transfer") and not sides.known:
        raise InvalidInputError(
            f"{sides.new.path}: no sample has labels, and --method {method} learns from labels",
            hint="--method active --budget N asks for some, --method adapt needs none",
            kind="no-labels",
        )
    if method == "active" and request.budget is None and request.labels_from is None:
        raise InvalidInputError(
            "--method active: how many samples may be labelled?",
            hint="--budget 20, or --budget 30%",
            kind="no-budget",
        )
    if method != "active" and request.method != "auto" and request.budget is not None:
        raise InvalidInputError(f"--budget goes with --method active, not with {method}")
    return method, why


def _target(repo: Repository, request: RebuildRequest, old: TrainingVersion, name: str) -> str:
    """Return the data set that the merged version becomes."""
    path = uses_of(old, "train")[0].path
    to = request.to or posixpath.join(posixpath.dirname(path), name)
    return target_path(repo, path, None, to, force=False)


def _chosen(
    repo: Repository,
    request: RebuildRequest,
    sides: _Sides,
    base: Rebuild,
    watcher: Watcher,
    progress: Progress,
) -> Rebuild:
    """Settle what is learnt from, and what is measured on."""
    test, rest = _measured_on(repo, request, sides, base.method)
    held = contents_of(repo, test) | _held_by(repo, sides.old)
    if base.method in ("transfer", "adapt"):
        return replace(base, test=test, chosen=rest)
    part = replace(sides.new, keys=rest)
    pool = pool_of(part, repo, held)
    if not pool:
        raise InvalidInputError(
            f"{sides.new.path}: every sample is one that is measured on; nothing is left to learn "
            "from",
            kind="too-few-samples",
        )
    if base.method != "active":
        return replace(base, test=test, chosen=tuple(pool.values()))
    budget = budget_of(request.budget or "100%", len(pool))
    drawn = 0 if test is not None else max(1, round(request.held_back * budget))
    if drawn == budget:
        raise InvalidInputError(
            f"--budget {request.budget}: of {budget} label, a part is needed to measure with",
            hint="a larger budget, or --test DATA measures on labelled data of the same kind",
            kind="no-budget",
        )
    measured: tuple[str, ...] = ()
    if drawn:
        measured = choose(
            repo, sides.old, sides.new, pool, drawn, "random", seed=request.seed + 1,
            embedder=request.embedder, watcher=watcher,
        )  # fmt: skip
        pool = {content: key for content, key in pool.items() if key not in set(measured)}
    selection = request.selection or default_selection(sides.old.record.task)
    chosen = choose(
        repo, sides.old, sides.new, pool, budget - drawn, selection, seed=request.seed,
        embedder=request.embedder, watcher=watcher, progress=progress,
    )  # fmt: skip
    waits = sides.labels is None and not set(chosen) <= set(sides.known)
    return replace(
        base, test=test, chosen=chosen, measured=measured, selection=selection,
        budget=budget, waits=waits,
        listed=posixpath.join(request.folder, listed_name(base)) if waits else "",
    )  # fmt: skip


def _measured_on(
    repo: Repository, request: RebuildRequest, sides: _Sides, method: Method
) -> tuple[Part | None, tuple[str, ...]]:
    """Return what the new distribution is measured on, and keys of the new data to learn from."""
    every = sides.new.keys
    wanted = every if method == "adapt" or sides.labels is not None else sides.known
    if request.test is not None:
        other, text = data_version(repo, request.test, sides.notes)
        _refuse_classes(sides.old, other, classes_of(sides.old))
        keys, _ = _labelled(sides.old, other)
        if not keys:
            raise InvalidInputError(f"{other.path}: no sample has labels", kind="no-labels")
        test = Part(other.path, text, keys)
        if sides.labels is not None:
            return test, _those_in(sides, contents_of(repo, sides.labels))
        return test, every if method == "active" else wanted
    if sides.labels is not None:
        split = _split(repo, sides.labels, request)
        test = replace(sides.labels, keys=split.val, part=dict(split.val_part))
        there = contents_of(repo, replace(sides.labels, keys=split.train))
        return test, _those_in(sides, there)
    if not sides.known:
        return None, every
    if method == "active" and len(sides.known) < len(every):
        sides.notes.append(f"measured on its {len(sides.known)} samples that have labels already")
        labelled_already = set(sides.known)
        return (
            replace(sides.new, keys=sides.known),
            tuple(key for key in every if key not in labelled_already),
        )
    split = _split(repo, replace(sides.new, keys=sides.known), request)
    held = set(split.val)
    if method == "adapt" and len(sides.known) < len(every):
        held = set()  # no label is read, and all of it is "all" in a record
    rest = tuple(key for key in wanted if key not in held)
    return replace(sides.new, keys=split.val, part=dict(split.val_part)), rest


def _those_in(sides: _Sides, contents: set[SampleId]) -> tuple[str, ...]:
    """Return the new data's samples that another data version has, too."""
    entries = sides.data.entries
    return tuple(key for key in sides.new.keys if entries[key].content in contents)


def _split(repo: Repository, part: Part, request: RebuildRequest) -> Split:
    entries = part.dataset(repo).entries
    contents = {key: entries[key].content for key in part.keys}
    known = {key: one for key, one in contents.items() if one is not None}
    return split_by_seed(known, request.held_back, request.seed)


def _held_by(repo: Repository, old: TrainingVersion) -> set[SampleId]:
    """Return the contents that the old training held back; none where it was never measured."""
    found: set[SampleId] = set()
    for use in old.record.data:
        if use.role == "val":
            found |= contents_of(repo, part_of_use(repo, use))
    return found
