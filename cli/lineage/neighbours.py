"""``veml lineage neighbours``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._records import Replace
from veml_cli.lineage._options import Dot, Html, Mermaid, asked, show_graph

EXAMPLES = examples(
    ("what a data set was compared with, nearest first", "veml lineage neighbours images/train"),
)


def neighbours(
    data: Annotated[str, typer.Argument(metavar="DATA[@REV]", help="A data version.")],
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """List what a data version was compared with, nearest first, with the numbers.

    Comparisons are those that veml similar, veml drift and veml transfer made of committed data,
    here or in a clone whose notes were fetched. Nothing is computed: veml similar does that.
    """
    from veml_cli.render.lineage_lists import neighbour_lines
    from veml_vcs.lineage.related import neighbours as run

    with asked() as lineage:
        start, found = run(lineage, data)
        nodes = {one.id: one for one in (start, *(one.node for one in found))}
        show_graph(
            {"start": start.id, "neighbours": [one.as_dict() for one in found]},
            neighbour_lines(start, found, out.width), nodes.values(), [one.edge for one in found],
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"Neighbours of {start.name}", starts=[start],
        )  # fmt: skip
