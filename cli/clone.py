"""``veml clone``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._hooks import install_hooks
from veml_cli._options import Json, Quiet, examples
from veml_cli._output import show
from veml_cli._progress import progress

EXAMPLES = examples(
    ("the clone next door, with the data of its branch", "veml clone ../drives"),
    ("from a Git host: records now, data from a clone that has it",
     "veml clone https://example.org/drives.git"),
    ("code and records only", "veml clone --no-data ../drives light"),
)  # fmt: skip


def clone(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A path or URL.")],
    folder: Annotated[
        str | None, typer.Argument(metavar="[DIR]", help="The new folder; else SOURCE's name.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", "-b", metavar="NAME", help="The branch to check out.")
    ] = None,
    no_data: Annotated[
        bool, typer.Option("--no-data", help="Bring records and code, and no data.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Clone a repository, install git hooks and drivers, and bring the data of its branch.

    Data comes from a clone on this machine; a Git host has records only, and veml data fetch gets
    the data from a clone that has it. Ends with 1 where data of the source is damaged: what can be
    read came along. With --no-data the work tree stays without data, fetched or
    not, until veml sparse disable.
    """
    from veml_cli.render.clone import clone_lines
    from veml_vcs.repository.clone import bring_data, clone_git
    from veml_vcs.repository.repository import Repository

    root = clone_git(source, folder, branch=branch)
    with progress() as report, Repository(root) as repo:
        install_hooks(repo, fetch_notes=True)
        done = bring_data(repo, source, no_data=no_data, progress=report)
    if as_json or not quiet:
        show(done, clone_lines(done), as_json=as_json)
    if done.fetched is not None and done.fetched.missing:  # what the source should have had
        raise typer.Exit(DIFFERS)
