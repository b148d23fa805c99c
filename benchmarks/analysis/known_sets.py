"""Similarity and drift between real data sets, with the default embedder.

    VEML_DATA=FOLDER python benchmarks/analysis/known_sets.py [--images 160]

FOLDER holds the tars of the data sets. Prints, for each data set, the others (and its own other
half) ranked by energy distance, with the paper's distance beside it and the rank that would give;
then drift between driving sets, and between halves of one set, where there is none.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tarfile
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from veml_vcs.analysis import (
    DriftReport,
    Summary,
    detect_drift,
    greedy_k_center,
    rank,
    split_holdout,
    uniform_sample,
)
from veml_vcs.analysis.embedders import get_embedder

_SETS = {
    "mnist": ("mnist", "train/"),
    "fashion": ("fashion_mnist", "train/"),
    "cifar10": ("cifar10", "train/"),
    "kitti": ("kitti75", "image_2/"),
    "day": ("camvid_day_0016E5", "images/"),
    "day2": ("camvid_day_Seq05VD", "images/"),
    "dusk": ("camvid_dusk_0001TP", "images/"),
    "town01": ("carla_town01", ""),
    "town03": ("carla_town03", ""),
    "town05": ("carla_town05", ""),
}
_DRIFTS = (
    ("day", "day2"),
    ("day", "dusk"),
    ("day2", "dusk"),
    ("day", "kitti"),
    ("town01", "town03"),
    ("town03", "town05"),
    ("mnist", "fashion"),
)
_HALVES = ("day", "dusk", "town01", "town03", "town05", "cifar10", "mnist", "fashion")
_SPLITS = 20
_CENTRES = 10


def read_images(folder: str, name: str, images: int) -> tuple[list[bytes], list[bytes]]:
    """Return ids and bytes of a seeded draw of a data set's images, in the order of their names."""
    tar_name, part = _SETS[name]
    found = {}
    with tarfile.open(os.path.join(folder, f"{tar_name}.tar")) as tar:
        for member in tar:
            if part in member.name and member.name.lower().endswith((".png", ".jpg", ".jpeg")):
                file = tar.extractfile(member)
                assert file is not None
                found[member.name] = file.read()
    payloads = [found[key] for key in sorted(found)]
    ids = [hashlib.sha256(payload).digest() for payload in payloads]
    rows = np.sort(uniform_sample(ids, images))
    return [ids[row] for row in rows], [payloads[row] for row in rows]


def summarise(points: NDArray[np.float32]) -> Summary:
    """Return the summary of a small data set: its core set, and all of it as the sample."""
    return Summary(points[greedy_k_center(points, _CENTRES).indices], points)


def halves(points: NDArray[Any], seed: int) -> tuple[NDArray[Any], ...]:
    """Cut at random into two."""
    order = np.random.default_rng(seed).permutation(len(points))
    return points[order[::2]], points[order[1::2]]


def drift(
    reference: NDArray[np.float32], ids: list[bytes], test: NDArray[np.float32], seed: int = 0
) -> DriftReport:
    """Run drift detection as a repository would."""
    split = split_holdout(ids, seed=seed)
    fit = reference[split.fit]
    core = greedy_k_center(fit, 100, seed=seed)
    return detect_drift(
        reference[split.holdout],
        test,
        centres=fit[core.indices],
        radius_profile=core.radius_profile,
        seed=seed,
    )


def print_rankings(embeddings: dict[str, NDArray[np.float32]]) -> None:
    """Print each data set's neighbours; the query is one half of it, its other half is known."""
    print("\nnearest to one half of each set: energy / the paper's distance (its rank)")
    known = {name: summarise(points) for name, points in embeddings.items()}
    first = paper_first = 0
    for name, points in embeddings.items():
        query, other = (summarise(half) for half in halves(points, 0))
        candidates = {key: value for key, value in known.items() if key != name}
        ranking = rank(query, {**candidates, "OTHER HALF": other})
        by_paper = sorted(ranking, key=lambda found: found.core_set_distance)
        first += ranking[0].name == "OTHER HALF"
        paper_first += by_paper[0].name == "OTHER HALF"
        row = ", ".join(
            f"{found.name} {found.energy:.2f} / {found.core_set_distance:.1f} "
            f"({by_paper.index(found) + 1})"
            for found in ranking[:5]
        )
        print(f"{name:8s} {row}")
    print(f"own other half first: energy {first}, paper {paper_first} of {len(embeddings)}")


def print_report(label: str, report: DriftReport) -> None:
    """Print one line on a drift report."""
    test, paper = report.test, report.paper
    assert test is not None
    print(
        f"{label:22s} {report.verdict:9s} p {test.p_value:.3f} effect {test.effect:.2f} "
        f"({report.effect_word}) z {test.z:6.1f} detectable {test.minimum_detectable_effect:.2f} | "
        f"core set p {report.where.p_value:.3f} outside {report.where.balls} balls "
        f"{report.where.outside_share:.0%} | paper: d {paper.distance:.1f} "
        f"r {paper.radius:.1f} {'drift' if paper.drifted else 'no drift'}"
    )


def main() -> None:
    """Embed, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=160)
    arguments = parser.parse_args()
    folder = os.environ.get("VEML_DATA")
    if not folder:
        sys.exit("set VEML_DATA to the folder with the data sets' tars")
    embedder = get_embedder()
    embedder.embed(read_images(folder, "mnist", embedder.batch_size)[1])
    ids, embeddings = {}, {}
    for name in _SETS:
        ids[name], payloads = read_images(folder, name, arguments.images)
        wall, cpu = time.perf_counter(), time.process_time()
        embeddings[name] = embedder.embed(payloads)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(
            f"{name:8s} {len(payloads):4d} images, {len(payloads) / wall:4.0f} a second, "
            f"{1000 * cpu / len(payloads):.1f} ms CPU each"
        )
    print_rankings(embeddings)
    print("\ndrift, reference -> test")
    for old, new in _DRIFTS:
        print_report(f"{old} -> {new}", drift(embeddings[old], ids[old], embeddings[new]))
    print(f"\nno drift: one half -> the other, {_SPLITS} random cuts")
    for name in _HALVES:
        p, paper = [], 0
        for seed in range(_SPLITS):
            old_rows, new_rows = halves(np.arange(len(ids[name])), seed)
            report = drift(
                embeddings[name][old_rows],
                [ids[name][row] for row in old_rows],
                embeddings[name][new_rows],
                seed,
            )
            assert report.test is not None
            p.append(report.test.p_value)
            paper += report.paper.drifted
        alarms = sum(value <= 0.05 for value in p)
        print(
            f"{name:8s} p: median {np.median(p):.2f}, min {min(p):.3f}; "
            f"alarms {alarms} of {_SPLITS}, the paper's rule {paper}"
        )


if __name__ == "__main__":
    main()
