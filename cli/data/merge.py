"""``veml data merge``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_cli.data._options import NoCheckout, Replace, To

EXAMPLES = examples(
    ("two data sets as one", "veml data merge images/day images/night --to images/all"),
    ("last year's samples into today's", "veml data merge images/train v1.0:images/train"),
)


def merge(
    specs: Annotated[
        list[str],
        typer.Argument(metavar="SPEC SPEC...", help="PATH, REV:PATH or PATH@REV; two or more."),
    ],
    to: To = None,
    force: Replace = False,
    no_checkout: NoCheckout = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put the samples of several data versions together, and stage the result.

    The first gives the format; the others are converted to it. Classes are joined by name. Unlike
    veml merge, which joins branches, this has no common ancestor and never removes anything.
    """
    from veml_cli.render.data import operated_lines
    from veml_vcs.repository.data.combine import merge_data_sets

    with working() as (repo, progress):
        done = merge_data_sets(
            repo, specs, to=to, force=force, checkout=not no_checkout, dry_run=dry_run,
            progress=progress,
        )  # fmt: skip
    for warning in done.warnings:
        out.warn(warning)
    if as_json or not quiet:
        show(done, operated_lines(done, out.width), as_json=as_json)
