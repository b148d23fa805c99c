"""``veml training errors`` of a classifier: which classes it takes for which, and where.

Only records, predictions and annotations are read; no network is run, and no engine is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from veml_vcs.analysis.confusion import Confusion
from veml_vcs.errors import DamagedError, InvalidInputError
from veml_vcs.ids import VersionId
from veml_vcs.repository.records.said import Said, said_samples
from veml_vcs.samples.facts import Annotation


@dataclass(frozen=True)
class ClassErrors:
    """What is right and wrong about one class.

    Attributes:
        name: The class.
        samples: How many are of it.
        said: How many were said to be.
        correct: How many are and were.
        precision: Part of those said that are; NaN where none was.
        recall: Part of those that are that were said; NaN where none is.
        f1: Their harmonic mean; NaN where none is and none was said.
    """

    name: str
    samples: int
    said: int
    correct: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class WrongSample:
    """A sample that was taken for what it is not.

    Attributes:
        dataset: The data set's folder.
        key: The sample.
        truth: What it is.
        said: What was said.
        score: How surely, 0 to 1.
        truth_score: How sure of the truth; None where it was not among the surest that are kept.
    """

    dataset: str
    key: str
    truth: str
    said: str
    score: float
    truth_score: float | None


@dataclass(frozen=True)
class ClassificationErrors:
    """What a classifier gets wrong.

    Attributes:
        kind: ``training`` or ``inference``.
        name: The version, as the user named it.
        version: Its version id.
        samples: How many samples with a class it was asked about.
        accuracy: Part of them that it named.
        classes: Class by class.
        matrix: Rows: what is true; columns: what was said; both in the order of ``classes``.
        confusions: Which classes are taken for which, the most frequent first.
        worst: Samples named wrongly, the surest first.
        task: ``classification``.
    """

    kind: str
    name: str
    version: VersionId
    samples: int
    accuracy: float
    classes: tuple[ClassErrors, ...]
    matrix: tuple[tuple[int, ...], ...]
    confusions: tuple[Confusion, ...]
    worst: tuple[WrongSample, ...]
    task: str = "classification"


def classification_errors(asked: Said, *, worst: int = 10) -> ClassificationErrors:
    """Compare what a classifier said of samples with what is true of them.

    Args:
        asked: What was said, and of what.
        worst: How many samples to name.

    Raises:
        NotFoundError: A sample is not in this clone.
        InvalidInputError: It is no classifier.
        DamagedError: A prediction is none.
    """
    if asked.task != "classification":
        raise InvalidInputError(f"{asked.name}: a {asked.task}, and no classifier")
    pairs: Counter[tuple[str, str]] = Counter()
    wrong = []
    for path, sample, annotation in said_samples(asked):
        label, scores = _said(annotation, sample.key)
        truth = _truth(sample.annotation)
        if truth is None:
            continue
        pairs[truth, label] += 1
        if truth != label:
            sure = scores[label]
            wrong.append(WrongSample(path, sample.key, truth, label, sure, scores.get(truth)))
    seen = {name for pair in pairs for name in pair}
    known = list(asked.classes)
    names = known + sorted(seen - set(known))
    wrong.sort(key=lambda one: (-one.score, one.dataset, one.key))
    order = sorted(pairs.items(), key=lambda one: (-one[1], one[0]))
    total = pairs.total()
    right = sum(count for (truth, said), count in pairs.items() if truth == said)
    return ClassificationErrors(
        asked.kind, asked.name, asked.version, total,
        right / total if total else float("nan"),
        tuple(_class(name, pairs) for name in names),
        tuple(tuple(pairs[truth, said] for said in names) for truth in names),
        tuple(Confusion(*pair, count) for pair, count in order if pair[0] != pair[1]),
        tuple(wrong[:worst]),
    )  # fmt: skip


def wrong_pictures(asked: Said, found: ClassificationErrors) -> list[tuple[str, bytes]]:
    """Return a caption and the bytes of each of the worst samples."""
    return [
        (f"{one.truth}; said: {one.said} {one.score:.2f}", asked.data[one.dataset][one.key].data)
        for one in found.worst
    ]


def _class(name: str, pairs: Counter[tuple[str, str]]) -> ClassErrors:
    there = sum(count for (truth, _), count in pairs.items() if truth == name)
    said = sum(count for (_, label), count in pairs.items() if label == name)
    correct = pairs[name, name]
    return ClassErrors(
        name, there, said, correct, _part(correct, said), _part(correct, there),
        _part(2 * correct, there + said),
    )  # fmt: skip


def _part(some: int, every: int) -> float:
    return some / every if every else float("nan")


def _truth(annotation: Annotation | None) -> str | None:
    """Return the class of a sample; None where nobody said one."""
    labels: Any = (annotation or {}).get("labels")
    return str(labels[0]) if isinstance(labels, list) and labels else None


def _said(annotation: Annotation, key: str) -> tuple[str, dict[str, float]]:
    """Return the class that was said, and the scores of the surest."""
    labels: Any = annotation.get("labels")
    scores: Any = annotation.get("scores")
    if not (isinstance(labels, list) and labels and isinstance(scores, dict)):
        raise DamagedError(f"a prediction of {key} has no class, or no scores")
    numbers: Sequence[Any] = list(scores.values())
    if labels[0] not in scores or not all(type(one) in (int, float) for one in numbers):
        raise DamagedError(f"a prediction of {key} has no score of its class")
    return str(labels[0]), {str(name): float(one) for name, one in scores.items()}
