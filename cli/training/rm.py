"""``veml training rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Force, Json, Quiet, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(
    ("forget a training; committed versions stay", "veml training rm tuned"),
)


def rm(
    names: Annotated[list[str], typer.Argument(metavar="TRAINING", help="Trainings.")],
    cached: Annotated[bool, typer.Option("--cached", help="Leave the record on disk.")] = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Remove trainings from the next commit; every committed version stays, with its weights."""
    from veml_cli.render.simple import removed_lines
    from veml_vcs.repository.trainings.listing import remove_trainings

    with working() as (repo, progress):
        done = remove_trainings(
            repo, names, cached=cached, force=force, dry_run=dry_run, progress=progress
        )
    if as_json or not quiet:
        show(done, removed_lines(done), as_json=as_json)
