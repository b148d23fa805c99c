"""Run C git in a repository, for the few things that it does better than a library."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

_PLACE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR",
          "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE")  # fmt: skip


@dataclass(frozen=True)
class GitDone:
    """How a run of git ended."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """What it wrote, without the last newline."""
        return os.fsdecode(self.out).rstrip("\n")


def has_git() -> bool:
    """Tell whether C git is installed."""
    return shutil.which("git") is not None


def git(
    root: str,
    *arguments: str,
    here: bool = False,
    data: bytes | None = None,
    quiet: bool = True,
    more: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> GitDone:
    """Run git in a folder and wait for it.

    Args:
        root: The folder.
        arguments: Those of git.
        here: Keep the environment variables in which git tells its hooks where they are (the index
            of ``git commit -a`` is a temporary one); else git finds the repository of ``root``.
        data: Its standard input.
        quiet: Keep what it writes to stderr; else let the user see it.
        more: Other environment variables.
        seconds: How long it may take; None is any.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was ended.
    """
    environment = {name: value for name, value in os.environ.items() if here or name not in _PLACE}
    environment |= more or {}
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=environment, input=data if data is not None else b"",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE if quiet else None, check=False,
        timeout=seconds,
    )  # fmt: skip
    return GitDone(done.returncode, done.stdout, done.stderr or b"")
