"""``veml training errors``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.training._options import Training

if TYPE_CHECKING:
    from veml_vcs.analysis.detection.errors import TrainingErrors
    from veml_vcs.repository.repository import Repository

EXAMPLES = examples(
    ("what a detector gets wrong, by class and size, and where", "veml training errors night"),
    ("the worst images: what is true (left), and what was said (right)",
     "veml training errors night --worst 4 --plot worst.png"),
)  # fmt: skip


def errors(
    training: Training,
    score: Annotated[
        float,
        typer.Option("--score", metavar="S", help="Detections below are not counted one by one."),
    ] = 0.3,
    iou: Annotated[
        float, typer.Option("--iou", metavar="U", help="An object is found from this IoU on.")
    ] = 0.5,
    worst: Annotated[
        int, typer.Option("--worst", min=0, metavar="N", help="How many samples to name.")
    ] = 10,
    plot: Annotated[
        str | None,
        typer.Option("--plot", metavar="FILE", help="Draw the worst samples with their boxes."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a detector gets wrong on the data that it was validated on.

    Average precision is COCO's, over all detections. Counts are of those with a score of at least
    --score: an object is found (correct), taken for another class (confused) or missed; another
    detection is misplaced (an IoU of 0.1 or more with an object of its class), a duplicate, or
    invented. Small is below 32 x 32 pixels, medium below 96 x 96. Drawing needs Pillow: pip install
    'veml[plot]'.
    """
    from veml_cli.render.training_errors import error_lines
    from veml_vcs.analysis.detection.errors import training_errors

    with opened() as repo:
        found = training_errors(repo, training, score=score, iou=iou, worst=worst)
        if plot is not None:
            _draw(repo, found, plot)
    show(found, error_lines(found, out.width), as_json=as_json)
    if plot is not None:
        out.note(f"drew {len(found.worst)} samples into {plot}")


def _draw(repo: Repository, found: TrainingErrors, target: str) -> None:
    from veml_vcs.analysis.detection.errors import sample_pictures
    from veml_vcs.analysis.pictures import draw_said

    rows = []
    for one, data, truth, said in sample_pictures(repo, found):
        kinds = ("missed", "confused", "misplaced", "duplicate", "invented")
        counts = {kind: getattr(one, kind) for kind in kinds}
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        rows.append((f"{one.dataset}/{one.key}: {told}", data, truth, said))
    title = f"{found.training}: what is true (left), what was said (right)"
    draw_said(rows, title, target)
