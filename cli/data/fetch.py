"""``veml data fetch``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working

EXAMPLES = examples(
    ("the data of this commit, from the clone next door", "veml data fetch --from ../drives"),
    ("from where this clone came from", "veml data fetch"),
    ("the data of two branches", "veml data fetch --from ../drives main night"),
    ("everything that any branch or tag ever had", "veml data fetch --from ../drives --all"),
)


def fetch(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[REV]...",
            help="Commits whose data to get; none: HEAD's and a waiting merge's.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="PATH", help="A clone that has the data; else the remote."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="The data of every commit of every branch and tag.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Copy data that is missing here from another clone.

    Only what is missing is copied, each file checked against its digest. Interrupted, it goes on
    where it was. The work tree is not touched: veml checkout writes the files. Ends with 1 if the
    other clone lacks something too.
    """
    from veml_cli.render.fetch import fetch_lines
    from veml_vcs.repository.sync import fetch_data

    with working() as (repo, progress):
        done = fetch_data(repo, source, revisions or (), everything=everything, progress=progress)
    if as_json or not quiet:
        show(done, fetch_lines(done), as_json=as_json)
    if done.missing:
        out.note("hint: ask a clone that has them: veml data fetch --from PATH")
        raise typer.Exit(DIFFERS)
