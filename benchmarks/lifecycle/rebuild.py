"""Ways to rebuild a detector for data that has moved on: the shape of the paper's table 11.

    VEML_DATA=FOLDER OMP_NUM_THREADS=1 python -m benchmarks.lifecycle.rebuild [--old day --new dusk]
                                       [--iterations 200] [--seeds 0 1 2]

A detector of the old set is rebuilt for the new one by every method of `veml rebuild`, all measured
on the same held-back part of the new set, and on what the old training held back (forgetting). The
new set has all labels; active learning looks at those alone that it chose.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
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


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: The method.
        labels: That it needed.
        new: mAP50 on what was held back of the new set.
        new_map: mAP there.
        old: mAP50 on what the old training held back.
        seconds: Of CPU.
    """

    what: str
    labels: int
    new: float
    new_map: float
    old: float
    seconds: float

    @classmethod
    def of(cls, what: str, done: Rebuilt, seconds: float) -> Row:
        """Read it off a rebuild."""
        assert done.new is not None
        assert done.old is not None
        new, old = done.new.after, done.old.after
        return cls(what, done.labels, new["mAP50"], new["mAP"], old["mAP50"], seconds)


HEAD = """| method | labels | new mAP50 | new mAP | old mAP50 | CPU s |
| --- | --- | --- | --- | --- | --- |"""


def show(row: Row) -> Row:
    """Print a line of the table."""
    print(
        f"| {row.what} | {row.labels} | {row.new:.3f} | {row.new_map:.3f} | {row.old:.3f} | "
        f"{row.seconds:.0f} |", flush=True,
    )  # fmt: skip
    return row


def over_seeds(rows: Sequence[Row]) -> str:
    """Return the line of one method over several seeds: means, and the range in brackets."""

    def cell(values: list[float]) -> str:
        return f"{mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"

    return (
        f"| {rows[0].what} | {mean([one.labels for one in rows]):.0f} | "
        f"{cell([one.new for one in rows])} | {cell([one.new_map for one in rows])} | "
        f"{cell([one.old for one in rows])} | {mean([one.seconds for one in rows]):.0f} |"
    )


def rows_of(old: str, new: str, iterations: int, seed: int) -> Iterator[Row]:
    """Train on the old set, rebuild in every way, and yield the lines of the table."""
    with driving([old, new]) as repo:
        learn(repo, old, "old", iterations, seed)
        ways: list[tuple[str, dict[str, Any]]] = [
            ("adapt (AdaBN)", {"method": "adapt"}),
            ("transfer", {"method": "transfer", "iterations": iterations // 2}),
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
            done = one_way(repo, new, seed=seed, **how)
            if not number:
                assert done.new is not None
                assert done.old is not None
                before = done.new.before
                yield Row(
                    "no rebuild", 0, before["mAP50"], before["mAP"], done.old.before["mAP50"], 0
                )
            yield Row.of(what, done, time.process_time() - start)


def main() -> None:
    """Run the experiment and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", default="day")
    parser.add_argument("--new", default="dusk")
    parser.add_argument("--iterations", type=int, default=200, help="of a training from scratch")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()
    began = time.process_time()
    names = [given.old, given.new]
    if len(there(names)) < len(names):
        return
    found: list[list[Row]] = []
    for seed in given.seeds:
        print(f"{given.old} -> {given.new}, seed {seed}\n\n{HEAD}")
        found.append([show(row) for row in rows_of(given.old, given.new, given.iterations, seed)])
        print()
    if len(found) > 1:
        print(f"{given.old} -> {given.new}, means of {len(found)} seeds (least-most)\n\n{HEAD}")
        print("\n".join(over_seeds(rows) for rows in zip(*found, strict=True)))
    print(f"{time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
