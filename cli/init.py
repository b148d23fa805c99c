"""``veml init``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from veml_cli._hooks import install_hooks
from veml_cli._options import Quiet, examples
from veml_cli._output import out

EXAMPLES = examples(
    ("make the current folder a repository", "veml init"),
    ("make a new folder one, with a first branch called trunk", "veml init -b trunk drives"),
)


def init(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="The folder.")] = ".",
    branch: Annotated[
        str | None,
        typer.Option("--initial-branch", "-b", metavar="NAME", help="Name of the first branch."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Make a folder a repository.

    A Git repository that is there gets a store for data beside its own, and git hooks and drivers
    (see veml hook). Doing it twice is harmless.
    """
    from veml_vcs.repository.init import init as run
    from veml_vcs.repository.repository import Repository

    done = run(folder, branch=branch)
    with Repository(done.root) as repo:
        install_hooks(repo)
    if quiet:
        return
    store = os.path.join(done.root, ".git", "veml")
    if done.new_git:
        out.write(f"Initialized empty veml repository in {store}")
    elif done.new_store:
        out.write(f"Added a veml store to the Git repository in {done.root}")
    else:
        out.write(f"Reinitialized existing veml repository in {store}")
