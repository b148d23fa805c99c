"""Running a command and saying what it cost: CPU of the whole process tree, wall, bytes written."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Argv = Sequence[str]

# The kernel counts what a process writes in blocks of this size, whatever the file system's is.
_BLOCK_BYTES = 512


@dataclass(frozen=True)
class Cost:
    """What one step cost.

    Attributes:
        cpu_seconds: User and system time of all processes together.
        wall_seconds: Time that passed.
        written_bytes: Bytes of file pages made dirty (whole pages of 4 KiB); 0 on a file system
            in memory.
        fsyncs: Calls of fsync and its like, or None if they were not counted.
        note: A word about how it ended, if not well ("conflict").
    """

    cpu_seconds: float
    wall_seconds: float
    written_bytes: int = 0
    fsyncs: int | None = None
    note: str = ""


class Runner:
    """Runs the commands of one step one after the other, in one folder and environment.

    Args:
        environment: Environment variables of the commands.
        count_fsyncs: Run under strace and count fsync calls; times are then not comparable.

    Raises:
        FileNotFoundError: ``count_fsyncs`` is asked for and strace is not installed.
    """

    def __init__(self, environment: Mapping[str, str], *, count_fsyncs: bool = False) -> None:
        if count_fsyncs and shutil.which("strace") is None:
            raise FileNotFoundError("strace is not installed; run without --fsyncs")
        self._environment = dict(environment)
        self._count_fsyncs = count_fsyncs

    def run(self, commands: Sequence[Argv], folder: Path) -> None:
        """Run commands whose cost does not matter.

        Raises:
            RuntimeError: One of them failed; the message holds what it said.
        """
        for argv in commands:
            done = self._run(argv, folder)
            if done.returncode:
                raise RuntimeError(_failure(argv, done))

    def measure(
        self, commands: Sequence[Argv], folder: Path, *, may_fail: str | None = None
    ) -> Cost:
        """Run commands and return what they cost together.

        Args:
            commands: The programs with their arguments.
            folder: Where to run them.
            may_fail: The note of a cost whose command failed; None if failing is an error.

        Raises:
            RuntimeError: A command failed and must not; the message holds what it said.
        """
        # What earlier steps left unwritten must not be written on this one's time.
        os.sync()
        note = ""
        fsyncs = 0
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start_seconds = time.perf_counter()
        for argv in commands:
            if self._count_fsyncs:
                done, calls = self._trace(argv, folder)
                fsyncs += calls
            else:
                done = self._run(argv, folder)
            if done.returncode:
                if may_fail is None:
                    raise RuntimeError(_failure(argv, done))
                note = may_fail
                break
        wall_seconds = time.perf_counter() - start_seconds
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(
            cpu_seconds=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
            wall_seconds=wall_seconds,
            written_bytes=(after.ru_oublock - before.ru_oublock) * _BLOCK_BYTES,
            fsyncs=fsyncs if self._count_fsyncs else None,
            note=note,
        )

    def output(self, argv: Argv, folder: Path) -> str:
        """Return what a command prints.

        Raises:
            RuntimeError: It failed.
        """
        done = self._run(argv, folder)
        if done.returncode:
            raise RuntimeError(_failure(argv, done))
        return done.stdout.decode()

    def _run(self, argv: Argv, folder: Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            argv,
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )

    def _trace(self, argv: Argv, folder: Path) -> tuple[subprocess.CompletedProcess[bytes], int]:
        """Run a command under strace; return how it ended and the number of its syncs."""
        with tempfile.NamedTemporaryFile("rb") as log:
            strace = ["strace", "-f", "-qq", "-e", "signal=none", "-o", log.name]
            calls = ["-e", "trace=fsync,fdatasync,sync,syncfs,msync,sync_file_range"]
            done = self._run([*strace, *calls, "--", *argv], folder)
            lines = log.read().splitlines()
        # A call cut in two by another process's has a second line, "<... fsync resumed>".
        return done, sum(b"sync" in line and b"resumed>" not in line for line in lines)


def _failure(argv: Argv, done: subprocess.CompletedProcess[bytes]) -> str:
    said = (done.stderr or done.stdout).decode(errors="replace").strip()
    shown = " ".join(argv[:6]) + (" ..." if len(argv) > 6 else "")
    return f"{shown}: exit code {done.returncode}: {said[-2000:]}"
