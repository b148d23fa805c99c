"""``veml training curves``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.render.line import line

EXAMPLES = examples(
    ("the loss, and what was measured", "veml training curves night"),
    ("one of them, of two trainings, as a picture",
     "veml training curves night tuned --metric mAP --plot curves.png"),
)  # fmt: skip


def curves(
    trainings: Annotated[
        list[str], typer.Argument(metavar="TRAINING[@REV]", help="One training, or several.")
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", "-m", metavar="NAME", help="A column of the log; again for more."),
    ] = None,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE", help="Draw the same into an image.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw what was logged while a training ran, step by step.

    Those of one metric have one scale. Drawing into an image needs Pillow: pip install
    'veml[plot]'.
    """
    from veml_cli.render.curves import curve_lines
    from veml_vcs.repository.trainings.curves import training_curves

    with opened() as repo:
        found = training_curves(repo, trainings, metric or ())
    lines = [*curve_lines(found.curves, out.width)]
    if found.others and not metric:
        lines += [line(), line((f"also logged (--metric): {', '.join(found.others)}", "hint"))]
    show(found, lines, as_json=as_json)
    if plot is not None:
        from veml_vcs.analysis.charts import draw_curves

        draw_curves(found.curves, plot)
        out.note(f"drawn into {plot}")
