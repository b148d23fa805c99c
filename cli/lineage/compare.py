"""``veml lineage compare``."""

from __future__ import annotations

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._records import Replace
from veml_cli.lineage._options import Dot, Html, Mermaid, Version, asked, show_graph

EXAMPLES = examples(
    ("two models: what they share, and where they part",
     "veml lineage compare model:detector model:small"),
    ("two trainings: their data, model, settings, metrics", "veml lineage compare tuned other"),
)  # fmt: skip


def compare(
    version: Version,
    other: Version,
    mermaid: Mermaid = False,
    dot: Dot = False,
    html: Html = None,
    force: Replace = False,
    as_json: Json = False,
) -> None:
    """Put two versions of a kind side by side: which metadata they share, and where they part.

    Models by architecture, backbone, neck, heads, losses, optimiser, schedule, transforms;
    trainings by their data, their model and its metadata, what they began with, their settings and
    metrics. veml model compare and veml training compare tell more, down to each key of a config.
    """
    from veml_cli.render.lineage_lists import compared_lines
    from veml_vcs.lineage.compare import compare as run

    with asked() as lineage:
        found = run(lineage, version, other)
        show_graph(
            found.as_dict(), compared_lines(found, out.width), found.nodes, found.edges,
            as_json=as_json, mermaid=mermaid, dot=dot, html=html, force=force, lineage=lineage,
            title=f"{found.first.name} and {found.second.name}",
            starts=[found.first, found.second],
        )  # fmt: skip
