"""``veml inference errors``."""

from __future__ import annotations

from veml_cli._error_analysis import Iou, Plot, Score, Worst, show_errors
from veml_cli._options import Json, examples
from veml_cli._session import opened
from veml_cli.inference._options import Inference

EXAMPLES = examples(
    ("what the deployed file gets wrong", "veml inference errors detector"),
    ("the worst images: what is true (left), and what was said (right)",
     "veml inference errors detector --worst 4 --plot worst.png"),
)  # fmt: skip


def errors(
    inference: Inference,
    score: Score = None,
    iou: Iou = None,
    worst: Worst = 10,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show what a deployed network gets wrong on the data that it was measured on.

    It looks at the predictions that were kept with the inference version; the words are those of
    veml training errors. Drawing needs Pillow: pip install 'veml[plot]'.
    """
    from veml_vcs.repository.inferences.versions import open_inference

    with opened() as repo:
        version = open_inference(repo, inference)
        show_errors(version, score=score, iou=iou, worst=worst, plot=plot, as_json=as_json)
