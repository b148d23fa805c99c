"""``veml data stats``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._conditions import with_conditions
from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.data._options import Rev, Spec

if TYPE_CHECKING:
    from veml_vcs.samples.query import Conditions

EXAMPLES = examples(
    ("classes, boxes, sizes and splits of a data set", "veml data stats images/train"),
    ("of its night images, as a picture",
     "veml data stats images/train --where 'weather == \"night\"' --plot night.png"),
)  # fmt: skip


@with_conditions
def stats(
    spec: Spec,
    rev: Rev = None,
    *,
    wanted: Conditions,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE", help="Draw the same into an image.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Count what is in a data version: classes, boxes, sizes, splits.

    With conditions: of the samples that meet them. Drawing needs Pillow: pip install 'veml[plot]'.
    """
    from veml_cli.render.data import statistics_lines
    from veml_vcs.repository.data.statistics import statistics

    with opened() as repo:
        found = statistics(repo, spec, wanted, revision=rev)
    if plot is not None:
        from veml_vcs.analysis.pictures import draw_statistics

        draw_statistics(found, plot)
        out.note(f"drawn into {plot}")
    show(found, statistics_lines(found, out.width), as_json=as_json)
