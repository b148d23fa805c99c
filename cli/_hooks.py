"""Install git hooks and drivers in a repository, and say what kept some from being installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veml_cli._output import out
from veml_vcs.errors import ConflictError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository


def install_hooks(repo: Repository, *, fetch_notes: bool = False) -> None:
    """Install them; a warning tells what could not be.

    Args:
        repo: The repository.
        fetch_notes: Also fetch the notes about data versions from ``origin``.
    """
    from veml_hooks.install import install, require_installed
    from veml_hooks.notes import fetch_notes as fetch

    done = install(repo)
    if fetch_notes:
        fetch(repo, "origin")
    try:
        require_installed(done)
    except ConflictError as error:
        out.warn(error.message)
        out.note(f"hint: {error.hint}")


def install_after_commit(repo: Repository) -> None:
    """Install the hook that sends what is new to a mirror after ``git commit``."""
    from veml_hooks.install import install_after_commit as install

    said = install(repo)
    if said is not None:
        out.warn(
            f"git commit will send nothing, veml's own commands do: {said}; a hook of yours can: "
            "veml hook run post-commit"
        )


def remove_after_commit(repo: Repository) -> None:
    """Remove that hook."""
    from veml_hooks.install import remove_hook
    from veml_hooks.shim import AFTER_COMMIT

    remove_hook(repo, AFTER_COMMIT)
