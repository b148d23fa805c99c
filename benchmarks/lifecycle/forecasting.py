"""Is the best model version for one series the best for a similar one (paper, tables 7 and 8)?

    VEML_DATA=FOLDER python -m benchmarks.lifecycle.forecasting [--steps 100] [--seeds 1]
                                                                [--results FILE.json]

FOLDER holds the archives ``los_loop`` and ``beijing_prsa``. Two pairs of similar series are made of
them: the 12 westernmost and the 12 easternmost sensors of a week of traffic speed in Los Angeles
(#1, #2), and the PM2.5 and the PM10 of 100 days at 12 stations in Beijing, by the hour (#3, #4).
On each of the four, every model version (DCRNN or ConvLSTM, with GRU or LSTM cells, of one
layer of 16 or 32 units or of two of 16) is trained with each seed, all by ``veml train`` in a
repository of its own. Printed are the errors on the held-back end of the series, and how much the
columns agree.

Trainings whose numbers are in FILE already are not run again.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import json
import os
import resource
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from veml_vcs.repository import Repository
from veml_vcs.repository.add import add
from veml_vcs.repository.init import init
from veml_vcs.repository.models.add import add_model
from veml_vcs.training.plan import Request
from veml_vcs.training.templates import template
from veml_vcs.training.train import train
from veml_vcs.training.watch import Quiet

SETS = {
    "la_west": "#1 traffic speed, LA, 12 western sensors (mph)",
    "la_east": "#2 traffic speed, LA, 12 eastern sensors (mph)",
    "pm25": "#3 PM2.5, Beijing, 12 stations (ug/m3)",
    "pm10": "#4 PM10, Beijing, 12 stations (ug/m3)",
}
PAIRS = (("la_west", "la_east"), ("pm25", "pm10"), ("la_west", "pm25"), ("la_west", "pm10"))
_SIZES = ((1, 16), (1, 32), (2, 16))
VERSIONS = tuple(
    (network, cell, *size)
    for network, cell, size in itertools.product(("dcrnn", "convlstm"), ("gru", "lstm"), _SIZES)
)
_SENSORS = 12
_HOURS = 100 * 24
_HELD_BACK = 0.2
_BATCH = 32

Version = tuple[str, str, int, int]


def _members(folder: str, name: str) -> dict[str, bytes]:
    """Return the files of an archive, by their last name."""
    path = Path(folder) / f"{name}.tar.gz"
    if not path.exists():
        sys.exit(f"{path} is not there: VEML_DATA=FOLDER names the folder of the real data sets")
    with tarfile.open(path) as archive:
        files = [one for one in archive.getmembers() if one.isfile()]
        return {Path(one.name).name: archive.extractfile(one).read() for one in files}  # type: ignore[union-attr]


def _write_table(path: Path, names: Sequence[str], values: NDArray[np.float64]) -> None:
    rows = (",".join("" if np.isnan(one) else f"{one:g}" for one in row) for row in values)
    path.write_text("\n".join((",".join(names), *rows)) + "\n")


def write_traffic(folder: str, root: Path) -> None:
    """Write the two districts of Los Angeles: speed and graph."""
    files = _members(folder, "los_loop")
    names = files["los_speed.csv"].decode().splitlines()[0].split(",")
    speed = np.loadtxt(io.BytesIO(files["los_speed.csv"]), delimiter=",", skiprows=1)
    graph = np.loadtxt(io.BytesIO(files["los_adj.csv"]), delimiter=",")
    places = {
        row["sensor_id"]: float(row["longitude"])
        for row in csv.DictReader(io.StringIO(files["graph_sensor_locations.csv"].decode()))
    }
    order = np.argsort([places[one] for one in names], kind="stable")
    for name, chosen in (("la_west", order[:_SENSORS]), ("la_east", order[-_SENSORS:])):
        (root / name).mkdir()
        _write_table(root / name / "speed.csv", [names[i] for i in chosen], speed[:, chosen])
        np.savetxt(root / name / "adj.csv", graph[np.ix_(chosen, chosen)], "%g", ",")


def write_air(folder: str, root: Path) -> None:
    """Write the last days of two pollutants at all stations; without a graph."""
    columns: dict[str, dict[str, list[float]]] = {"PM2.5": {}, "PM10": {}}
    for name, data in sorted(_members(folder, "beijing_prsa").items()):
        station = name.split("_")[2]
        for row in csv.DictReader(io.StringIO(data.decode())):
            for feature, of_station in columns.items():
                value = row[feature]
                of_station.setdefault(station, []).append(
                    float("nan") if value in ("", "NA") else float(value)
                )
    for name, feature in (("pm25", "PM2.5"), ("pm10", "PM10")):
        stations = columns[feature]
        (root / name).mkdir()
        values = np.array(list(stations.values())).T[-_HOURS:]
        _write_table(root / name / "values.csv", list(stations), values)
        (root / name / "series.json").write_text('{"form": "wide"}\n')


def make_repository(folder: str, root: Path) -> Repository:
    """Make a repository with the four series and the two small models."""
    write_traffic(folder, root)
    write_air(folder, root)
    init(str(root))
    repo = Repository(str(root))
    for name in SETS:
        add(repo, [str(root / name)], format="tables")
    for name in ("dcrnn", "convlstm"):
        (root / f"{name}.py").write_text(template(f"{name}-small").text)
        add_model(repo, f"{name}.py", name)
    return repo


def error_of(repo: Repository, data: str, version: Version, seed: int, steps: int) -> list[float]:
    """Train one model version; return its MAE, and that of saying that everything stays."""
    network, cell, layers, units = version
    done = train(
        repo,
        Request(
            data=data, model=network, name="one", val_split=str(_HELD_BACK), seed=seed,
            iterations=steps,
            settings=(
                f"model.backbone.cell={cell}", f"model.backbone.layers={layers}",
                f"model.backbone.units={units}", f"train_dataloader.batch_size={_BATCH}",
                f"train_cfg.val_interval={steps}",
            ),
        ),
        Quiet(),
        force=True,
    )  # fmt: skip
    assert done is not None
    return [done.metrics["MAE"], done.metrics["MAE_last_value"]]


def _told(version: Version) -> str:
    network, cell, layers, units = version
    return f"{network} {cell} {layers}x{units}"


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def tables(errors: Mapping[str, list[float]], seeds: int) -> Iterator[str]:
    """Yield the tables, as Markdown."""

    def column(data: str, only: Sequence[int]) -> list[float]:
        return [
            float(np.mean([errors[f"{data} {_told(one)} {seed}"][0] for seed in only]))
            for one in VERSIONS
        ]

    every = range(seeds)
    columns = {name: column(name, every) for name in SETS}
    yield "| model version (network, cell, layers x units) | " + " | ".join(SETS) + " |"
    yield "| --- |" + " --- |" * len(SETS)
    for row, one in enumerate(VERSIONS):
        cells = [
            f"**{found[row]:.3f}**" if found[row] == min(found) else f"{found[row]:.3f}"
            for found in columns.values()
        ]
        yield f"| {_told(one)} | " + " | ".join(cells) + " |"
    last = [errors[f"{name} {_told(VERSIONS[0])} 0"][1] for name in SETS]
    yield "| as it is now (no model) | " + " | ".join(f"{one:.3f}" for one in last) + " |"
    yield ""
    yield "| pair | rank correlation | best of the first | its rank on the second | costs there |"
    yield "| --- | --- | --- | --- | --- |"
    for first, second in PAIRS:
        yield _pair(f"{first}, {second}", columns[first], columns[second])
        halves = [[place for place, one in enumerate(VERSIONS) if one[0] == name]
                  for name in ("dcrnn", "convlstm")]  # fmt: skip
        for name, rows in zip(("DCRNN", "ConvLSTM"), halves, strict=True):
            picked = [[columns[one][row] for row in rows] for one in (first, second)]
            agree = spearmanr(*picked).statistic
            yield f"| {first}, {second}: {name} alone | {agree:.2f} | | | |"
    if seeds > 1:
        yield ""
        yield "| one series with itself | rank correlation of seed 0 and seed 1 |"
        yield "| --- | --- |"
        for name in SETS:
            agree = spearmanr(column(name, [0]), column(name, [1])).statistic
            yield f"| {name} | {agree:.2f} |"


def _pair(told: str, first: list[float], second: list[float]) -> str:
    """Say how much two columns agree, and what it costs to take the best of the first."""
    agree = spearmanr(first, second).statistic
    best = int(np.argmin(first))
    rank = sorted(second).index(second[best]) + 1
    costs = second[best] / min(second) - 1
    cells = (told, f"{agree:.2f}", _told(VERSIONS[best]), f"{rank} of {len(second)}")
    return f"| {' | '.join(cells)} | {costs:+.1%} |"


def main() -> None:
    """Train what is not known yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100, help="of each training")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--results", help="a JSON file that keeps what was measured")
    said = parser.parse_args()
    torch.set_num_threads(1)
    kept = Path(said.results) if said.results else None
    known: dict[str, list[float]] = json.loads(kept.read_text()) if kept and kept.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        os.chdir(root)
        with make_repository(os.environ.get("VEML_DATA", ""), root) as repo:
            for seed, data, version in itertools.product(range(said.seeds), SETS, VERSIONS):
                place = f"{data} {_told(version)} {seed}"
                if place in known:
                    continue
                before = _cpu_seconds()
                known[place] = error_of(repo, data, version, seed, said.steps)
                taken = _cpu_seconds() - before
                print(
                    f"{place}: MAE {known[place][0]:.3f} ({taken:.0f} CPU s)",
                    file=sys.stderr,
                    flush=True,
                )
                if kept:
                    kept.write_text(json.dumps(known, indent=1))
    for name, meaning in SETS.items():
        print(f"* `{name}`: {meaning}")
    print()
    print("\n".join(tables(known, said.seeds)))
    print(f"\n{_cpu_seconds():.0f} CPU seconds, {said.steps} steps of {_BATCH} windows each")


if __name__ == "__main__":
    main()
