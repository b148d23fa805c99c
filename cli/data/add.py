"""``veml data add``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_cli.data._options import NoCheckout, Replace, Spec, To

EXAMPLES = examples(
    ("new images with their boxes, in any format", "veml data add images/train ../incoming"),
    ("to what v1.0 was, as another data set",
     "veml data add v1.0:images/train ../incoming --to images/more"),
)  # fmt: skip


def add(
    spec: Spec,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="A folder on disk; it stays as it is.")
    ],
    format: Annotated[  # noqa: A002 - the word of the command line
        str | None,
        typer.Option("--format", metavar="NAME", help="The folder's format, if not recognised."),
    ] = None,
    to: To = None,
    force: Replace = False,
    no_checkout: NoCheckout = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Add the samples of a folder to a data version, and stage the result.

    Annotations are converted to the data set's format; samples that it has already (the same
    bytes) are taken once. The data set itself need not be checked out.
    """
    from veml_cli.render.data import operated_lines
    from veml_vcs.repository.data.combine import add_samples

    with working() as (repo, progress):
        done = add_samples(
            repo, spec, folder, format=format, to=to, force=force, checkout=not no_checkout,
            dry_run=dry_run, progress=progress,
        )  # fmt: skip
    for warning in done.warnings:
        out.warn(warning)
    if as_json or not quiet:
        show(done, operated_lines(done, out.width), as_json=as_json)
