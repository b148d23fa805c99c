"""``veml training errors``."""

from __future__ import annotations

from veml_cli._error_analysis import Iou, Plot, Score, Worst, show_errors
from veml_cli._options import Json, examples
from veml_cli._session import opened
from veml_cli.training._options import Training

EXAMPLES = examples(
    ("what a detector gets wrong, by class and size, and where", "veml training errors night"),
    ("the worst images: what is true (left), and what was said (right)",
     "veml training errors night --worst 4 --plot worst.png"),
    ("how wrong a forecaster is, by steps ahead and by sensor",
     "veml training errors speed --worst 5"),
    ("which classes a classifier takes for which, as JSON", "veml training errors pets --json"),
)  # fmt: skip


def errors(
    training: Training,
    score: Score = None,
    iou: Iou = None,
    worst: Worst = 10,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show what a network gets wrong on the data that it was validated on.

    Of a classifier: precision, recall and F1 of each class, the confusion matrix, and the images
    that it named wrongly and most surely.

    Of a forecaster: the mean absolute error by steps ahead and by sensor, and the forecasts that
    were most wrong, of windows that do not overlap (--json: by both, as a table).

    Of a detector: average precision is COCO's, over all detections. Counts are of those with a
    score of at least --score: an object is found (correct), taken for another class (confused) or
    missed; another detection is misplaced (an IoU of 0.1 or more with an object of its class), a
    duplicate, or invented. Small is below 32 x 32 pixels, medium below 96 x 96.

    Drawing needs Pillow: pip install 'veml[plot]'.
    """
    from veml_vcs.repository.trainings.versions import open_training

    with opened() as repo:
        version = open_training(repo, training)
        show_errors(version, score=score, iou=iou, worst=worst, plot=plot, as_json=as_json)
