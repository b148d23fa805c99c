"""Try a piece of Python in a process of its own: what crashes there does not crash the doctor."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

_SECONDS = 300.0
"""A first import of torch from a cold, slow disk was seen to take more than two minutes."""


class Failure(NamedTuple):
    """Why a script did not work.

    Attributes:
        said: The last thing it said, or how it ended.
        answered: False if it was still running when the time was up: then nothing is known.
    """

    said: str
    answered: bool = True


def failure_of(script: str) -> Failure | None:
    """Run a script with this Python; return None if it works.

    Args:
        script: Python source. It runs with ``-P``, so nothing in the current folder, which may be
            a clone of a stranger's, can be imported by it.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", script],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Failure(f"no answer within {_SECONDS:.0f} s", answered=False)
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return Failure(f"it was ended by signal {-done.returncode}")
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Failure(said[-1] if said else f"it ended with {done.returncode}")
