"""``veml lineage disconnect``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(
    ("mirror no more; what is on the server stays", "veml lineage disconnect"),
    ("and take it out of the server", "veml lineage disconnect --delete"),
)


def disconnect(
    delete: Annotated[
        bool, typer.Option("--delete", help="Take this repository's mirror out of the server.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Mirror the lineage into Neo4j no more."""
    from veml_cli._hooks import remove_after_commit
    from veml_cli.render.mirror import disconnected_lines
    from veml_vcs.lineage.neo4j.connecting import disconnect as run
    from veml_vcs.lineage.neo4j.connecting import required
    from veml_vcs.lineage.sync import database

    with working() as (repo, _):
        place = required(repo)
        with database(repo) as base:
            removed = run(repo, base, os.environ, delete=delete)
        remove_after_commit(repo)
    show(
        {"url": place.url, "name": place.name, "removed": removed},
        disconnected_lines(place, removed, delete),
        as_json=as_json,
    )
