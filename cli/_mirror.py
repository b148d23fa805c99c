"""At the end of a command that may have changed history: bring the mirror in Neo4j up to date.

Where there is none, this costs a look into Git's settings, which are read by then.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from veml_cli._output import out
from veml_vcs.errors import VemlError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

CHANGING = frozenset((
    "branch", "checkout", "cherry-pick", "commit", "deploy", "drift", "gc", "merge", "rebuild",
    "reset", "resolve", "revert", "similar", "stash", "switch", "tag", "train", "transfer",
))  # fmt: skip
"""Commands that make or drop commits, refs or notes."""

ASKING = "lineage"
"""Its commands read what is new in the history, whoever brought it."""


class _Mirror:
    """What is known of the command that runs."""

    def __init__(self) -> None:
        self.command: str | None = None
        self.root: str | None = None


_now = _Mirror()


def begin(command: str | None) -> None:
    """Say which command runs."""
    _now.command, _now.root = command, None


def seen(repo: Repository) -> None:
    """Say which repository it worked in."""
    if _now.command in (ASKING, *CHANGING) and repo.git.setting(("veml", "neo4j"), "url"):
        _now.root = repo.root


def follow_mirror() -> None:
    """Bring the mirror up to date, or warn that it is not; never fails."""
    root, _now.root = _now.root, None
    if root is None:
        return
    from veml_vcs.lineage.neo4j.follow import follow, follow_later

    if _now.command == ASKING:
        try:
            follow_later(root)
        except VemlError as error:
            out.warn(f"the mirror in Neo4j is not brought up to date: {error.message}")
        return
    said = follow(root, os.environ)
    if said is not None:
        out.warn(" ".join(said.split()))
