"""``veml lineage sync``."""

from __future__ import annotations

import os
import sys
from itertools import chain
from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import working
from veml_cli.lineage._options import warn_unkept

EXAMPLES = examples(
    ("read what is new in the history", "veml lineage sync"),
    ("read all of it again", "veml lineage sync --full"),
)


def sync(
    full: Annotated[
        bool, typer.Option("--full", help="Drop the graph, and read all of history again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the graph to where the history is; every lineage command does that by itself.

    A mirror in Neo4j is brought up to date as well; with --full it is compared as a whole.
    """
    from veml_cli.render.lineage import synced_lines
    from veml_cli.render.mirror import sent_lines
    from veml_vcs.lineage.neo4j.place import is_connected
    from veml_vcs.lineage.sync import database
    from veml_vcs.lineage.sync import sync as run

    with working() as (repo, progress), database(repo) as base:
        done = run(repo, base, full=full, progress=progress)
        warn_unkept(done)
        sent = None
        if is_connected(repo):
            from veml_vcs.lineage.neo4j.connecting import bring_up

            sent = bring_up(
                repo, base, os.environ, whole=full, ask=sys.stdin.isatty(), progress=progress
            )
    told = {**vars(done), "mirror": sent}
    show(told, chain(synced_lines(done), sent_lines(sent)), as_json=as_json)
