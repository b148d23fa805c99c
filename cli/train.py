"""``veml train``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from veml_cli._errors import INTERRUPTED, OK
from veml_cli._options import Json, Quiet, Seed, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli._train_options import (
    Anew,
    Deterministic,
    Epochs,
    Iterations,
    Trust,
    Val,
    ValSplit,
    Workers,
)
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("train the model 'detector' on a data set, and measure it on a fifth of it",
     "veml train --data images/train --model detector --name first"),
    ("measure on another data set, with another learning rate and seed",
     "veml train --data images/train --val images/val --model detector "
     "--set optim_wrapper.optimizer.lr=0.0005 --seed 7"),
    ("tell images in folders by class apart (veml model template resnet-small pets.py)",
     "veml train --data pets --model pets --epochs 4"),
    ("go on after an interruption", "veml train --resume --name first"),
)  # fmt: skip


class Launcher(StrEnum):
    """Who started the processes of a distributed training."""

    NONE = "none"
    PYTORCH = "pytorch"
    SLURM = "slurm"
    MPI = "mpi"


def train(
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DATA[@REV]", help="The data version to train on."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME[@REV]", help="The model version: veml model ls."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The training's name; else the model's."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the config."),
    ] = None,
    epochs: Epochs = None,
    iterations: Iterations = None,
    val: Val = None,
    val_split: ValSplit = "0.2",
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="TRAINING[@REV]", help="Begin with its weights."),
    ] = None,
    seed: Seed = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted training.")
    ] = False,
    force: Anew = False,
    trust: Trust = False,
    deterministic: Deterministic = True,
    workers: Workers = 0,
    launcher: Annotated[
        Launcher, typer.Option("--launcher", help="Who started the processes, if several train.")
    ] = Launcher.NONE,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Train a model on a data version, straight from the store, and record a training version.

    Detectors run on MMDetection, their classes fitted to the data; classifiers (ResNet) learn
    images in folders by class, forecasters (DCRNN, ConvLSTM) series of sensors, on the same engine.
    Ends with the record trainings/NAME.veml, staged:
    data, model, seed, libraries, log, metrics, weights, and what was found on what was held back.
    Ctrl-C finishes the step and records a partial version; --resume goes on from there, and from a
    kill.
    """
    from veml_cli._training import TrainingView
    from veml_cli.render.train import trained_lines
    from veml_vcs.training.machine import Machine
    from veml_vcs.training.plan import Request
    from veml_vcs.training.train import Trained
    from veml_vcs.training.train import resume as run_resume
    from veml_vcs.training.train import train as run

    machine = Machine(workers=workers, launcher=launcher.value)
    done: Trained | None
    with opened() as repo, TrainingView(quiet=quiet) as view:
        if resume:
            _refuse_others(data, model, settings, epochs, iterations, val, start)
            done = run_resume(repo, name, view, machine)
        else:
            if data is None or model is None:
                raise InvalidInputError(
                    "a training needs --data and --model",
                    hint="veml train --data images/train --model detector",
                )
            request = Request(
                data=data, model=model, name=name, val=val, val_split=val_split,
                settings=tuple(settings or ()), seed=seed, epochs=epochs, iterations=iterations,
                start=start, deterministic=deterministic, trust=trust,
            )  # fmt: skip
            done = run(repo, request, view, machine, force=force)
    if done is None:
        return OK
    if as_json or not quiet:
        show(done, trained_lines(done, out.width), as_json=as_json)
    return OK if done.status == "complete" else INTERRUPTED


def _refuse_others(*given: object) -> None:
    """Refuse options that a training which goes on has settled."""
    if any(one not in (None, []) for one in given):
        raise InvalidInputError(
            "--resume goes on with what was begun: --data, --model, --set, --epochs, --iterations, "
            "--val and --start are settled",
            hint="veml train --resume --name NAME",
        )
