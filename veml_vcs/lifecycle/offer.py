"""A proposal as people and programs read it: who was ranked, who was chosen, what would be changed.

The facts of a ``Proposal`` without records and plans, which hold every key of every config.
"""

from __future__ import annotations

from dataclasses import dataclass

from veml_vcs.ids import VersionId
from veml_vcs.lifecycle.deployed import DeployedAs
from veml_vcs.lifecycle.proposal import Chosen, Proposal
from veml_vcs.lifecycle.sources import Ranked
from veml_vcs.versions.trainings.outcome import Task


@dataclass(frozen=True)
class OfferRow:
    """One known data version and the best lifecycle that was made for it.

    Attributes:
        rank: Its place, from 1.
        data: The data set's folder.
        revision: Where it is.
        version: Its version id.
        samples: Number of samples.
        distance: Energy distance; None where it could not be measured.
        core_set_distance: The paper's number.
        training: The best training on it that fits the task; empty if there is none.
        training_version: Its version id; None if there is none.
        metric: The metric that it is known by; empty if nothing was measured.
        value: What was measured; None if nothing was.
        trainings: How many fit.
        answer: ``chosen``, ``beyond the threshold``, ``not needed`` (others are nearer, or one was
            named), ``no training``, or ``other task``: trainings on it are of another task, were
            interrupted, or tell no config.
    """

    rank: int
    data: str
    revision: str
    version: VersionId
    samples: int
    distance: float | None
    core_set_distance: float | None
    training: str
    training_version: VersionId | None
    metric: str
    value: float | None
    trainings: int
    answer: str


@dataclass(frozen=True)
class OfferChosen:
    """One lifecycle that would be taken over.

    Attributes:
        training: As a command names it.
        training_version: Its version id.
        data: The data set that it is of.
        rank: The place of that in the ranking; 0 where it was not ranked.
        distance: Energy distance; None where it could not be measured.
        model: Its model.
        mapped: Known and new name of each class that is in both; those rows of the heads are kept.
        new: Classes that begin at random.
        gone: Classes that the new data has no more.
        iterations: Steps that would be trained.
        samples: How many would be trained on, and measured on; of a series windows.
        seen: How many of those measured on the source was trained on.
        notes: What to know, in sentences.
        changes: What of the config is changed, as ``veml train`` says it when it begins.
        deployed: How the source was deployed, which is done alike at the end.
    """

    training: str
    training_version: VersionId
    data: str
    rank: int
    distance: float | None
    model: str
    mapped: tuple[tuple[str, str], ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    iterations: int
    samples: tuple[int, int]
    seen: int
    notes: tuple[str, ...]
    changes: tuple[str, ...]
    deployed: tuple[DeployedAs, ...]


@dataclass(frozen=True)
class Offer:
    """What a transfer would do.

    Attributes:
        data: The new data set's folder.
        version: Its version id.
        task: What would be learnt.
        name: Of the new training.
        threshold: Energy distance up to which data counts as similar.
        ranking: Known data versions, nearest first.
        chosen: The lifecycles that would be taken over.
        refusal: Why there is none.
        scratch: The command that trains from scratch.
        notes: What limits the ranking.
    """

    data: str
    version: VersionId
    task: Task
    name: str
    threshold: float
    ranking: tuple[OfferRow, ...]
    chosen: tuple[OfferChosen, ...]
    refusal: str
    scratch: str
    notes: tuple[str, ...]


def offer_of(found: Proposal) -> Offer:
    """Return the facts of a proposal."""
    return Offer(
        found.data, found.version, found.task, found.name, found.asked.threshold,
        tuple(_row(one, found) for one in found.ranking),
        tuple(_chosen(one) for one in found.chosen),
        found.refusal, found.scratch, found.notes,
    )  # fmt: skip


def _row(one: Ranked, found: Proposal) -> OfferRow:
    best = one.sources[0] if one.sources else None
    for chosen in found.chosen:
        if chosen.ranked is one:
            best = chosen.source  # named by the user, maybe not the best
    metric = None if best is None else best.metric
    return OfferRow(
        one.place, one.data, one.revision, one.version, one.samples, one.distance,
        one.core_set_distance, "" if best is None else best.label,
        None if best is None else best.version, "" if metric is None else metric.name,
        None if metric is None else metric.value, len(one.sources), _answer(one, found),
    )  # fmt: skip


def _answer(one: Ranked, found: Proposal) -> str:
    if any(chosen.ranked is one for chosen in found.chosen):
        return "chosen"
    if not one.sources:
        return "other task" if one.others else "no training"
    return "not needed" if one.within(found.asked.threshold) else "beyond the threshold"


def _chosen(one: Chosen) -> OfferChosen:
    match, plan = one.match, one.plan
    return OfferChosen(
        one.source.label, one.source.version, one.ranked.data, one.ranked.place,
        one.ranked.distance, one.source.record.model.name,
        () if match is None else match.pairs,
        plan.classes if match is None else match.fresh,
        () if match is None else match.gone,
        plan.iterations, (len(plan.train), len(plan.val)), one.seen,
        one.notes, plan.notes, one.deployed,
    )  # fmt: skip
