"""Try a piece of Python in a process of its own: what crashes there does not crash the doctor."""

from __future__ import annotations

import subprocess
import sys

_SECONDS = 120.0


def failure_of(script: str) -> str | None:
    """Run a script with this Python; return None if it works, else the last thing it said.

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
        return f"no answer within {_SECONDS:.0f} s"
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"it was ended by signal {-done.returncode}"
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else f"it ended with {done.returncode}"
