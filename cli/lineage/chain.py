"""``veml lineage chain``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._records import Replace
from veml_cli.lineage._options import Dot, Html, Mermaid, asked, show_graph

EXAMPLES = examples(
    (
        "which trainings one was tuned from, and which from it",
        "veml lineage chain night",
    ),
)


def chain(
    training: Annotated[str, typer.Argument(metavar="TRAINING[@REV]", help="A training.")],
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """Show the fine-tuning chain of a training, back to the first, and on from it.

    A training goes on from another by being initialised, transferred or rebuilt from it.
    """
    from veml_cli.render.lineage import around_lines
    from veml_vcs.lineage.related import chain as run

    with asked() as lineage:
        found = run(lineage, training)
        part = found.part
        show_graph(
            found.as_dict(), around_lines(found), part.nodes.values(), part.edges,
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"Chain of {found.start.name}", starts=[found.start],
        )  # fmt: skip
