"""``veml lineage common``."""

from __future__ import annotations

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._records import Replace
from veml_cli.lineage._options import Dot, Html, Mermaid, Version, asked, show_graph

EXAMPLES = examples(
    ("what two trainings both come from", "veml lineage common tuned other"),
    ("what a data set and what it was before both come from",
     "veml lineage common images/train images/train@v1.0"),
)  # fmt: skip


def common(
    version: Version,
    other: Version,
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """Show the nearest versions that two versions both come from; ends with 1 if there is none.

    There can be several: those that no other common ancestor comes from, as in git merge-base
    --all. A version comes from itself. Versions that took each other's place (data that was taken
    back) come from each other, and are told together.
    """
    from veml_cli.render.lineage_lists import common_lines
    from veml_vcs.lineage.related import common as run

    with asked() as lineage:
        found = run(lineage, version, other)
        show_graph(
            found.as_dict(), common_lines(found), found.nodes, found.edges,
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"What {found.first.name} and {found.second.name} come from",
            starts=[found.first, found.second],
        )  # fmt: skip
    if not found.ancestors:
        raise typer.Exit(DIFFERS)
