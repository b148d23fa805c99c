"""How long one run of a file takes on this machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from veml_vcs.versions.inferences.outcome import Latency

WARM_UP = 5
RUNS = 50
_MOST_SECONDS = 30.0
_LEAST_RUNS = 10
_T = TypeVar("_T")


def usable_threads() -> int:
    """Return how many processors this process may use."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure_latency(
    run: Callable[[_T], object],
    samples: Sequence[_T],
    threads: int,
    runs: int = RUNS,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> Latency:
    """Time runs of one sample each, from what the file takes to what it gives.

    Args:
        run: Runs the file.
        samples: What it is run with, in turn; decoded already.
        threads: How many it computes with.
        runs: How many runs count.
        told: Is told how many runs are done, of how many.

    Returns:
        Median and 95th percentile over so many runs; over fewer, but ``_LEAST_RUNS``, where they
        take more than half a minute.
    """
    for place in range(WARM_UP):
        run(samples[place % len(samples)])
    taken: list[float] = []
    begun = time.perf_counter()
    while len(taken) < runs:
        start = time.perf_counter()
        run(samples[len(taken) % len(samples)])
        end = time.perf_counter()
        taken.append((end - start) * 1000)
        told(len(taken), runs)
        if end - begun > _MOST_SECONDS and len(taken) >= _LEAST_RUNS:
            break
    ordered = sorted(taken)
    return Latency(
        median_ms=round(_quantile(ordered, 0.5), 3), p95_ms=round(_quantile(ordered, 0.95), 3),
        batch=1, threads=threads, cpu=processor(), warm_up=WARM_UP, runs=len(ordered),
    )  # fmt: skip


def _quantile(ordered: Sequence[float], part: float) -> float:
    """Return a quantile, between two neighbours by their distance."""
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def processor() -> str:
    """Return the processor's model name; no name of a host."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()[:100]
    except OSError:
        pass  # another system than Linux
    return (platform.processor() or platform.machine())[:100]
