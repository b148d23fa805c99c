"""``veml predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._error_analysis import Iou, show_said
from veml_cli._errors import DIFFERS, OK
from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out
from veml_cli._progress import progress
from veml_cli._session import opened
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.deployment.predict import Predictions
    from veml_vcs.repository.repository import Repository

EXAMPLES = examples(
    ("what a deployed detector sees on images", "veml predict detector incoming --score 0.5"),
    ("on every sample of a data version, as a COCO document with scores",
     "veml predict detector images/val@v1.0 --coco said.json"),
    ("what follows the last steps of a series, with a deployed forecaster",
     "veml predict speed roads --csv next.csv"),
    ("what it gets wrong on a data version, and the worst images drawn",
     "veml predict detector images/val --errors --plot worst.png"),
    ("with the checkpoint of a training, drawn",
     "veml predict first images/train/0001.jpg --training --plot seen.png"),
)  # fmt: skip


def predict(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME[@REV]", help="An inference version, or else a training."),
    ],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE_OR_DATA...",
            help="Image files, folders, or data versions; of a forecaster one series.",
        ),
    ],
    score: Annotated[
        float | None,
        typer.Option("--score", metavar="S", help="Leave out detections below; else 0.3."),
    ] = None,
    training: Annotated[
        bool, typer.Option("--training", help="Ask the checkpoint of the training of that name.")
    ] = False,
    coco: Annotated[
        str | None, typer.Option("--coco", metavar="FILE", help="Write a COCO document.")
    ] = None,
    csv: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="Write a table.")
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option("--plot", metavar="FILE", help="Draw the images with what was said."),
    ] = None,
    errors: Annotated[
        bool,
        typer.Option("--errors", help="Show what it gets wrong on annotated data versions."),
    ] = False,
    iou: Iou = None,
    most: Annotated[
        int,
        typer.Option(
            "--most", min=0, metavar="N",
            help="How many to draw, --errors to name, sensors of a forecast to show.",
        ),
    ] = 10,
    step: Annotated[
        int | None,
        typer.Option(
            "--step", min=0, metavar="N",
            help="Of a forecaster that sees the time of day: steps since midnight of the first "
            "row of a file.",
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", min=0, metavar="N", help="Threads; 0: as it thinks fit.")
    ] = 0,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run a TorchScript file, which is a program.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Replace files that are there.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:  # fmt: skip
    """Say what is on images, or follows a series: with a deployed file, or with a checkpoint.

    A deployed ONNX file needs pip install 'veml[export]' and nothing of the training engine. A
    folder that is a data set means its samples, as staged; any other folder the images below it.
    Boxes are in pixels of the image as stored; what EXIF says of rotation is not applied. An image
    that cannot be decoded is named, the others are predicted, and the exit code is 1.

    --errors asks only of annotated samples of data versions, and shows what is wrong in the words
    of veml training errors; --plot then draws the worst, and -q leaves out notes alone.

    A forecaster is given a data version with a series, or a file of values (CSV, Parquet, NPY), and
    forecasts the steps that follow its last ones, of each sensor. Sensors with names are taken by
    name.
    """
    from veml_vcs.deployment.forecast import forecasts
    from veml_vcs.deployment.predict import SCORE, said_by
    from veml_vcs.deployment.predict import predict as run

    if iou is not None and not errors:
        raise InvalidInputError("--iou: is of --errors alone")
    with opened() as repo:
        _refuse_existing(coco, csv, force=force)
        if forecasts(repo, name, training=training):
            others: dict[str, object] = {
                "--score": score,
                "--coco": coco,
                "--plot": plot,
                "--errors": errors or None,
            }
            _refuse_of_images(name, images, others)
            _forecast(
                repo, name, images[0], csv, training=training, threads=threads, trust=trust,
                step=step, most=most, force=force, quiet=quiet, as_json=as_json,
            )  # fmt: skip
            return OK
        if step is not None:
            raise InvalidInputError(f"--step: is of forecasters alone, and {name} is none")
        score = SCORE if score is None else score
        with progress() as told:
            found = run(
                repo, name, images, told, training=training, threads=threads, trust=trust,
                annotated=errors,
            )  # fmt: skip
        for note in () if quiet else found.notes:
            out.note(note)
        shown = found.above(score)
        _write(repo, shown, coco, csv, force=force)
        if errors:
            show_said(
                said_by(found), score=score if found.task == "detection" else None, iou=iou,
                worst=most, plot=plot, as_json=as_json,
            )  # fmt: skip
        else:
            _show(shown, plot, most, quiet=quiet, as_json=as_json)
    for one in found.broken:
        out.error("error", one.problem, None)
    return DIFFERS if found.broken else OK


def _refuse_of_images(name: str, given: list[str], options: dict[str, object]) -> None:
    for option, value in options.items():
        if value is not None:
            raise InvalidInputError(
                f"{option}: {name} is a forecaster; there are no images to look at",
                hint="--csv FILE and --json write the forecast; veml training errors shows what a "
                "forecaster got wrong",
                kind="other-task",
            )
    if len(given) > 1:
        raise InvalidInputError(
            f"{name} is a forecaster: expected one series, found {len(given)}",
            hint=f"veml predict {name} {given[0]}",
        )


def _forecast(
    repo: Repository,
    name: str,
    given: str,
    csv: str | None,
    *,
    training: bool,
    threads: int,
    trust: bool,
    step: int | None,
    most: int,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Forecast, and show or write what follows."""
    from veml_cli.render.forecast import forecast_lines
    from veml_vcs.deployment.forecast import csv_bytes, document, forecast
    from veml_vcs.repository.records.export import export_bytes

    found = forecast(
        repo, name, given, training=training, threads=threads, trust=trust, step=step
    )  # fmt: skip
    for note in () if quiet else found.notes:
        out.note(note)
    if csv is not None:
        export_bytes(repo, csv_bytes(found), csv, force=force)
        out.note(f"wrote {csv}")
    if as_json:
        out.write_json(document(found))
    elif not quiet:
        out.write_lines(forecast_lines(found, out.width, most))


def _show(found: Predictions, plot: str | None, most: int, *, quiet: bool, as_json: bool) -> None:
    from veml_cli.render.predictions import predicted_lines
    from veml_vcs.deployment.predict import document

    if plot is not None:
        _draw(found, plot, most)
    if as_json:
        out.write_json(document(found))
    elif not quiet:
        out.write_lines(predicted_lines(found, out.width))


def _refuse_existing(*targets: str | None, force: bool) -> None:
    from veml_vcs.repository.records.export import refuse_existing

    for target in targets:
        if target is not None:
            refuse_existing(target, force=force)


def _write(
    repo: Repository, found: Predictions, coco: str | None, csv: str | None, *, force: bool
) -> None:
    from veml_vcs.deployment.predict import coco_bytes, csv_bytes
    from veml_vcs.repository.records.export import export_bytes

    if coco is not None:
        export_bytes(repo, coco_bytes(found), coco, force=force)
        out.note(f"wrote {coco}")
    if csv is not None:
        export_bytes(repo, csv_bytes(found), csv, force=force)
        out.note(f"wrote {csv}")


def _draw(found: Predictions, target: str, most: int) -> None:
    from veml_vcs.analysis.sheets import draw_said
    from veml_vcs.deployment.predict import pictures

    rows = pictures(found, most)
    draw_said(rows, f"{found.name}: what is true, if it is known (left), what was said", target)
    out.note(f"drew {len(rows)} of {len(found.images)} images into {target}")
