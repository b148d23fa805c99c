"""``veml lineage connect``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._session import working

EXAMPLES = examples(
    ("mirror the lineage into a Neo4j on this machine",
     "veml lineage connect neo4j://localhost"),
    ("several repositories share a server: each has a name there",
     "veml lineage connect neo4j://localhost --as roads"),
)  # fmt: skip


def connect(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="neo4j://HOST[:PORT], bolt://, or with +s for TLS.")
    ],
    database: Annotated[
        str | None, typer.Option("--database", metavar="NAME", help="Of the server; neo4j if not.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="NAME", help="What this repository is called there; its folder's name."
        ),
    ] = None,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Also where another clone keeps that mirror until now."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Mirror the lineage into a Neo4j database (5 or later) from now on, and send all there is.

    After each commit, merge, training ... what is new is sent; a server that is away is caught up
    with later, and never stops a commit. The user and the password come from NEO4J_USERNAME and
    NEO4J_PASSWORD, from NEO4J_AUTH (user/password), or from Git's credential helper; the address
    alone is kept, in .git/config.
    """
    from veml_cli._hooks import install_after_commit
    from veml_cli.render.mirror import connected_lines
    from veml_vcs.lineage.neo4j.connecting import connect as run
    from veml_vcs.lineage.neo4j.connecting import up_to_date
    from veml_vcs.lineage.neo4j.place import new_place

    with working() as (repo, progress):
        place = new_place(repo, url, database, name)
        with up_to_date(repo, progress) as base:
            done = run(
                repo, base, place, os.environ, take_over=take_over,
                ask=sys.stdin.isatty(), progress=progress,
            )  # fmt: skip
        install_after_commit(repo)
    show(done, connected_lines(done), as_json=as_json)
