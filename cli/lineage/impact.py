"""``veml lineage impact``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._records import Replace
from veml_cli.lineage._options import Dot, Html, Mermaid, asked, show_graph

EXAMPLES = examples(
    ("this data set is bad: what was trained on it", "veml lineage impact images/train"),
    ("or one image is: which models have seen it", "veml lineage impact images/train 0001.jpg"),
    ("as a page for those who have to know", "veml lineage impact images/train --html impact.html"),
)


def impact(
    data: Annotated[str, typer.Argument(metavar="DATA[@REV]", help="A data version.")],
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="A sample: all versions that have it.")
    ] = None,
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """Tell which trainings and deployments a data version, or one sample of it, went into.

    A fault goes on through what was derived from the data, trained on it, started from such a
    training, or deployed. Later revisions of the data set are not counted: they may be its repair.
    With KEY, each data version is asked whether it has the same bytes there.
    """
    from veml_cli.render.lineage import impact_lines
    from veml_cli.render.words import plural
    from veml_vcs.ids import short

    with asked() as lineage:
        found = lineage.impact(data, key)
        part = found.part
        what = f"{key} of {found.start.name}" if key else found.start.name
        show_graph(
            found.as_dict(), impact_lines(found), part.nodes.values(), part.edges,
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"Impact of {what}", starts=found.data,
        )  # fmt: skip
        if found.unread:
            first = found.unread[0]
            out.warn(
                f"{plural(len(found.unread), 'data version')} could not be asked for {key}, "
                f"such as {first.node.name} {short(first.node.id)}: {first.reason}"
            )
            if any(one.absent for one in found.unread):
                out.note("hint: veml data fetch --all gets the data of every commit")
