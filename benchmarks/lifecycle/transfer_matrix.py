"""Is a lifecycle better taken over from similar data (paper, tables 5 and 12)?

    VEML_DATA=FOLDER python -m benchmarks.lifecycle.transfer_matrix [--steps 40] [--seeds 1]
                                   [--source-steps 100] [--size 192] [--results FILE.json]

FOLDER holds the archives of the detection sets. On each of them the small Faster R-CNN is trained
at random beginnings for ``--source-steps``: these are the lifecycles of the repository. Then every
one of them is taken over to every other set (``veml transfer --from``) and trained for ``--steps``,
and each set is trained from scratch for as long (the diagonal). All by veml, in a repository of its
own. Printed are mAP and mAP50 on the held-back fifth of the target, the distances between the data
versions, and the rank correlation of distance and gain.

What is in FILE already is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import torch
from scipy.stats import spearmanr

from veml_vcs.lifecycle.proposal import TransferRequest, propose
from veml_vcs.lifecycle.transfer import transfer
from veml_vcs.repository import Repository
from veml_vcs.repository.add import add
from veml_vcs.repository.init import init
from veml_vcs.repository.models.add import add_model
from veml_vcs.training.plan import Request
from veml_vcs.training.templates import template
from veml_vcs.training.train import train
from veml_vcs.training.watch import Quiet

SETS = ("carla_town03", "carla_town05", "vehicles_openimages", "bccd")
SCRATCH = "scratch"
_METRICS = ("mAP", "mAP50")

Numbers = dict[str, float]


def make_repository(folder: str, root: Path, names: Sequence[str]) -> Repository:
    """Make a repository with the data sets and the small detector."""
    init(str(root))
    repo = Repository(str(root))
    for name in names:
        archive = Path(folder) / f"{name}.tar"
        if not archive.exists():
            sys.exit(f"{archive} is not there: VEML_DATA=FOLDER names the folder of the data sets")
        with tarfile.open(archive) as opened:
            opened.extractall(root, filter="data")
        add(repo, [str(root / name)])
    (root / "small.py").write_text(template("faster-rcnn-small").text)
    add_model(repo, "small.py", "small")
    return repo


def settings(size: int, steps: int) -> tuple[str, ...]:
    """Return what is changed of the config that ships: image size, and measured once."""
    return (
        f"train_dataloader.dataset.pipeline.2.scale=[{size}, {size}]",
        f"train_cfg.val_interval={steps}",
    )


def from_scratch(
    repo: Repository, data: str, name: str, seed: int, steps: int, size: int
) -> Numbers:
    """Train from random weights; return what was measured."""
    request = Request(
        data=data, model="small", name=name, seed=seed, iterations=steps,
        settings=settings(size, steps),
    )  # fmt: skip
    done = train(repo, request, Quiet(), force=True)
    assert done is not None
    return {one: done.metrics[one] for one in _METRICS}


def taken_over(repo: Repository, data: str, source: str, seed: int, steps: int) -> Numbers:
    """Take a lifecycle over; return what was measured, the distances, and the classes in both."""
    request = Request(
        data=data, name="taken", seed=seed, iterations=steps,
        settings=(f"train_cfg.val_interval={steps}",),
    )  # fmt: skip
    proposal = propose(repo, TransferRequest(request, source=f"trainings/{source}"))
    (chosen,) = proposal.chosen
    done = transfer(repo, proposal, Quiet(), force=True)
    assert chosen.ranked.distance is not None
    assert chosen.ranked.core_set_distance is not None
    assert chosen.match is not None
    return {one: done.runs[0].metrics[one] for one in _METRICS} | {
        "distance": chosen.ranked.distance,
        "core_set_distance": chosen.ranked.core_set_distance,
        "classes": len(chosen.match.pairs),
    }


class Results:
    """Numbers by key, kept in a file after each."""

    def __init__(self, path: str | None) -> None:
        self.path = None if path is None else Path(path)
        known = self.path is not None and self.path.exists()
        self.numbers: dict[str, Numbers] = (
            json.loads(self.path.read_text()) if self.path is not None and known else {}
        )

    def of(self, key: str, make: Callable[[], Numbers]) -> Numbers:
        """Return the numbers of a key; make and keep them if they are not known."""
        if key not in self.numbers:
            self.numbers[key] = make()
            print(f"{key}: {self.numbers[key]}", file=sys.stderr, flush=True)
            if self.path is not None:
                self.path.write_text(json.dumps(self.numbers, indent=1))
        return self.numbers[key]


def run(
    repo: Repository, names: Sequence[str], asked: argparse.Namespace, results: Results
) -> Mapping[str, Numbers]:
    """Train everything that is not known; return the numbers by ``FROM > TARGET > SEED``."""
    size, steps, long = asked.size, asked.steps, asked.source_steps
    for name in names:
        # The weights are needed, so a source is trained also where its number is known.
        found = from_scratch(repo, name, f"of-{name}", 0, long, size)
        results.of(f"source > {name} > 0", lambda found=found: found)  # type: ignore[misc]
    for seed in range(asked.seeds):
        for target in names:
            results.of(
                f"{SCRATCH} > {target} > {seed}",
                lambda t=target, s=seed: from_scratch(repo, t, "one", s, steps, size),  # type: ignore[misc]
            )
            for source in names:
                if source != target:
                    results.of(
                        f"{source} > {target} > {seed}",
                        lambda t=target, f=source, s=seed: taken_over(  # type: ignore[misc]
                            repo, t, f"of-{f}", s, steps
                        ),
                    )
    return results.numbers


def tell(names: Sequence[str], seeds: int, found: Mapping[str, Numbers]) -> None:
    """Print the matrices as Markdown, and how distance and gain go together."""

    def mean(source: str, target: str, what: str) -> float:
        return fmean(found[f"{source} > {target} > {seed}"][what] for seed in range(seeds))

    for what in _METRICS:
        print(f"\n| {what}, from | " + " | ".join(names) + " |")
        print("| --- " * (len(names) + 1) + "|")
        print(f"| {SCRATCH} | " + " | ".join(f"{mean(SCRATCH, t, what):.3f}" for t in names) + " |")
        for source in names:
            cells = ["-" if source == t else f"{mean(source, t, what):.3f}" for t in names]
            print(f"| {source} | " + " | ".join(cells) + " |")
        own = (f"{found[f'source > {t} > 0'][what]:.3f}" for t in names)
        print("| (the source itself) | " + " | ".join(own) + " |")
    print("\n| energy (core sets; classes in both) | " + " | ".join(names) + " |")
    print("| --- " * (len(names) + 1) + "|")
    for source in names:
        cells = []
        for target in names:
            one = found.get(f"{source} > {target} > 0")
            cells.append(
                "-"
                if one is None
                else f"{one['distance']:.1f} ({one['core_set_distance']:.1f}; {one['classes']:.0f})"
            )
        print(f"| {source} | " + " | ".join(cells) + " |")
    pairs = [(a, b) for a in names for b in names if a != b]
    for what in _METRICS:
        gains = [mean(a, b, what) - mean(SCRATCH, b, what) for a, b in pairs]
        worse = sum(one < 0 for one in gains)
        print(f"\n{what}: {worse} of {len(pairs)} transfers are worse than from scratch")
        for distance in ("distance", "core_set_distance"):
            values = [found[f"{a} > {b} > 0"][distance] for a, b in pairs]
            rank = spearmanr(values, gains)
            print(f"rank correlation of {distance} and gain in {what}: "
                  f"{rank.statistic:+.2f} (p = {rank.pvalue:.2f}, {len(pairs)} pairs)")  # fmt: skip
        hits = 0
        for target in names:
            others = [one for one in names if one != target]
            nearest = min(others, key=lambda s: found[f"{s} > {target} > 0"]["distance"])
            best = max(others, key=lambda s: mean(s, target, what))
            hits += nearest == best
        print(f"the nearest set is the best to begin with for {hits} of {len(names)} targets")


def main() -> None:
    """Run the experiment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--source-steps", type=int, default=100)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--results")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    results = Results(asked.results)
    with tempfile.TemporaryDirectory(prefix="veml-transfer-") as root:
        os.chdir(root)
        repo = make_repository(os.environ.get("VEML_DATA", ""), Path(root), asked.sets)
        with repo:
            found = run(repo, asked.sets, asked, results)
    tell(asked.sets, asked.seeds, found)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"\n{(used.ru_utime + used.ru_stime) / 60:.1f} CPU minutes")


if __name__ == "__main__":
    main()
