"""``veml data ls``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._conditions import with_conditions
from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.data._options import Rev

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

EXAMPLES = examples(
    ("the data sets there are", "veml data ls"),
    ("the samples of a data set", "veml data ls images/train"),
    ("those of v1.0 with a car and no bike", "veml data ls v1.0:images/train --class car"
     " --where 'not any(class == \"bike\")'"),
    ("keys alone, for a script", "veml data ls images/train --split val --quiet"),
    ("images with three or more small boxes",
     "veml data ls images/train --max-area 1024 --min-objects 3"),
)  # fmt: skip


@with_conditions
def ls(
    spec: Annotated[
        str | None,
        typer.Argument(metavar="SPEC", help="PATH (as staged), REV:PATH or PATH@REV."),
    ] = None,
    rev: Rev = None,
    *,
    wanted: Conditions,
    limit: Annotated[
        int, typer.Option("--limit", min=0, metavar="N", help="List at most N; 0 lists all.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Keys alone.")] = False,
    as_json: Json = False,
) -> None:
    """List samples of a data version; without SPEC, the data sets.

    All conditions must hold. The language of --where and --object: docs/data.md.
    """
    from dataclasses import replace

    from veml_cli.render.data import key_lines, listing_lines
    from veml_vcs.errors import InvalidInputError
    from veml_vcs.repository.data.listing import list_data

    if spec is None:
        if wanted:
            raise InvalidInputError(
                "conditions are on the samples of a data set, and none was named",
                hint="veml data ls lists data sets",
            )
        _list_data_sets(rev, limit, quiet=quiet, as_json=as_json)
        return
    with opened() as repo:
        found = list_data(repo, spec, wanted, revision=rev)
    chosen = len(found.samples)
    if limit:
        found = replace(found, samples=found.samples[:limit])
    lines = key_lines(found) if quiet else listing_lines(found, chosen, out.width)
    show(found, lines, as_json=as_json)


def _list_data_sets(rev: str | None, limit: int, *, quiet: bool, as_json: bool) -> None:
    from veml_cli.render.data import data_set_lines
    from veml_cli.render.line import line
    from veml_vcs.repository.data.listing import list_data_sets

    with opened() as repo:
        found = list_data_sets(repo, rev)
    shown = found[: limit or None]
    if quiet:
        show(shown, (line(one.path) for one in shown), as_json=as_json)
    else:
        show(shown, data_set_lines(shown, len(found), out.width), as_json=as_json)
