"""Makes many small samples, adds, commits, edits and switches, and prints cost and peak memory.

git is there for ``status`` alone: its index and trees are written without the blobs, which it does
not look at, since a million loose objects would take longer than all the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VEML = str(Path(sys.executable).with_name("veml"))
FOLDER_SAMPLES = 1000
SAMPLE_BYTES = 200
_HEAD = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Attributes:
        cpu_seconds: User and system time.
        wall_seconds: Time that passed.
        peak_bytes: The most memory it had resident.
    """

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000, help="default 1,000,000")
    parser.add_argument("--work", type=Path, help="where to make the temporary folder")
    options = parser.parse_args(arguments)
    if options.samples < FOLDER_SAMPLES:
        parser.error(f"--samples must be at least {FOLDER_SAMPLES}")
    with tempfile.TemporaryDirectory(prefix="veml-million-", dir=options.work) as scratch:
        print(f"{options.samples:,} samples of {SAMPLE_BYTES} bytes\n", flush=True)
        print("| step | CPU s | wall s | peak MiB |\n| --- | --- | --- | --- |", flush=True)
        _scenario(Path(scratch), options.samples)
    return 0


def _scenario(scratch: Path, samples: int) -> None:
    repository = scratch / "repository"
    repository.mkdir()
    _run(["git", "init", "-q", "-b", "main"], repository)
    for name, value in (("user.name", "bench"), ("user.email", "bench@example.com")):
        _run(["git", "config", name, value], repository)
    _run([VEML, "init"], repository)
    _make(repository / "data", samples)
    _step("veml add", [VEML, "add", "data"], repository)
    _step("veml commit", [VEML, "commit", "-m", "first"], repository)
    _run([VEML, "status"], repository)
    _step("veml status, nothing changed", [VEML, "status"], repository)
    git = _git_index(scratch / "git", repository / "data")
    _step("git status, nothing changed", [*git, "status", "--porcelain"], repository)
    _run([VEML, "checkout", "-b", "edit"], repository)
    _edit(repository / "data", samples)
    _step("veml commit -a, 1,000 samples changed", [VEML, "commit", "-a", "-m", "e"], repository)
    _step("veml diff main edit --stat", [VEML, "diff", "--stat", "main", "edit"], repository)
    _step("veml checkout main", [VEML, "checkout", "main"], repository)
    _step("veml checkout edit", [VEML, "checkout", "edit"], repository)
    stored = sum(p.stat().st_size for p in (repository / ".git").rglob("*") if p.is_file())
    payload = samples * SAMPLE_BYTES
    print(f"\nstore {stored / 1e6:.0f} MB, {stored / payload:.2f} x the samples' bytes")


def _step(name: str, command: Sequence[str], folder: Path) -> None:
    cost = _run(command, folder)
    print(
        f"| {name} | {cost.cpu_seconds:.1f} | {cost.wall_seconds:.1f} "
        f"| {cost.peak_bytes / 2**20:.0f} |",
        flush=True,
    )


def _run(command: Sequence[str], folder: Path) -> Cost:
    """Run a command and return what it cost.

    Raises:
        RuntimeError: It failed; what it said stands on stderr.
    """
    start_seconds = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}")
    wall_seconds = time.perf_counter() - start_seconds
    # Linux counts ru_maxrss in KiB, macOS in bytes.
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return Cost(used.ru_utime + used.ru_stime, wall_seconds, used.ru_maxrss * unit_bytes)


def _sample(rng: random.Random) -> bytes:
    return _HEAD + rng.randbytes(SAMPLE_BYTES - len(_HEAD))


def _path(number: int) -> str:
    return f"{number // FOLDER_SAMPLES:05d}/{number % FOLDER_SAMPLES:04d}.jpg"


def _make(folder: Path, samples: int) -> None:
    rng = random.Random(1)
    for number in range(samples):
        path = folder / _path(number)
        if number % FOLDER_SAMPLES == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(_sample(rng))


def _edit(folder: Path, samples: int) -> None:
    """Change 1,000 samples, spread evenly."""
    rng = random.Random(2)
    for number in range(0, samples, max(1, samples // 1000)):
        (folder / _path(number)).write_bytes(_sample(rng))


def _git_index(control: Path, folder: Path) -> list[str]:
    """Make a Git repository whose HEAD and index know a folder's files; return how to run it."""
    git = ["git", "--git-dir", str(control), "--work-tree", str(folder)]
    subprocess.run([*git, "init", "-q"], check=True)
    rows = []
    for path in sorted(folder.rglob("*.jpg")):
        data = path.read_bytes()
        blob = hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
        rows.append(f"100644 {blob}\t{path.relative_to(folder).as_posix()}\n")
    subprocess.run([*git, "update-index", "--index-info"], check=True, input="".join(rows).encode())
    subprocess.run([*git, "update-index", "-q", "--refresh"], check=True)
    tree = _said([*git, "write-tree", "--missing-ok"])
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    commit = _said([git[0], *identity, *git[1:], "commit-tree", tree, "-m", "all"])
    subprocess.run([*git, "update-ref", "HEAD", commit], check=True)
    return git


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
