"""Does new data follow the distribution of old data? Without labels, and told in full.

Two answers side by side. The *paper's rule* (V.A) compares the mean distance of the new core set to
the old centres with the old covering radius; it is always given. It never fired on a shift inside
one data set, not even where accuracy falls from 77 % to 30 % (algorithms.md 3), so the *verdict*
comes from a permutation test of the energy distance. Around it: how large, how sure, and where.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis.coreset import assign, greedy_k_center
from veml_vcs.analysis.distances import pairwise_distances
from veml_vcs.analysis.points import (
    Float64Array,
    IndexArray,
    check_matrix,
    check_same_dimension,
    small_matrix,
)
from veml_vcs.analysis.two_sample import (
    MAX_ROWS,
    MeanEmbeddingTest,
    PermutationTest,
    check_level,
    draw_rows,
    mean_embedding_test,
    permutation_test,
)
from veml_vcs.errors import InvalidInputError

Verdict: TypeAlias = Literal["drift", "no drift", "no verdict"]
EffectWord: TypeAlias = Literal["negligible", "small", "medium", "large"]

PAPER_CENTRES = 10
"""The paper's k (tables 1, 2 and 9)."""

LOW_POWER_ROWS = 30
"""With fewer rows on a side only large shifts show."""

FEWEST_ROWS = 5
"""With fewer rows on a side there is no verdict."""

EFFECT_BOUNDS: tuple[tuple[float, EffectWord], ...] = (
    (0.1, "negligible"),
    (0.25, "small"),
    (0.4, "medium"),
)
"""Effects below these bounds have these words, others are large. Cohen's .2, .5 and .8, halved."""

_LISTED = 10
_HELD_SHARE = 0.95
_CONVERTED_BYTES = 64 << 20


@dataclass(frozen=True)
class PaperRule:
    """The paper's answer (V.A, table 9).

    Attributes:
        distance: Mean distance of the test core set's centres to the nearest training centre.
        radius: Covering radius of the training core set.
        ratio: distance / radius; None where the radius is 0.
        drifted: Whether the distance exceeds the radius.
    """

    distance: float
    radius: float
    ratio: float | None
    drifted: bool


@dataclass(frozen=True)
class CentreChange:
    """A centre of the core set, and how the data moved relative to it.

    Attributes:
        centre: Its position in the core set.
        z: Change of the mean distance to it, in standard errors; negative when nearer.
        reference_share: Share of the reference rows nearest to it.
        test_share: Share of the test rows nearest to it.
    """

    centre: int
    z: float
    reference_share: float
    test_share: float


@dataclass(frozen=True)
class FarSample:
    """A test sample far from all training data.

    Attributes:
        row: Its row in the test set.
        distance: To the nearest of the centres that samples are compared with.
        centre: That centre's position in the core set.
        outside: Whether the distance exceeds their covering radius.
    """

    row: int
    distance: float
    centre: int
    outside: bool


@dataclass(frozen=True)
class Where:
    """Where test data differ from the reference.

    The more centres, the finer their balls, but those of a whole small data set hold nothing else.
    So samples are looked at with the most centres whose balls still hold 95 % of the reference,
    which the core set was not fitted to.

    Attributes:
        p_value: Of the test at the core set; None without a verdict.
        centres: Those that changed most, largest |z| first.
        balls: Number of centres (the first of the core set) that samples are compared with.
        radius: Their covering radius.
        outside: Test samples farther than the radius from all of them.
        outside_share: The same as a share of the test set.
        reference_outside_share: What to expect: that share of the reference.
        farthest: Test samples farthest from all of them, the farthest first.
    """

    p_value: float | None
    centres: tuple[CentreChange, ...]
    balls: int
    radius: float
    outside: int
    outside_share: float
    reference_outside_share: float
    farthest: tuple[FarSample, ...]


