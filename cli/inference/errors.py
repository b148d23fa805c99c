"""``veml inference errors``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._error_analysis import Iou, Plot, Score, Worst, show_errors, show_said
from veml_cli._errors import DIFFERS, OK
from veml_cli._options import Json, examples
from veml_cli._output import out
from veml_cli._progress import progress
from veml_cli._session import opened
from veml_cli.inference._options import Inference

EXAMPLES = examples(
    ("what the deployed file gets wrong", "veml inference errors detector"),
    ("the worst images: what is true (left), and what was said (right)",
     "veml inference errors detector --worst 4 --plot worst.png"),
    ("on another data version: it is asked now",
     "veml inference errors detector --data images/val"),
)  # fmt: skip


def errors(
    inference: Inference,
    score: Score = None,
    iou: Iou = None,
    worst: Worst = 10,
    plot: Plot = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA[@REV]", help="Ask it now, of this data version."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="With --data: run a TorchScript file, a program.")
    ] = False,
    as_json: Json = False,
) -> int:  # fmt: skip
    """Show what a deployed network gets wrong on the data that it was measured on.

    It looks at the predictions that were kept with the inference version; the words are those of
    veml training errors. With --data it is run, as by veml predict --errors, which has more
    options; the exit code is 1 where an image cannot be decoded. Drawing needs Pillow: pip install
    'veml[plot]'.
    """
    from veml_vcs.repository.inferences.versions import open_inference

    with opened() as repo:
        version = open_inference(repo, inference)
        if data is None:
            show_errors(version, score=score, iou=iou, worst=worst, plot=plot, as_json=as_json)
            return OK
        from veml_vcs.deployment.predict import predict, said_by

        with progress() as told:
            found = predict(repo, inference, [data], told, trust=trust, annotated=True)
        for note in found.notes:
            out.note(note)
        said = said_by(found)
        show_said(said, score=score, iou=iou, worst=worst, plot=plot, as_json=as_json)
    for one in found.broken:
        out.error("error", one.problem, None)
    return DIFFERS if found.broken else OK
