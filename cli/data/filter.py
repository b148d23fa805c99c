"""``veml data filter``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._conditions import with_conditions
from veml_cli._options import DryRun, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_cli.data._options import NoCheckout, Replace, Rev, Spec, To

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

EXAMPLES = examples(
    ("the images with a car, as a data set of their own",
     "veml data filter images/train --class car --to images/cars"),
    ("and nothing but cars in them",
     "veml data filter images/train --class car --drop-others --to images/cars"),
    ("of v1.0, the large night images of one drive",
     "veml data filter v1.0:images/train --key 'drive1/*' "
     "--where 'weather == \"night\" and width >= 1280' --to images/night"),
    ("drop boxes below 8 x 8 pixels, in place",
     "veml data filter images/train --object 'box.width >= 8 and box.height >= 8' --drop-others"),
)  # fmt: skip


@with_conditions
def filter(  # noqa: A001 - the word of the command line
    spec: Spec,
    rev: Rev = None,
    *,
    wanted: Conditions,
    drop_others: Annotated[
        bool, typer.Option("--drop-others", help="Drop the objects, too, that are not meant.")
    ] = False,
    to: To = None,
    force: Replace = False,
    no_checkout: NoCheckout = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a data version of the samples that meet conditions, and stage it.

    The new version's record says what it was made from, and how. Annotation files that would say
    something else are written anew and read back; all other files stay byte for byte. The language
    of --where and --object: docs/data.md.
    """
    from veml_cli.render.data import operated_lines
    from veml_vcs.repository.data.filter import filter_data

    with working() as (repo, progress):
        done = filter_data(
            repo, spec, wanted, drop_others=drop_others, revision=rev, to=to, force=force,
            checkout=not no_checkout, dry_run=dry_run, progress=progress,
        )  # fmt: skip
    if as_json or not quiet:
        show(done, operated_lines(done, out.width), as_json=as_json)
