"""What the command line asks of Git's own settings and state: editor, identity, previous branch."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from veml_vcs.errors import NotFoundError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

_MOVED = re.compile(r"\tcheckout: moving from (\S+) to \S+$")


def setting(repo: Repository, section: str, name: str) -> str | None:
    """Return a value of Git's configuration, or None."""
    try:
        value = repo.git.config.get((section.encode(),), name.encode())
    except KeyError:
        return None
    return bytes(value).decode("utf-8", "replace")


def previous_branch(repo: Repository) -> str:
    """Return the branch (or commit) that HEAD was on before, which Git calls ``-``.

    Raises:
        NotFoundError: HEAD was never anywhere else.
    """
    log = (repo.git.read_state("logs/HEAD") or b"").decode("utf-8", "surrogateescape")
    for entry in reversed(log.splitlines()):
        if found := _MOVED.search(entry):
            return found.group(1)
    raise NotFoundError("no previous branch: HEAD has not moved yet", kind="unknown-revision")


def remote_branches(repo: Repository) -> dict[str, str]:
    """Return the remote-tracking branches and the commits they stand at."""
    refs = repo.git.dulwich.refs
    found = {
        os.fsdecode(name): refs[name].decode()
        for name in refs.keys()  # noqa: SIM118 - a refs container is no mapping
        if name.startswith(b"refs/remotes/") and not name.endswith(b"/HEAD")
    }
    return {name.removeprefix("refs/remotes/"): sha for name, sha in sorted(found.items())}


def editor(repo: Repository) -> str:
    """Return the editor that Git would open for a message."""
    return (
        os.environ.get("GIT_EDITOR")
        or setting(repo, "core", "editor")
        or os.environ.get("VISUAL")
        or os.environ.get("EDITOR")
        or "vi"
    )
