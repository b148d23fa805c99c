"""``veml lineage path``."""

from __future__ import annotations

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._records import Replace
from veml_cli.lineage._options import Dot, Html, Mermaid, Version, asked, show_graph

EXAMPLES = examples(
    ("what a training has to do with a data set", "veml lineage path night images/train"),
    ("and with what that was in the first commit", "veml lineage path night images/train@v1.0"),
)


def path(
    version: Version,
    other: Version,
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """Show the shortest way between two versions; ends with 1 if nothing leads there.

    JSON has no nodes and no edges then, a picture both versions apart.
    """
    from veml_cli.render.lineage import path_lines
    from veml_vcs.lineage.ask import Path

    with asked() as lineage:
        found = lineage.path(version, other)
        way = found or Path((), ())
        nodes = way.nodes or (lineage.version(version), lineage.version(other))
        show_graph(
            way.as_dict(), path_lines(way) if found else (), nodes, way.edges,
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"From {nodes[0].name} to {nodes[-1].name}", starts=(nodes[0], nodes[-1]),
        )  # fmt: skip
    if found is None:
        out.note(f"nothing leads from {version} to {other}")
        raise typer.Exit(DIFFERS)
