"""``veml model rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Force, Json, Quiet, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(
    ("forget a model, and leave its config alone", "veml model rm small"),
)


def rm(
    names: Annotated[list[str], typer.Argument(metavar="MODEL", help="Models.")],
    cached: Annotated[bool, typer.Option("--cached", help="Leave the record on disk.")] = False,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Remove models from the next commit. Every committed version stays; configs are left alone."""
    from veml_cli.render.simple import removed_lines
    from veml_vcs.repository.models.listing import remove_models

    with working() as (repo, progress):
        done = remove_models(
            repo, names, cached=cached, force=force, dry_run=dry_run, progress=progress
        )
    if as_json or not quiet:
        show(done, removed_lines(done), as_json=as_json)
