"""``veml data show``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._output import show as write
from veml_cli._session import opened
from veml_cli.data._options import Rev, Spec

EXAMPLES = examples(
    ("what is said about one sample", "veml data show images/train 0001.jpg"),
    ("what a table holds", "veml data show air seoul_daily_2018.csv"),
    ("as it was in v1.0, boxes drawn", "veml data show v1.0:images/train 0001.jpg --plot out.png"),
)


def show(
    spec: Spec,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The sample's key, or its end if it is unique.")
    ],
    rev: Rev = None,
    plot: Annotated[
        str | None,
        typer.Option("--plot", metavar="FILE", help="Draw the image with its annotation."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show one sample of a data version: its size, what is said of it, its objects or columns.

    Drawing needs Pillow: pip install 'veml[plot]'.
    """
    from veml_cli.render.record import sample_lines
    from veml_vcs.repository.data.listing import show_sample

    with opened() as repo:
        found, data = show_sample(repo, spec, key, revision=rev)
        if plot is not None:
            from veml_vcs.analysis.pictures import draw_sample

            draw_sample(data, found.annotation, found.key, plot)
            out.note(f"drawn into {plot}")
    lines = [*sample_lines(found.path, found.key, found.entry, found.annotation, out.width)]
    if found.table is not None:
        from veml_cli.render.text_tables import summary_lines

        lines += summary_lines(found.table, out.width)
    if found.arrays:
        from veml_cli.render.arrays import facts_lines

        lines += facts_lines(found.arrays, out.width)
    if found.note is not None:
        out.note(found.note)
    write(found, lines, as_json=as_json)
