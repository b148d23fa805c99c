"""Git's own folders of the work trees that share a repository (``git worktree``)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress

from dulwich.objects import ObjectID

_IS_ID = re.compile(rb"[0-9a-f]{40}")
_MAX_HEAD_BYTES = 4096


def control_folders(common: str) -> list[str]:
    """Return the folder of the main work tree, which all share, then those of linked ones."""
    below = os.path.join(common, "worktrees")
    names: list[str] = []
    with suppress(FileNotFoundError, NotADirectoryError):  # there are none
        names = sorted(os.listdir(below))
    return [common, *(os.path.join(below, name) for name in names)]


def detached_heads(common: str) -> Iterator[ObjectID]:
    """Yield where HEAD names a commit itself, in each work tree; Git may not have it."""
    for folder in control_folders(common):
        with suppress(FileNotFoundError, NotADirectoryError):
            with open(os.path.join(folder, "HEAD"), "rb") as file:
                says = file.read(_MAX_HEAD_BYTES).strip()
            if _IS_ID.fullmatch(says):
                yield ObjectID(says)
