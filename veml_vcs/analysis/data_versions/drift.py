"""``veml drift``: tell whether new data follows the distribution of the old (paper, V.A)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veml_vcs.analysis.data_versions.embed import embed_target
from veml_vcs.analysis.data_versions.summary import load_summary, summarise
from veml_vcs.analysis.data_versions.target import Target, find_target
from veml_vcs.analysis.drift import FEWEST_ROWS, DriftReport, detect_drift
from veml_vcs.analysis.embedders import DEFAULT_EMBEDDER, Embedder, get_embedder
from veml_vcs.errors import InvalidInputError, NotFoundError
from veml_vcs.ids import SampleId
from veml_vcs.repository.git.notes import add_comparisons
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository

DRIFT_NOTES = "drift"


@dataclass(frozen=True)
class DriftAnswer:
    """The answer of ``drift``.

    Attributes:
        train: What was compared with.
        test: What was asked about.
        embedder: The embedder's id.
        train_samples: Number of distinct training samples.
        test_samples: Number of distinct test samples.
        report: Everything that was measured.
        farthest: Test samples farthest from all training data: key and distance.
        next_steps: What to do now.
        notes: Sentences on what limits the answer.
    """

    train: str
    test: str
    embedder: str
    train_samples: int
    test_samples: int
    report: DriftReport
    farthest: tuple[tuple[str, float], ...]
    next_steps: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether the verdict is drift."""
        return self.report.verdict == "drift"


def drift(
    repo: Repository,
    train: str,
    test: str,
    *,
    embedder: str = DEFAULT_EMBEDDER,
    alpha: float = 0.05,
    permutations: int = 999,
    k: int = 10,
    seed: int = 0,
    progress: Progress = silent,
) -> DriftAnswer:
    """Compare new data with a training data version, without labels.

    Args:
        repo: The repository.
        train: ``REV:PATH``, a data set, or any folder with images.
        test: The same.
        embedder: Name of the embedder.
        alpha: Level of the verdict: the share of false alarms.
        permutations: Random splits of the test.
        k: Number of centres of the paper's rule; only 10, the paper's, has a published meaning.
        seed: Seed of summaries and splits.
        progress: Is told how far it is.

    Raises:
        NotFoundError: There is nothing of that name.
        MissingDependencyError: Something must be embedded and the embedder is not installed.
    """
    if k != 10:
        raise InvalidInputError(f"k: the paper's rule is defined for 10 centres, found {k}")
    old, new = find_target(repo, train, progress), find_target(repo, test, progress)
    return drift_between(
        repo, old, new, embedder=embedder, alpha=alpha, permutations=permutations, seed=seed,
        progress=progress,
    )  # fmt: skip


def drift_between(
    repo: Repository,
    old: Target,
    new: Target,
    *,
    embedder: str = DEFAULT_EMBEDDER,
    alpha: float = 0.05,
    permutations: int = 999,
    seed: int = 0,
    progress: Progress = silent,
) -> DriftAnswer:
    """Compare samples with those of a training data version; as ``drift``, of what is found."""
    chosen = get_embedder(embedder)
    train, test = old.name, new.name
    summary, unreadable = summarise(repo, old, chosen, embedder, seed=seed, progress=progress)
    notes = [f"{old.name}/{key}: left out, {why}" for key, why in unreadable.items()]
    ids, vectors, more = _test_vectors(repo, new, chosen, embedder, seed, progress)
    notes += more
    shared = len(set(ids) & set(summary.sample_ids))
    if shared and old.tree != new.tree:
        verb = "is" if shared == 1 else "are"
        notes.append(f"{shared} of the test samples {verb} among the training samples too")
    progress("permutation test", 0, 0)
    report = detect_drift(
        summary.sample[: summary.holdout].astype(np.float32)
        if summary.holdout
        else summary.sample.astype(np.float32),
        vectors,
        centres=summary.centres.astype(np.float32),
        radius_profile=summary.radius_profile,
        alpha=alpha,
        permutations=permutations,
        seed=seed,
    )
    farthest = tuple((new.key_of(ids[one.row]), one.distance) for one in report.where.farthest)
    answer = DriftAnswer(
        train, test, chosen.id, summary.samples, len(ids), report, farthest,
        _next_steps(report, train, test, summary.samples, tracked=new.version is not None),
        tuple(notes),
    )  # fmt: skip
    _remember(repo, old, new, answer)
    return answer


def _test_vectors(
    repo: Repository,
    target: Target,
    embedder: Embedder,
    name: str,
    seed: int,
    progress: Progress,
) -> tuple[list[SampleId], np.ndarray[tuple[int, int], np.dtype[np.float32]], list[str]]:
    """Return all embeddings of the test side, or of its noted sample where the data is not here."""
    try:
        ids, vectors, unreadable = embed_target(repo, target, embedder, progress)
    except NotFoundError:
        noted = load_summary(repo, target.version, embedder, name, seed) if target.version else None
        if noted is None:
            raise
        text = (
            f"{target.name}: its data is not in this clone; {len(noted.sample)} sampled rows used"
        )
        return list(noted.sample_ids), noted.sample.astype(np.float32), [text]
    rounded = vectors.astype(np.float16).astype(np.float32)
    return ids, rounded, [f"{target.name}/{k}: left out, {why}" for k, why in unreadable.items()]


def _next_steps(
    report: DriftReport, train: str, test: str, train_samples: int, *, tracked: bool
) -> tuple[str, ...]:
    if report.verdict == "no verdict":
        few = [
            f"{samples} sample{'s' * (samples != 1)} in {name}"
            for name, samples, rows in (
                (train, train_samples, report.reference_rows),
                (test, report.test_rows, report.test_rows),
            )
            if rows < FEWEST_ROWS
        ]
        return (f"collect more: {' and '.join(few)} are too few for a verdict",)
    steps = []
    if report.verdict == "drift":
        steps.append("look at the samples farthest out: are they what the model will meet?")
        if not tracked:
            steps.append(f"veml add {test} && veml commit, so that the new data is a version")
        steps.append(f"veml similar {test} shows whether a known data set is nearer than {train}")
        steps.append(
            f"veml rebuild --train TRAINING --new {test} trains anew for it, and measures before "
            "and after on both"
        )
    else:
        steps.append("nothing: the new data looks like the old (labels may still have changed)")
        if report.paper.drifted:
            steps.append("the paper's rule says drift: look at the samples farthest out")
    return tuple(steps)


def _remember(repo: Repository, old: Target, new: Target, answer: DriftAnswer) -> None:
    """Note the result on the test version, one JSON line a comparison."""
    if old.version is None or new.version is None:
        return
    said = {
        "train": old.version,
        "embedder": answer.embedder,
        "verdict": answer.report.verdict,
        "report": answer.report.as_dict(),
    }
    add_comparisons(repo, DRIFT_NOTES, new.version, [said])
