"""Reads all samples of a data set in one process and prints, as JSON, what the reading cost.

A program of its own, started by the scenario: start-up and listing are outside the clock, and the
readers of one tool leave nothing in the memory of the next.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import veml_vcs as veml
from benchmarks.vcs.workloads import IMAGE_FOLDER

BATCH_SAMPLES = 128

ReadMany = Callable[[Sequence[int]], int]


def open_files(folder: Path) -> tuple[int, ReadMany]:
    """Return the number of images in a plain folder, and a function that reads some of them.

    The function takes positions and returns the number of bytes read.
    """
    paths = [str(path) for path in sorted((folder / IMAGE_FOLDER).iterdir())]

    def read(positions: Sequence[int]) -> int:
        total_bytes = 0
        for position in positions:
            with open(paths[position], "rb") as file:
                total_bytes += len(file.read())
        return total_bytes

    return len(paths), read


def open_veml(repository: Path, dataset: str) -> tuple[int, ReadMany]:
    """Return the same for a data set at HEAD, read from veml's store."""
    data = veml.dataset(veml.open(str(repository)), dataset, "HEAD")

    def read(positions: Sequence[int]) -> int:
        return sum(len(data[position].data) for position in positions)

    return len(data), read


def positions_of(order: str, count: int) -> list[list[int]]:
    """Return the positions to read, one list for each call.

    Args:
        order: ``sorted`` and ``random`` read one by one, ``batches`` 128 at random at a time.
        count: Number of samples.
    """
    positions = list(range(count))
    if order != "sorted":
        random.Random(6).shuffle(positions)
    step = BATCH_SAMPLES if order == "batches" else 1
    return [positions[start : start + step] for start in range(0, count, step)]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--order", choices=["sorted", "random", "batches"], required=True)
    parser.add_argument("tool", choices=["files", "veml"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("dataset", nargs="?")
    options = parser.parse_args()
    if options.tool == "files":
        count, read = open_files(options.folder)
    else:
        count, read = open_veml(options.folder, options.dataset)
    calls = positions_of(options.order, count)
    # Once unmeasured: every tool is measured with its bytes in the page cache.
    for call in calls:
        read(call)
    start_cpu_seconds, start_wall_seconds = time.process_time(), time.perf_counter()
    for call in calls:
        read(call)
    cost = {
        "cpu_seconds": time.process_time() - start_cpu_seconds,
        "wall_seconds": time.perf_counter() - start_wall_seconds,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
