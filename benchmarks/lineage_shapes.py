"""What chains cost on histories of many merges: ``python -m benchmarks.lineage_shapes``.

Commits go straight into the tables; what the last one reaches is asked of chains and of the walk in
the same run (docs/design/033-reachability.md), then how long ``veml fsck`` looks at the chains.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.sqlite.chains import _WALK, reached
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.sound_chains import says_what_commits_reach
from veml_vcs.lineage.sqlite.write import Writer
from veml_vcs.objects.files import Files
from veml_vcs.repository.git.brought import Brought

Shape = Callable[[int], Iterator[list[int]]]


def line(count: int) -> Iterator[list[int]]:
    """Yield the parents of each commit: the one before."""
    for number in range(count):
        yield [number - 1] if number else []


def crosswise(branches: int) -> Shape:
    """Return a history in which any branch takes in any other, over and over."""

    def shape(count: int) -> Iterator[list[int]]:
        some = random.Random(0)
        ends = [0] * branches
        yield []
        for number in range(1, count):
            one, other = some.sample(range(branches), 2)
            yield list(dict.fromkeys((ends[one], ends[other])))
            ends[one] = number

    return shape


def in_step(count: int) -> Iterator[list[int]]:
    """Yield 1,000 branches of ten that are open at a time and grow by turns, then are merged."""
    trunk, number = 0, 1
    yield []
    while number < count:
        ends = [trunk] * 1000
        for _ in range(10):
            for branch, end in enumerate(ends):
                yield [end]
                ends[branch] = number
                number += 1
        for end in ends:
            yield [trunk, end]
            trunk = number
            number += 1


SHAPES: dict[str, Shape] = {
    "a line": line, "any two of 30": crosswise(30), "any two of 300": crosswise(300),
    "1,000 open in step": in_step,
}  # fmt: skip


def best(call: Callable[[], object]) -> float:
    """Return the CPU milliseconds of a call, the best of five."""
    spent = []
    for _ in range(5):
        began = time.process_time()
        call()
        spent.append(time.process_time() - began)
    return 1000 * min(spent)


def _walk(base: Database, last: int) -> list[tuple[int, int]]:
    return base.connection.execute(_WALK, (f"[{last}]",)).fetchall()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=100_000)
    count = parser.parse_args().commits
    print(
        f"{'history':<22}{'added, s':>9}{'chains':>8}{'links':>9}{'chains, ms':>12}{'walk, ms':>10}"
        f"{'':>10}{'checked, s':>12}"
    )
    for name, shape in SHAPES.items():
        with TemporaryDirectory() as folder:
            base = Database(str(Path(folder) / "lineage.sqlite"), Files())
            commits: list[tuple[Node, list[str], list[Brought]]] = [
                (Node(f"{number:040x}", "commit"), [f"{one:040x}" for one in parents], [])
                for number, parents in enumerate(shape(count))
            ]
            began = time.process_time()
            with base.changing() as connection:
                writer = Writer(connection)
                for first in range(0, len(commits), 2000):
                    writer.add_commits(commits[first : first + 2000])
                writer.settle()
            added = time.process_time() - began
            do = base.connection.execute
            (last,) = do("SELECT max(key) FROM node").fetchone()
            chains, links = (
                do(f"SELECT count({what}) FROM {table}").fetchone()[0]
                for what, table in (("DISTINCT chain", "place"), ("*", "link"))
            )
            assert reached(base.connection, [last]) == dict(_walk(base, last))
            asked = best(partial(reached, base.connection, [last]))
            walked = best(partial(_walk, base, last))
            began = time.process_time()
            assert says_what_commits_reach(base.connection)
            checked = time.process_time() - began
            print(f"{name:<22}{added:9.1f}{chains:8,}{links:9,}{asked:12.1f}{walked:10.1f}"
                  f"{asked / walked:8.2f} x{checked:12.1f}", flush=True)  # fmt: skip
            base.close()


if __name__ == "__main__":
    main()
