"""Run a config with MMEngine, in a process of its own, because its owner was trusted.

What cannot be read (``versions.configs``) has to be run to know what it says. Nothing calls this
but ``--trust``. The process keeps a failing, printing or hanging config away from the command; it
is no sandbox, and does not pretend to be one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

from veml_vcs.errors import FormatError, MissingDependencyError
from veml_vcs.repository.models.read import RanConfig

PIP_LINE = "pip install mmengine-lite==0.10.7"
_CHILD = "veml_vcs.training.run_config_child"


def run_config(path: str) -> RanConfig:
    """Run a config and return what it says.

    Args:
        path: The config, on disk.

    Raises:
        MissingDependencyError: MMEngine is not installed.
        FormatError: It failed, or holds what is no value of a config.
    """
    if find_spec("mmengine") is None:
        raise MissingDependencyError(
            "MMEngine, which runs configs, is not installed", hint=PIP_LINE
        )
    answer = _ask(path)
    error = answer.get("error")
    if error is not None:
        raise FormatError(f"{path}: {error!s:.500}", kind="config-failed")
    return RanConfig(
        answer["values"], tuple(answer["files"]), answer["parameters"], tuple(answer["notes"])
    )


def _ask(path: str) -> dict[str, Any]:
    """Run the other process, and return what it writes into a pipe."""
    reading, writing = os.pipe()
    # Without caches of bytecode Python opens the sources, so that they are seen to be read.
    command = [
        sys.executable, "-P", "-B", "-X", f"pycache_prefix={os.devnull}", "-m", _CHILD,
        str(writing), path,
    ]  # fmt: skip
    try:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), pass_fds=(writing,)
        ) as child:
            os.close(writing)
            writing = -1
            with os.fdopen(reading, "rb") as pipe:
                reading = -1
                data = pipe.read()
            code = child.wait()
    finally:
        for one in (reading, writing):
            if one >= 0:
                os.close(one)
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{path}: the process that ran it ended with {code} and said nothing of use",
            kind="config-failed",
        ) from error
    if not isinstance(answer, dict):
        raise FormatError(f"{path}: the process that ran it said nothing of use")
    return answer
