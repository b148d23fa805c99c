"""``veml deploy``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._progress import progress
from veml_cli._session import opened

EXAMPLES = examples(
    ("a training as one ONNX file, compared with its checkpoint and measured",
     "veml deploy first --name detector"),
    ("half the size: weights of 16 bits", "veml deploy first --quantize fp16 --name detector-fp16"),
    ("measured on other data, with one thread",
     "veml deploy first@v1.0 --name old --data images/train --threads 1"),
)  # fmt: skip


class Format(StrEnum):
    """Kinds of files."""

    ONNX = "onnx"
    TORCHSCRIPT = "torchscript"


class Quantize(StrEnum):
    """How numbers are kept."""

    NONE = "none"
    INT8 = "int8"
    FP16 = "fp16"


class Device(StrEnum):
    """What a file is measured on."""

    CPU = "cpu"


def deploy(
    training: Annotated[
        str, typer.Argument(metavar="TRAINING[@REV]", help="The training: veml training ls.")
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The version's name; else the training's."),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="What kind of file.")] = Format.ONNX,
    quantize: Annotated[
        Quantize,
        typer.Option("--quantize", help="fp16: weights of 16 bits; int8: products of matrices."),
    ] = Quantize.NONE,
    device: Annotated[
        Device, typer.Option("--device", help="What the file is measured on.")
    ] = Device.CPU,
    data: Annotated[
        str | None,
        typer.Option(
            "--data", metavar="DATA[@REV]", help="Measure on this data, not on what was held back."
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", metavar="N", help="Threads that compute; else all there are."),
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", min=1, metavar="N", help="Runs that are timed.")
    ] = 50,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance", min=0, metavar="D",
            help="How far file and checkpoint may be apart: pixels of boxes, units of forecasts.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", "-f",
            help="Write a file that says something else than the checkpoint; overwrite a version "
            "that no commit has.",
        ),
    ] = False,
    remeasure: Annotated[
        bool, typer.Option("--remeasure", help="Take the new latency of a version that is there.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Export a training as one file that runs without veml, and record an inference version.

    The whole network is in the file: for a detector an image of any size goes in and boxes come
    out; resizing, normalisation and suppression are part of it. It is compared with the checkpoint
    on the samples that were held back, and not written if they differ; accuracy, latency and size
    are measured with the file itself. Needs veml[mmdet] and pip install 'veml[export]'; who runs
    the file needs onnxruntime (or torch) alone. The record is inferences/NAME.veml, staged.
    """
    del device  # there is one
    from veml_cli.render.deploy import deployed_lines
    from veml_vcs.deployment.deploy import DeployRequest
    from veml_vcs.deployment.deploy import deploy as run

    request = DeployRequest(
        training=training, name=name, format=format_.value,
        quantisation=quantize.value, data=data, threads=threads, runs=runs,
        tolerance=tolerance, force=force, remeasure=remeasure,
    )  # fmt: skip
    with opened() as repo, progress() as told:
        done = run(repo, request, told)
    if not quiet:
        for note in done.notes:
            out.note(note)
    if as_json or not quiet:
        show(done, deployed_lines(done, out.width), as_json=as_json)
