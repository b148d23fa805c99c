"""Cost of the greedy core set, as a multiple of plain one-centre passes over the same data.

    python benchmarks/analysis/coreset.py [--rows 100000] [--dimension 1280]
                                          [--centres 100 1000] [--embeddings FILE.npy]

A plain pass is what the plain loop does for each centre: one matrix-vector product over all rows
and a running minimum. Goal: at most 30 passes for 100 centres, 150 for 1000. Without a file the
data are rectified random projections, spread in 30 directions, as pooled features of a network
are. The two are measured in turn, and the best of three rounds counts, so that neighbours on the
machine disturb both alike.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from veml_vcs.analysis import greedy_k_center

_PASSES = 10
_ROUNDS = 3


def synthetic(rows: int, dimension: int) -> np.ndarray:
    """Return non-negative float32 features with a low-dimensional core."""
    random = np.random.default_rng(0)
    factors = random.standard_normal((rows, 30), dtype=np.float32)
    points = factors @ random.standard_normal((30, dimension), dtype=np.float32)
    points *= 0.3
    points += 0.5 * random.standard_normal((rows, dimension), dtype=np.float32)
    np.maximum(points, 0, out=points)
    return points


def plain_pass_seconds(points: np.ndarray) -> float:
    """Return the mean wall time of one step of the plain loop, norms known."""
    norms = np.einsum("ij,ij->i", points, points)
    squared = np.full(len(points), np.inf, dtype=points.dtype)
    started = time.perf_counter()
    for row in range(_PASSES):
        distances = norms - 2 * (points @ points[row])
        distances += norms[row]
        np.minimum(squared, distances, out=squared)
        squared.argmax()
    return (time.perf_counter() - started) / _PASSES


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=1280)
    parser.add_argument("--centres", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--embeddings", help="an .npy file, read as a memory map")
    arguments = parser.parse_args()
    if arguments.embeddings:
        points = np.load(arguments.embeddings, mmap_mode="r")
    else:
        points = synthetic(arguments.rows, arguments.dimension)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for k in arguments.centres:
        unit = wall = cpu = float("inf")
        for _ in range(_ROUNDS):
            unit = min(unit, plain_pass_seconds(points))
            started, cpu_started = time.perf_counter(), time.process_time()
            core = greedy_k_center(points, k)
            wall = min(wall, time.perf_counter() - started)
            cpu = min(cpu, time.process_time() - cpu_started)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(
            f"{points.shape[0]} x {points.shape[1]} {points.dtype}, k = {len(core)}: "
            f"{wall:.2f} s wall, {cpu:.2f} s CPU = {wall / unit:.1f} plain passes of "
            f"{1000 * unit:.1f} ms; radius {core.radius:.3f}; peak memory +{grown >> 10} MiB"
        )


if __name__ == "__main__":
    main()
