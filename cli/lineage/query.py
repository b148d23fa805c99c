"""``veml lineage query``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import working

EXAMPLES = examples(
    ("how many versions of each kind there are",
     'veml lineage query "MATCH (v:Version) RETURN v.kind, count(*)"'),
    ("the trainings that reach a value, best first, of this repository alone",
     'veml lineage query "MATCH (t:Training {repository: $repository}) WHERE t.metric_mAP > $least '
     'RETURN t.name, t.metric_mAP ORDER BY t.metric_mAP DESC" --param least=0.3'),
)  # fmt: skip


def query(
    cypher: Annotated[str, typer.Argument(metavar="CYPHER", help="As Neo4j takes it; - is stdin.")],
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", metavar="NAME=VALUE", help="$NAME in it; JSON, or text. May be repeated."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask the mirror in Neo4j a question in Cypher; it is only read.

    The mirror is brought up to date first. $repository is this repository's name there: several
    may share a server. docs/neo4j.md lists labels, types and properties, and useful questions.
    """
    from veml_cli.render.mirror import answer_lines
    from veml_vcs.lineage.neo4j.connecting import query as run
    from veml_vcs.lineage.neo4j.connecting import up_to_date

    text = sys.stdin.read() if cypher == "-" else cypher
    with working() as (repo, progress), up_to_date(repo, progress) as base:
        answer = run(
            repo, base, os.environ, text, param or (), ask=sys.stdin.isatty(),
            progress=progress,
        )  # fmt: skip
    show(answer.as_dicts(), answer_lines(answer, out.width), as_json=as_json)
