"""``veml training ls``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.render.line import line

EXAMPLES = examples(
    ("the trainings that are staged", "veml training ls"),
    ("those of v1.0, names alone", "veml training ls v1.0 --quiet"),
)


def ls(
    revision: Annotated[
        str | None, typer.Argument(metavar="[REV]", help="A commit; none: what is staged.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Names alone.")] = False,
    as_json: Json = False,
) -> None:
    """List trainings: model, data, epochs, metrics; and which are of data that moved on since."""
    from veml_cli.render.trainings import listing_lines
    from veml_vcs.repository.trainings.listing import list_trainings

    with opened() as repo:
        found = list_trainings(repo, revision)
    lines = [line(one.name) for one in found] if quiet else listing_lines(found, out.width)
    show(found, lines, as_json=as_json)