@dataclass(frozen=True)
class DriftReport:
    """Everything `detect_drift` found.

    Attributes:
        verdict: ``drift`` if the test's p-value is at most alpha.
        alpha: The level.
        effect_word: The size of the difference; None without a verdict.
        test: The test behind the verdict; None where a side has too few rows for one.
        paper: The paper's rule.
        where: Centres and samples.
        notes: Sentences on what limits or qualifies the answer.
        reference_rows: Rows of the reference.
        test_rows: Rows of the test set.
    """

    verdict: Verdict
    alpha: float
    effect_word: EffectWord | None
    test: PermutationTest | None
    paper: PaperRule
    where: Where
    notes: tuple[str, ...]
    reference_rows: int
    test_rows: int

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values: finite numbers, strings, lists, None."""
        report: dict[str, Any] = _json_value(asdict(self))
        return report


def paper_rule(test_core: Any, train_core: Any, covering_radius: float) -> PaperRule:
    """Apply the paper's rule: test data drifted if d > r.

    d is the mean, over the test core set's centres, of the distance to the nearest training centre,
    r the covering radius of the training core set. Equality counts as covered: balls are closed.

    Args:
        test_core: [k, d] embeddings of the test core set.
        train_core: [k', d] embeddings of the training core set.
        covering_radius: Of the training core set.

    Raises:
        InvalidInputError: Either is empty or not finite, dimensions differ, or the radius is not a
            finite number >= 0.
    """
    radius = float(covering_radius)
    if not 0 <= radius < np.inf:
        raise InvalidInputError(f"covering_radius: expected a number >= 0, found {radius}")
    distance = float(assign(test_core, train_core).distances.mean())
    ratio = distance / radius if radius > 0 else None
    if ratio is not None and not np.isfinite(ratio):
        ratio = None
    return PaperRule(distance, radius, ratio, distance > radius)


def effect_word(effect: float) -> EffectWord:
    """Return the word for an effect size, see `EFFECT_BOUNDS`."""
    return next((word for bound, word in EFFECT_BOUNDS if effect < bound), "large")


def detect_drift(
    reference: Any,
    test: Any,
    *,
    centres: Any,
    radius_profile: Any,
    alpha: float = 0.05,
    permutations: int = 999,
    seed: int = 0,
    max_rows: int = MAX_ROWS,
) -> DriftReport:
    """Compare test data with training data.

    Args:
        reference: [m, d] embeddings of the training version's hold-out (`sampling.split_holdout`):
            a uniform sample that the core set was not fitted to.
        test: [n, d] embeddings of the new data; may be a memory map.
        centres: [k, d] embeddings of the training version's core set, in the order of choice.
        radius_profile: [k] its radii.
        alpha: Level of the verdict: the share of false alarms.
        permutations: Random splits of the test.
        seed: Draws the splits and the test core set's first centre.
        max_rows: Larger sides are cut to this many rows for the test, uniformly.

    Raises:
        InvalidInputError: An argument is empty or not finite, dimensions differ, the profile does
            not fit the centres, or alpha and permutations do not allow a verdict.
    """
    check_level(alpha, permutations)
    check_same_dimension(
        check_matrix(reference, "reference"), check_matrix(test, "test"), "reference and test"
    )
    targets = small_matrix(centres, "centres")
    check_same_dimension(check_matrix(test, "test"), targets, "test and centres")
    radii = _checked_profile(radius_profile, len(targets))
    rows, test_rows = len(reference), len(test)
    test = _computable(test)

    k = min(PAPER_CENTRES, len(targets))
    test_core = greedy_k_center(test, PAPER_CENTRES, seed=seed)
    paper = paper_rule(
        np.asarray(test)[np.sort(test_core.indices)], targets[:k], float(radii[k - 1])
    )

    result: PermutationTest | None = None
    changes: tuple[CentreChange, ...] = ()
    embedding: MeanEmbeddingTest | None = None
    if min(rows, test_rows) >= FEWEST_ROWS:
        old = draw_rows(reference, "reference", max_rows)
        new = draw_rows(test, "test", max_rows)
        result = permutation_test(
            old, new, permutations=permutations, seed=seed, alpha=alpha, max_rows=max_rows
        )
        embedding = mean_embedding_test(
            old, new, targets, permutations=permutations, seed=seed, max_rows=max_rows
        )
        changes = _centre_changes(old, new, targets, embedding)
    verdict: Verdict = "no verdict"
    if result is not None:
        verdict = "drift" if result.p_value <= alpha else "no drift"
    return DriftReport(
        verdict=verdict,
        alpha=alpha,
        effect_word=None if result is None else effect_word(result.effect),
        test=result,
        paper=paper,
        where=_where(
            reference,
            test,
            targets,
            radii,
            None if embedding is None else embedding.p_value,
            changes,
        ),
        notes=tuple(_notes(rows, test_rows, max_rows, verdict, result, paper)),
        reference_rows=rows,
        test_rows=test_rows,
    )


def _computable(test: Any) -> NDArray[Any]:
    # The test set is read half a dozen times, and numpy takes longer to convert float16 than to
    # compute with it. A large one is left where it is.
    array: NDArray[Any] = np.asanyarray(test)
    if array.dtype == np.float16 and array.nbytes <= _CONVERTED_BYTES:
        return array.astype(np.float32)
    return array


def _checked_profile(profile: Any, centres: int) -> Float64Array:
    radii = np.asarray(profile, dtype=np.float64)
    if radii.shape != (centres,) or not (np.isfinite(radii) & (radii >= 0)).all():
        raise InvalidInputError(
            f"radius_profile: expected a radius >= 0 for each of {centres} centres, "
            f"found shape {radii.shape}"
        )
    return radii


def _where(
    reference: Any,
    test: Any,
    centres: Float64Array,
    radii: Float64Array,
    p_value: float | None,
    changes: tuple[CentreChange, ...],
) -> Where:
    distances = pairwise_distances(reference, centres)
    held = (np.minimum.accumulate(distances, axis=1) <= radii).mean(axis=0)
    balls = int(np.flatnonzero(held >= _HELD_SHARE).max(initial=0)) + 1
    radius = float(radii[balls - 1])
    found = assign(test, centres[:balls])
    beyond = found.distances > radius
    return Where(
        p_value=p_value,
        centres=changes,
        balls=balls,
        radius=radius,
        outside=int(beyond.sum()),
        outside_share=float(beyond.mean()),
        reference_outside_share=float((distances[:, :balls].min(axis=1) > radius).mean()),
        farthest=tuple(
            FarSample(
                row=int(row),
                distance=float(found.distances[row]),
                centre=int(found.nearest[row]),
                outside=bool(beyond[row]),
            )
            for row in np.argsort(-found.distances, kind="stable")[:_LISTED]
        ),
    )


def _centre_changes(
    reference: Any, test: Any, centres: Float64Array, embedding: MeanEmbeddingTest
) -> tuple[CentreChange, ...]:
    before = _shares(assign(reference, centres).masses)
    after = _shares(assign(test, centres).masses)
    return tuple(
        CentreChange(int(j), float(embedding.z[j]), float(before[j]), float(after[j]))
        for j in embedding.most_changed[:_LISTED]
    )


def _shares(masses: IndexArray) -> Float64Array:
    shares: Float64Array = masses / masses.sum()
    return shares


def _notes(
    rows: int,
    test_rows: int,
    max_rows: int,
    verdict: Verdict,
    result: PermutationTest | None,
    paper: PaperRule,
) -> list[str]:
    notes = []
    # Called rows, not samples: the reference is the part of the training samples that was held out.
    for name, count in (("reference (held out of training)", rows), ("test set", test_rows)):
        if count < FEWEST_ROWS:
            notes.append(
                f"The {name} has {count} row{'s' * (count != 1)}; with fewer than {FEWEST_ROWS} "
                "there is no verdict."
            )
        elif count < LOW_POWER_ROWS:
            notes.append(
                f"Low power: the {name} has {count} rows, so only a large shift would show."
            )
        elif count > max_rows:
            notes.append(f"The test used {max_rows} of the {count} rows of the {name}.")
    if result is not None:
        detectable = result.minimum_detectable_effect
        if verdict == "no drift":
            notes.append(
                f"With this many rows an effect of {detectable:.2g} ({effect_word(detectable)}) "
                "would usually be found; a smaller one may have been missed."
            )
        elif result.effect < EFFECT_BOUNDS[0][0]:
            notes.append("The difference is certain but negligible in size: there are many rows.")
        if paper.drifted != (verdict == "drift"):
            notes.append(
                f"The paper's rule says {'drift' if paper.drifted else 'no drift'}; it compares "
                "core sets alone, and the verdict is the permutation test's."
            )
    if paper.radius == 0:
        notes.append("The training core set has radius 0, so the paper's ratio does not exist.")
    return notes


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    return value
