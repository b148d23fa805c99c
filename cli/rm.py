"""``veml rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Force, Json, Quiet, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(
    ("stop tracking a data set, keep its folder", "veml rm --cached images/old"),
    ("remove one sample", "veml rm images/train/0001.jpg"),
)


def rm(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Data sets and files.")],
    cached: Annotated[
        bool, typer.Option("--cached", help="Stop tracking, leave the files on disk.")
    ] = False,
    force: Force = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Allow folders of ordinary files.")
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Remove data sets, samples or files.

    They are gone from the next commit and, without --cached, from disk. Every committed version
    stays in the store.
    """
    from veml_cli.render.simple import removed_lines
    from veml_vcs.repository.rm import rm as run

    with working() as (repo, progress):
        done = run(
            repo, paths, cached=cached, force=force, recursive=recursive, dry_run=dry_run,
            progress=progress,
        )  # fmt: skip
    if as_json or not quiet:
        show(done, removed_lines(done), as_json=as_json)
