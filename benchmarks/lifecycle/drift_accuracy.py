"""Does the drift verdict go with the accuracy drop? The shape of the paper's table 10.

    VEML_DATA=FOLDER OMP_NUM_THREADS=1 python -m benchmarks.lifecycle.drift_accuracy

A detector is trained on each source and measured on what it held back ("validation") and on every
target; beside that stand the permutation test of `veml drift` and the paper's rule, which see
images alone. Ends with rank correlations of the drop with each, over all and within each source.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from scipy.stats import spearmanr

from benchmarks.lifecycle.driving import driving, learn, there
from veml_vcs.analysis.data_versions import drift
from veml_vcs.repository.dataset import dataset
from veml_vcs.repository.repository import Repository
from veml_vcs.repository.trainings.versions import open_training
from veml_vcs.training.held_back import part_of_use, uses_of
from veml_vcs.training.measure import measure
from veml_vcs.training.plan import Part
from veml_vcs.training.split import split_by_seed

SOURCES = ("day", "town05", "dusk")
TARGETS = ("day", "day2", "dusk", "town01", "town03", "town05")


@dataclass(frozen=True)
class Pair:
    """One training set and one test set.

    Attributes:
        source: What was trained on.
        target: What was measured on.
        p: Of the permutation test.
        effect: Of the permutation test.
        ratio: Mean distance over covering radius, the paper's rule; above 1 it says drift.
        validation: mAP50 on what was held back of the source.
        testing: mAP50 on the target.
    """

    source: str
    target: str
    p: float
    effect: float
    ratio: float
    validation: float
    testing: float

    @property
    def drop(self) -> float:
        """Part of the validation accuracy that is lost."""
        return (self.validation - self.testing) / self.validation if self.validation else 0.0


def measured(repo: Repository, source: str, target: str, images: int, seed: int) -> Pair:
    """Measure one pair."""
    training = open_training(repo, source)
    held = part_of_use(repo, uses_of(training, "val")[0])
    data = dataset(repo, target)
    known = {key: data.entries[key].content for key in data.keys}
    contents = {key: one for key, one in known.items() if one is not None}
    keys = split_by_seed(contents, min(0.9, images / len(contents)), seed).val
    some = Part(target, data.record.to_bytes().decode(), keys, {"drawn": images, "seed": seed})
    found = drift(repo, source, target, seed=seed).report
    assert found.test is not None
    return Pair(
        source, target, found.test.p_value, found.test.effect, found.paper.ratio or 0.0,
        measure(repo, training, held).metrics["mAP50"],
        measure(repo, training, some).metrics["mAP50"],
    )  # fmt: skip


def main() -> None:
    """Run the experiment and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=80)
    parser.add_argument("--images", type=int, default=30, help="of each target")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.process_time()
    sources, targets = there(SOURCES), there(TARGETS)
    pairs = []
    with driving(sorted({*sources, *targets})) as repo:
        print("| training | testing | p | effect | d / radius | validation | testing | drop |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for source in sources:
            learn(repo, source, source, given.iterations, given.seed)
            for target in targets:
                if target == source:
                    continue
                one = measured(repo, source, target, given.images, given.seed)
                pairs.append(one)
                print(
                    f"| {one.source} | {one.target} | {one.p:.3f} | {one.effect:.2f} | "
                    f"{one.ratio:.2f} | {one.validation:.3f} | {one.testing:.3f} | "
                    f"{100 * one.drop:.0f} % |", flush=True,
                )  # fmt: skip
    told(pairs)
    print(f"{time.process_time() - began:.0f} CPU seconds")


def told(pairs: list[Pair]) -> None:
    """Print how the drop goes with what was seen without labels."""
    for name in ("effect", "ratio"):
        seen = [getattr(one, name) for one in pairs]
        found = spearmanr(seen, [one.drop for one in pairs])
        print(f"drop against {name}: Spearman {found.statistic:.2f} (p {found.pvalue:.3f}), "
              f"{len(pairs)} pairs")  # fmt: skip
        for source in dict.fromkeys(one.source for one in pairs):
            own = [one for one in pairs if one.source == source]
            inner = spearmanr([getattr(one, name) for one in own], [one.drop for one in own])
            print(f"  of {source}: {inner.statistic:.2f}")
    drifted = [one for one in pairs if one.p <= 0.05]
    rest = [one for one in pairs if one.p > 0.05]
    for what, some in (("drift", drifted), ("no drift", rest)):
        if some:
            mean = sum(one.drop for one in some) / len(some)
            print(f"verdict {what}: {len(some)} pairs, mean drop {100 * mean:.0f} %")
    for what, some in (
        ("paper's rule says drift", [one for one in pairs if one.ratio > 1]),
        ("paper's rule says none", [one for one in pairs if one.ratio <= 1]),
    ):
        if some:
            mean = sum(one.drop for one in some) / len(some)
            print(f"{what}: {len(some)} pairs, mean drop {100 * mean:.0f} %")


if __name__ == "__main__":
    main()
