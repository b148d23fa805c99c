"""``veml training add``."""

from __future__ import annotations

import math
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli.training._options import Overwrite
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.samples.tensors import Checkpoint

EXAMPLES = examples(
    ("weights that were made elsewhere, of a model and data that are here",
     "veml training add elsewhere.safetensors --model detector --data images/train"),
    ("what they measured, as you say",
     "veml training add elsewhere.safetensors --name other --model detector "
     "--data images/train@v1.0 --val images/val --metric mAP=0.41"),
)  # fmt: skip


class Task(StrEnum):
    """What a training learns."""

    DETECTION = "detection"
    CLASSIFICATION = "classification"
    FORECASTING = "forecasting"


def add(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A .safetensors file, or with --trust a .pth.")
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="NAME[@REV]", help="The model that it is of.")
    ],
    data: Annotated[
        list[str],
        typer.Option("--data", metavar="SPEC", help="Data it was trained on; again for more."),
    ],
    val: Annotated[
        list[str] | None,
        typer.Option("--val", metavar="SPEC", help="Data it was measured on; again for more."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="TRAINING", help="The training's name; else the file's."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME=VALUE", help="What was measured on --val."),
    ] = None,
    task: Annotated[Task, typer.Option("--task", help="What it learnt.")] = Task.DETECTION,
    trust: Annotated[
        bool, typer.Option("--trust", help="Read a pickle (.pth, .pt), with torch.")
    ] = False,
    force: Overwrite = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Record a checkpoint that was made elsewhere as a training version, and stage it.

    Which model and data it is of is what you say; the record tells that it was imported. A pickle
    (.pth) can run whatever its author wrote: it is refused without --trust, and with it torch reads
    weights alone, never the rest.
    """
    from veml_cli.render.trainings import written_lines
    from veml_vcs.repository.trainings.load import add_training

    metrics = dict(map(_metric, metric or ()))
    chosen = name or os.path.splitext(os.path.basename(file))[0]
    with opened() as repo:
        done = add_training(
            repo, file, chosen, model=model, data=data, val=val or (), metrics=metrics,
            task=task.value, read_pickle=_read if trust else None, force=force,
        )  # fmt: skip
    if as_json or not quiet:
        show(done, written_lines(done), as_json=as_json)


def _metric(text: str) -> tuple[str, float]:
    name, sign, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (name and sign and math.isfinite(number)):
        raise InvalidInputError(f"--metric {text}: expected NAME=VALUE", hint="--metric mAP=0.41")
    return name, number


def _read(path: str) -> Checkpoint:
    """Say what is about to be read, and read a pickle."""
    from veml_vcs.training.pickles import read_pickle

    out.warn(f"reading {path}: a pickle, of which torch reads the weights alone")
    return read_pickle(path)
