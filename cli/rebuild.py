"""``veml rebuild``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from veml_cli._errors import INTERRUPTED, OK
from veml_cli._options import DEFAULT_EMBEDDER, Embedder, Json, Quiet, Seed, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_cli._train_options import Epochs, Iterations, Workers
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("train anew on the old data and the new",
     "veml rebuild --train first --new images/dusk --method full"),
    ("label the 30 % that are most worth it, then go on",
     "veml rebuild --train first --new images/dusk --method active --budget 30%"),
    ("the labels have come", "veml rebuild --continue labels.json"),
    ("the classes of images are filled in, in the list itself",
     "veml rebuild --continue to-label/first-active.csv --name first-active"),
    ("let the drift verdict and the labels decide",
     "veml rebuild --train first --new images/dusk --method auto --dry-run"),
)  # fmt: skip


class Method(StrEnum):
    """How a training is rebuilt."""

    FULL = "full"
    TRANSFER = "transfer"
    ACTIVE = "active"
    ADAPT = "adapt"
    AUTO = "auto"


class Selection(StrEnum):
    """How samples are chosen that are worth a label."""

    CORESET = "coreset"
    PROBCOVER = "probcover"
    MARGIN = "margin"
    RANDOM = "random"


def rebuild(
    labels: Annotated[
        str | None,
        typer.Argument(
            metavar="[LABELS]",
            help="With --continue: the labels that came, a COCO file; of a classifier a CSV file.",
        ),
    ] = None,
    training: Annotated[
        str | None,
        typer.Option("--train", metavar="TRAINING[@REV]", help="The training to rebuild."),
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", "--data", metavar="DATA[@REV]", help="The data it is rebuilt for."),
    ] = None,
    method: Annotated[
        Method, typer.Option("--method", "-m", help="How; auto: by the drift verdict and labels.")
    ] = Method.AUTO,
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="N|N%", help="How many samples may be labelled."),
    ] = None,
    selection: Annotated[
        Selection | None,
        typer.Option(
            "--select",
            help="How samples are chosen to be labelled; if not said, margin for a classifier, "
            "random for a detector.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The new training; else TRAINING-METHOD."),
    ] = None,
    labels_from: Annotated[
        str | None,
        typer.Option(
            "--labels-from", metavar="DATA[@REV]", help="Take the labels of this data version."
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option("--test", metavar="DATA[@REV]", help="Measure on this, of the new kind."),
    ] = None,
    val_split: Annotated[
        float,
        typer.Option("--val-split", metavar="PART", help="Else hold back this part of the new."),
    ] = 0.2,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="DATASET", help="What the merged data becomes."),
    ] = None,
    folder: Annotated[
        str, typer.Option("--list", metavar="FOLDER", help="Where to list what is to be labelled.")
    ] = "to-label",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the old config."),
    ] = None,
    epochs: Epochs = None,
    iterations: Iterations = None,
    embedder: Embedder = DEFAULT_EMBEDDER,
    seed: Seed = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Tell what would be done, and do nothing.")
    ] = False,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Go on: labels have come, or it was interrupted.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Go on without samples that have no labels.")
    ] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Give up one that is begun.")] = False,
    workers: Workers = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Make a training anew for data that has moved on, and measure what that gained and lost.

    full trains from scratch on the old data and the new; transfer goes on with the old weights on
    the new data alone; active has the samples labelled that are most worth it, waits for the
    labels, and trains on the old data and those; adapt fits the statistics of batch normalisation
    to new data without labels. Ends with accuracy before and after, on the new data and on the old.

    Detectors, classifiers and forecasters; a forecaster by full and transfer alone, as a series
    needs no labels: new is what follows the steps that the old training held back.
    """
    from veml_cli._training import TrainingView
    from veml_cli.render.rebuild import aborted_lines, rebuilt_lines
    from veml_vcs.lifecycle.rebuild import carry
    from veml_vcs.lifecycle.rebuild.request import RebuildRequest
    from veml_vcs.lifecycle.rebuild.settle import Unmoved
    from veml_vcs.training.machine import Machine

    machine = Machine(workers=workers)
    if (go_on or abort) and (training or new or budget or labels_from or test or to):
        raise InvalidInputError(
            "--continue and --abort take what was settled: --train, --new, --budget, "
            "--labels-from, --test and --to do not go with them",
            hint="veml rebuild --continue [LABELS] [--name NAME]",
        )
    if go_on and abort:
        raise InvalidInputError("--continue or --abort: one of them")
    if labels is not None and not go_on:
        raise InvalidInputError(
            f"{labels}: labels go with --continue", hint=f"veml rebuild --continue {labels}"
        )
    done: carry.Rebuilt | Unmoved
    with opened() as repo, TrainingView(quiet=quiet) as view:
        progress = view.progress
        if abort:
            given_up = carry.abort(repo, name)
            if as_json or not quiet:
                show(
                    {"aborted": given_up.name, "staged": given_up.trained_on is not None},
                    aborted_lines(given_up), as_json=as_json,
                )  # fmt: skip
            return OK
        if go_on:
            done = carry.go_on(
                repo, name, view, machine, labels=labels, partial=partial, progress=progress
            )
        else:
            if training is None or new is None:
                raise InvalidInputError(
                    "rebuild what for what? a rebuild needs --train and --new",
                    hint="veml rebuild --train first --new images/dusk",
                )
            request = RebuildRequest(
                training=training, new=new, method=method.value, budget=budget,
                selection=selection.value if selection else None, name=name,
                labels_from=labels_from, test=test, held_back=val_split, to=to, folder=folder,
                seed=seed, epochs=epochs, iterations=iterations, settings=tuple(settings or ()),
                embedder=embedder,
            )  # fmt: skip
            done = carry.rebuild(repo, request, view, machine, dry_run=dry_run, progress=progress)
    if as_json or not quiet:
        show(done, rebuilt_lines(done, out.width), as_json=as_json)
    interrupted = isinstance(done, carry.Rebuilt) and done.status == "partial"
    return INTERRUPTED if interrupted else OK
