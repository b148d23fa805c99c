"""``veml compact``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working

EXAMPLES = examples(
    ("join what many small commits left behind", "veml compact"),
    ("everything, in the order of the version v1.0", "veml compact --all v1.0"),
)


def compact(
    revision: Annotated[
        str | None,
        typer.Argument(metavar="[REV]", help="Commit whose data to put in order; none: HEAD."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Rewrite the whole store, not only what is worth it.")
    ] = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put many small packs into few, in the order they are read.

    No version changes and nothing is removed: veml gc does that. Small packs are joined, and
    samples that lie out of order for the commit are put in order. Others can work meanwhile.
    """
    from veml_cli.render.maintenance import compact_lines
    from veml_vcs.repository.upkeep.compact import compact as run

    with working() as (repo, progress):
        done = run(repo, revision, everything=everything, dry_run=dry_run, progress=progress)
    if as_json or not quiet:
        show(done, compact_lines(done), as_json=as_json)
    for what, why in done.left.items():
        out.warn(f"{what} stays as it is: {why}")
