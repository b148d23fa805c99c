"""``veml training errors`` and ``inference errors``: options, and what both do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._output import out, show
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.analysis.detection.errors import DetectionErrors
    from veml_vcs.repository.trainings.said import Judged

_SCORE, _IOU = 0.3, 0.5

Score = Annotated[
    float | None,
    typer.Option(
        "--score", metavar="S", help="Detections below are not counted one by one (default 0.3)."
    ),
]
Iou = Annotated[
    float | None,
    typer.Option("--iou", metavar="U", help="An object is found from this IoU on (0.5)."),
]
Worst = Annotated[
    int, typer.Option("--worst", min=0, metavar="N", help="How many samples to name.")
]
Plot = Annotated[str | None, typer.Option("--plot", metavar="FILE", help="Draw the worst samples.")]


def show_errors(
    version: Judged,
    *,
    score: float | None,
    iou: float | None,
    worst: int,
    plot: str | None,
    as_json: bool,
) -> None:
    """Analyse what a version said of its validation data, tell it, and draw the worst samples.

    Raises:
        InvalidInputError: Options are given that its task does not have.
    """
    task = version.record.task
    if task != "detection" and (score is not None or iou is not None):
        raise InvalidInputError(
            f"{version.label}: --score and --iou are for detectors; it is for {task}"
        )
    if task == "classification":
        _classifier(version, worst, plot, as_json=as_json)
    elif task == "detection":
        thresholds = _SCORE if score is None else score, _IOU if iou is None else iou
        _detector(version, thresholds, worst, plot, as_json=as_json)
    else:
        _forecaster(version, worst, plot, as_json=as_json)


def _detector(
    version: Judged, thresholds: tuple[float, float], worst: int, plot: str | None, *, as_json: bool
) -> None:
    from veml_cli.render.detection_errors import error_lines
    from veml_vcs.analysis.detection.errors import detection_errors

    score, iou = thresholds
    found = detection_errors(version, score=score, iou=iou, worst=worst)
    if plot is not None:
        _draw(version, found, plot)
    show(found, error_lines(found, out.width), as_json=as_json)
    _drawn(plot, len(found.worst))


def _classifier(version: Judged, worst: int, plot: str | None, *, as_json: bool) -> None:
    from veml_cli.render.class_errors import class_error_lines
    from veml_vcs.analysis.classification.errors import classification_errors, wrong_pictures
    from veml_vcs.analysis.tiles import draw_tiles

    found = classification_errors(version, worst=worst)
    if plot is not None:
        title = f"{version.label}: its surest mistakes"
        draw_tiles(wrong_pictures(version, found), title, plot)
    show(found, class_error_lines(found, out.width), as_json=as_json)
    _drawn(plot, len(found.worst))


def _forecaster(version: Judged, worst: int, plot: str | None, *, as_json: bool) -> None:
    from veml_cli.render.forecast_errors import forecast_error_lines
    from veml_vcs.analysis.forecasting.errors import forecast_errors

    if plot is not None:
        raise InvalidInputError(f"{version.label}: --plot draws images; it is for forecasting")
    found = forecast_errors(version, worst=worst)
    show(found, forecast_error_lines(found, out.width, worst), as_json=as_json)


def _drawn(plot: str | None, samples: int) -> None:
    if plot is not None:
        out.note(f"drew {samples} samples into {plot}")


def _draw(version: Judged, found: DetectionErrors, target: str) -> None:
    from veml_vcs.analysis.detection.errors import sample_pictures
    from veml_vcs.analysis.sheets import draw_said

    rows = []
    for one, data, truth, said in sample_pictures(version, found):
        kinds = ("missed", "confused", "misplaced", "duplicate", "invented")
        counts = {kind: getattr(one, kind) for kind in kinds}
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        rows.append((f"{one.dataset}/{one.key}: {told}", data, truth, said))
    draw_said(rows, f"{found.name}: what is true (left), what was said (right)", target)
