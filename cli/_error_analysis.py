"""``veml training errors``, ``inference errors``, ``predict --errors``: options, what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._output import out, show
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.analysis.detection.errors import DetectionErrors
    from veml_vcs.repository.records.said import Judged, Said

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
    from veml_vcs.repository.records.said import said_of

    task = version.record.task
    _refuse_thresholds(version.label, task, score, iou)
    if task == "forecasting":
        _forecaster(version, worst, plot, as_json=as_json)
    else:
        said = said_of(version)
        show_said(said, score=score, iou=iou, worst=worst, plot=plot, as_json=as_json)


def show_said(
    said: Said,
    *,
    score: float | None,
    iou: float | None,
    worst: int,
    plot: str | None,
    as_json: bool,
) -> None:
    """Analyse what a network said of images, tell it, and draw the worst samples.

    Raises:
        InvalidInputError: As ``show_errors``.
    """
    _refuse_thresholds(said.name, said.task, score, iou)
    if said.task == "classification":
        _classifier(said, worst, plot, as_json=as_json)
    else:
        thresholds = _SCORE if score is None else score, _IOU if iou is None else iou
        _detector(said, thresholds, worst, plot, as_json=as_json)


def _refuse_thresholds(name: str, task: str, score: float | None, iou: float | None) -> None:
    if task != "detection" and (score is not None or iou is not None):
        raise InvalidInputError(f"{name}: --score and --iou are for detectors; it is for {task}")


def _detector(
    said: Said, thresholds: tuple[float, float], worst: int, plot: str | None, *, as_json: bool
) -> None:
    from veml_cli.render.detection_errors import error_lines
    from veml_vcs.analysis.detection.errors import detection_errors

    score, iou = thresholds
    found = detection_errors(said, score=score, iou=iou, worst=worst)
    if plot is not None:
        _draw(said, found, plot)
    show(found, error_lines(found, out.width), as_json=as_json)
    _drawn(plot, len(found.worst))


def _classifier(said: Said, worst: int, plot: str | None, *, as_json: bool) -> None:
    from veml_cli.render.class_errors import class_error_lines
    from veml_vcs.analysis.classification.errors import classification_errors, wrong_pictures
    from veml_vcs.analysis.tiles import draw_tiles

    found = classification_errors(said, worst=worst)
    if plot is not None:
        title = f"{said.name}: its surest mistakes"
        draw_tiles(wrong_pictures(said, found), title, plot)
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


def _draw(asked: Said, found: DetectionErrors, target: str) -> None:
    from veml_vcs.analysis.detection.errors import sample_pictures
    from veml_vcs.analysis.sheets import draw_said

    rows = []
    for one, data, truth, said in sample_pictures(asked, found):
        kinds = ("missed", "confused", "misplaced", "duplicate", "invented")
        counts = {kind: getattr(one, kind) for kind in kinds}
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        rows.append((f"{one.dataset}/{one.key}: {told}", data, truth, said))
    draw_said(rows, f"{found.name}: what is true (left), what was said (right)", target)
