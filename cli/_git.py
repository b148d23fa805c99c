"""What the command line asks of Git's own settings and state: editor, pager, identity."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository


def setting(repo: Repository, section: str, name: str) -> str | None:
    """Return a value of Git's configuration, or None."""
    try:
        value = repo.git.config.get((section.encode(),), name.encode())
    except KeyError:
        return None
    return bytes(value).decode("utf-8", "replace")


def editor(repo: Repository) -> str:
    """Return the editor that Git would open for a message."""
    return (
        os.environ.get("GIT_EDITOR")
        or setting(repo, "core", "editor")
        or os.environ.get("VISUAL")
        or os.environ.get("EDITOR")
        or "vi"
    )


def pager(repo: Repository) -> str:
    """Return the pager that Git would show long output in."""
    for found in (
        os.environ.get("GIT_PAGER"),
        setting(repo, "core", "pager"),
        os.environ.get("PAGER"),
    ):
        if found is not None:
            return found
    return "less" if shutil.which("less") else ""
