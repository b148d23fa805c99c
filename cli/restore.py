"""``veml restore``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(
    ("throw away changes to one sample", "veml restore images/train/0001.jpg"),
    ("unstage a data set, leave the folder alone", "veml restore --staged images/train"),
    ("a data set as it was in v1.0", "veml restore --source v1.0 images/train"),
)


def restore(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Data sets and files.")],
    source: Annotated[
        str | None,
        typer.Option("--source", "-s", metavar="REV", help="Bring them back from this revision."),
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", "-S", help="Restore the index.")] = False,
    worktree: Annotated[
        bool, typer.Option("--worktree", "-W", help="Restore the files (the default).")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Bring data sets, samples or files back.

    Their uncommitted changes are thrown away; untracked files are left alone.
    """
    from veml_cli.render.simple import restored_lines
    from veml_vcs.repository.restore import restore as run

    with working() as (repo, progress):
        done = run(
            repo, paths, source=source, staged=staged, worktree=worktree or not staged,
            progress=progress,
        )  # fmt: skip
    if as_json or not quiet:
        show(done, restored_lines(done), as_json=as_json)
