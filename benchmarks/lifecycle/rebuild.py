"""Ways to rebuild a detector for data that has moved on: the shape of the paper's table 11.

    VEML_DATA=FOLDER OMP_NUM_THREADS=1 python -m benchmarks.lifecycle.rebuild [--old day --new dusk]

A detector of the old set is rebuilt for the new one by every method of `veml rebuild`, all measured
on the same held-back part of the new set, and on what the old training held back (forgetting). The
new set has all labels; active learning looks at those alone that it chose.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks.lifecycle.driving import SETTINGS, commit, driving, learn, there
from veml_vcs.lifecycle.rebuild.carry import Rebuilt, rebuild
from veml_vcs.lifecycle.rebuild.request import RebuildRequest
from veml_vcs.repository.repository import Repository
from veml_vcs.training.watch import Quiet

BUDGETS = ("30%", "10%")
SELECTIONS = ("random", "margin", "coreset", "probcover")


def one_way(repo: Repository, new: str, **how: Any) -> Rebuilt:
    """Rebuild once, and commit."""
    done = rebuild(repo, RebuildRequest("old", new, settings=SETTINGS, **how), Quiet())
    assert isinstance(done, Rebuilt)
    commit(done.name)
    return done


def row(what: str, done: Rebuilt, seconds: float) -> None:
    """Print a line of the table."""
    assert done.new is not None
    assert done.old is not None
    cells = [
        what, str(done.labels), f"{done.new.after['mAP50']:.3f}", f"{done.new.after['mAP']:.3f}",
        f"{done.old.after['mAP50']:.3f}", f"{seconds:.0f}",
    ]  # fmt: skip
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Run the experiment and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", default="day")
    parser.add_argument("--new", default="dusk")
    parser.add_argument("--iterations", type=int, default=100, help="of a training from scratch")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began = time.process_time()
    names = [given.old, given.new]
    if len(there(names)) < len(names):
        return
    with driving(names) as repo:
        learn(repo, given.old, "old", given.iterations, given.seed)
        print("| method | labels | new mAP50 | new mAP | old mAP50 | CPU s |")
        print("| --- | --- | --- | --- | --- | --- |")
        ways: list[tuple[str, dict[str, Any]]] = [
            ("adapt (AdaBN)", {"method": "adapt"}),
            ("transfer", {"method": "transfer", "iterations": given.iterations // 2}),
            ("full", {"method": "full"}),
        ]
        ways += [
            (
                f"active {budget} {selection}",
                {"method": "active", "budget": budget, "selection": selection,
                 "name": f"{selection}-{budget.rstrip('%')}"},
            )
            for budget in BUDGETS for selection in SELECTIONS
        ]  # fmt: skip
        for number, (what, how) in enumerate(ways):
            start = time.process_time()
            done = one_way(repo, given.new, seed=given.seed, **how)
            if not number:
                assert done.new is not None
                assert done.old is not None
                new, old = done.new.before, done.old.before
                print(
                    f"| no rebuild | 0 | {new['mAP50']:.3f} | {new['mAP']:.3f} | "
                    f"{old['mAP50']:.3f} | 0 |"
                )
            row(what, done, time.process_time() - start)
    print(f"{time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
