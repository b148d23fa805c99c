"""``veml lineage show``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._records import Replace
from veml_cli.lineage._options import At, Dot, Html, Mermaid, Version, asked, show_graph

EXAMPLES = examples(
    ("what a training was made of, and what was made of it", "veml lineage show night"),
    ("two steps back alone", "veml lineage show night --up --depth 2"),
    ("as a picture, for a README", "veml lineage show night --mermaid"),
    ("as a page to click through and to send", "veml lineage show night --html night.html"),
)


def show(
    version: Version,
    up: Annotated[bool, typer.Option("--up", help="What it came from, alone.")] = False,
    down: Annotated[bool, typer.Option("--down", help="What came from it, alone.")] = False,
    depth: Annotated[
        int | None, typer.Option("--depth", min=0, metavar="N", help="So many steps at most.")
    ] = None,
    at: At = None,
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """Show what a version came from, and what came from it, as a tree.

    A version that was shown above is not followed again (...). A version that no commit here has
    is told as such.
    """
    from veml_cli.render.lineage import around_lines

    direction = "up" if up and not down else "down" if down and not up else "both"
    with asked() as lineage:
        found = lineage.around(version, direction, depth, at)
        part = found.part
        show_graph(
            found.as_dict(), around_lines(found, depth), part.nodes.values(), part.edges,
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"Lineage of {found.start.kind} {found.start.name}", starts=[found.start],
        )  # fmt: skip
