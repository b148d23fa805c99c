"""Has the data moved, and what follows from that: the drift verdict, and what ``auto`` chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from veml_vcs.analysis.data_versions.drift import DriftAnswer, drift_between
from veml_vcs.analysis.data_versions.target import target_of_record
from veml_vcs.errors import FormatError, MissingDependencyError, NotFoundError
from veml_vcs.lifecycle.rebuild.state import Method
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.records.used import used_record
from veml_vcs.repository.repository import Repository
from veml_vcs.training.plan import Part
from veml_vcs.versions.trainings import DataUse


@dataclass(frozen=True)
class Moved:
    """What was measured of the two distributions.

    Attributes:
        facts: Flat, as ``rebuilt_from`` has them: verdict, p, effect, the paper's ratio, embedder;
            empty where nothing could be measured.
        said: In a sentence.
    """

    facts: dict[str, Any]
    said: str

    @property
    def verdict(self) -> str:
        """``drift``, ``no drift``, ``no verdict``, or empty."""
        return str(self.facts.get("verdict", ""))


def look(
    repo: Repository,
    old: DataUse,
    new: Part,
    *,
    embedder: str,
    seed: int,
    needed: bool,
    progress: Progress = silent,
) -> Moved:
    """Compare the new data with what was trained on.

    Args:
        repo: The repository.
        old: What was trained on.
        new: The new data.
        embedder: Name of the embedder.
        seed: Of the summaries and splits.
        needed: Whether nothing can be decided without it.
        progress: Is told how far it is.

    Raises:
        MissingDependencyError: It is needed, and the embedder is not installed.
        NotFoundError: It is needed, and the old data is not in this clone.
        FormatError: It is needed, and the samples are no images.
    """
    was = target_of_record(repo, old.path, used_record(repo, old))
    now = target_of_record(repo, new.path, new.dataset(repo).record)
    try:
        found = drift_between(repo, was, now, embedder=embedder, seed=seed, progress=progress)
    except (MissingDependencyError, NotFoundError, FormatError) as error:
        if needed:
            raise
        return Moved({}, f"whether the data has moved was not measured: {error.message}")
    return Moved(drift_facts(found), _sentence(found))


def drift_facts(found: DriftAnswer) -> dict[str, Any]:
    """Return what a record keeps of a drift answer, flat."""
    report = found.report
    facts: dict[str, Any] = {"verdict": report.verdict, "embedder": found.embedder}
    if report.test is not None:
        facts |= {"p": report.test.p_value, "effect": report.test.effect}
    if report.paper.ratio is not None:
        facts["paper_ratio"] = report.paper.ratio
    return facts


def _sentence(found: DriftAnswer) -> str:
    report = found.report
    if report.test is None:
        return f"{found.test} against {found.train}: too few samples for a verdict of drift"
    numbers = f"(p {report.test.p_value:.3g}, effect {report.test.effect:.2f})"
    if found.drifted:
        return f"{found.test} has drifted from {found.train} {numbers}"
    return f"{found.test} follows the distribution of {found.train}: nothing moved {numbers}"


def choose_method(
    moved: Moved, *, labelled: int, samples: int, budget: str | None, labels_from: str | None
) -> tuple[Method | None, str]:
    """Choose how to rebuild; None where nothing is to be done.

    Args:
        moved: What was measured of the two distributions.
        labelled: Samples of the new data that have labels.
        samples: All of its samples.
        budget: How many labels the user pays for.
        labels_from: Where else labels are.

    Returns:
        The method, and why.
    """
    if moved.verdict == "no drift":
        return None, moved.said
    if budget is not None:
        return "active", (
            f"{moved.said}; there is a budget of {budget}, so the samples most worth a label are "
            "labelled"
        )
    if labels_from is not None:
        return "active", f"{moved.said}; the labels of {labels_from} are taken"
    if labelled:
        return "full", (
            f"{moved.said}; {labelled} of {samples} samples have labels, and training from scratch "
            "on old and new data forgets least"
        )
    return "adapt", (
        f"{moved.said}; there are no labels and no budget for any, so the statistics of its "
        "normalisation are fitted to the new data"
    )
