"""``veml training errors``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.training._options import Training
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.analysis.detection.errors import TrainingErrors
    from veml_vcs.repository.repository import Repository

EXAMPLES = examples(
    ("what a detector gets wrong, by class and size, and where", "veml training errors night"),
    ("the worst images: what is true (left), and what was said (right)",
     "veml training errors night --worst 4 --plot worst.png"),
    ("how wrong a forecaster is, by steps ahead and by sensor",
     "veml training errors speed --worst 5"),
    ("which classes a classifier takes for which, as JSON", "veml training errors pets --json"),
)  # fmt: skip
_SCORE, _IOU = 0.3, 0.5


def errors(
    training: Training,
    score: Annotated[
        float | None,
        typer.Option(
            "--score",
            metavar="S",
            help="Detections below are not counted one by one (default 0.3).",
        ),
    ] = None,
    iou: Annotated[
        float | None,
        typer.Option("--iou", metavar="U", help="An object is found from this IoU on (0.5)."),
    ] = None,
    worst: Annotated[
        int, typer.Option("--worst", min=0, metavar="N", help="How many samples to name.")
    ] = 10,
    plot: Annotated[
        str | None,
        typer.Option("--plot", metavar="FILE", help="Draw the worst samples."),
    ] = None,
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
        task = open_training(repo, training).record.task
        if task != "detection" and (score is not None or iou is not None):
            raise InvalidInputError(
                f"{training}: --score and --iou are for detectors; it is for {task}"
            )
        if task == "classification":
            _classifier(repo, training, worst, plot, as_json=as_json)
        elif task == "detection":
            thresholds = _SCORE if score is None else score, _IOU if iou is None else iou
            _detector(repo, training, thresholds, worst, plot, as_json=as_json)
        else:
            _forecaster(repo, training, worst, plot, as_json=as_json)


def _detector(
    repo: Repository, training: str, thresholds: tuple[float, float], worst: int,
    plot: str | None, *, as_json: bool,
) -> None:  # fmt: skip
    from veml_cli.render.training_errors import error_lines
    from veml_vcs.analysis.detection.errors import training_errors

    score, iou = thresholds
    found = training_errors(repo, training, score=score, iou=iou, worst=worst)
    if plot is not None:
        _draw(repo, found, plot)
    show(found, error_lines(found, out.width), as_json=as_json)
    _drawn(plot, len(found.worst))


def _classifier(
    repo: Repository, training: str, worst: int, plot: str | None, *, as_json: bool
) -> None:
    from veml_cli.render.class_errors import class_error_lines
    from veml_vcs.analysis.classification.errors import classification_errors, wrong_pictures
    from veml_vcs.analysis.tiles import draw_tiles

    found = classification_errors(repo, training, worst=worst)
    if plot is not None:
        title = f"{training}: its surest mistakes"
        draw_tiles(wrong_pictures(repo, found), title, plot)
    show(found, class_error_lines(found, out.width), as_json=as_json)
    _drawn(plot, len(found.worst))


def _forecaster(
    repo: Repository, training: str, worst: int, plot: str | None, *, as_json: bool
) -> None:
    from veml_cli.render.forecast_errors import forecast_error_lines
    from veml_vcs.analysis.forecasting.errors import forecast_errors

    if plot is not None:
        raise InvalidInputError(f"{training}: --plot draws images; it is for forecasting")
    found = forecast_errors(repo, training, worst=worst)
    show(found, forecast_error_lines(found, out.width, worst), as_json=as_json)


def _drawn(plot: str | None, samples: int) -> None:
    if plot is not None:
        out.note(f"drew {samples} samples into {plot}")


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
