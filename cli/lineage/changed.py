"""``veml lineage changed``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._records import Replace
from veml_cli.lineage._options import Dot, Html, Mermaid, asked, show_graph

EXAMPLES = examples(
    ("which versions came, went and were revised since v1.0", "veml lineage changed v1.0"),
    ("on the way from one branch to another", "veml lineage changed main..night"),
)


def changed(
    old: Annotated[str, typer.Argument(metavar="REV|A..B", help="A commit, or two.")],
    new: Annotated[str | None, typer.Argument(metavar="[REV]", help="Another; HEAD.")] = None,
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """Tell which versions came, went and took another's place between two commits.

    By kind and path; then the versions that came in between and that neither commit has, those of
    the older one's history alone (where the two are of different branches), and the new edges. veml
    diff tells what changed inside.
    """
    from veml_cli.render.lineage_lists import changed_lines
    from veml_vcs.lineage.changed import changed as run
    from veml_vcs.lineage.changed import ends

    first, second = ends(old, new)
    with asked() as lineage:
        found = run(lineage, first, second)
        show_graph(
            found.as_dict(), changed_lines(found), found.ends, found.edges,
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"From {first} to {second}",
        )  # fmt: skip
