"""``veml transfer``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from veml_cli._errors import DIFFERS, INTERRUPTED, OK
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

EXAMPLES = examples(
    ("what would be taken over for the new drives, and nothing else",
     "veml transfer images/new --dry-run"),
    ("take over the lifecycle of the most similar data set, and train it on the new one",
     "veml transfer images/new --name second"),
    ("from a training that you name; its class 'car' is the new 'vehicle'",
     "veml transfer images/new --from first --map car=vehicle --iterations 4 --name third"),
    ("without a deployed file at the end", "veml transfer images/new --no-deploy --name bare"),
    ("is it better than from scratch", "veml transfer images/new --compare scratch --seeds 2"),
)  # fmt: skip


class Comparison(StrEnum):
    """What a transfer is compared with."""

    SCRATCH = "scratch"


def transfer(
    data: Annotated[
        str, typer.Argument(metavar="DATA[@REV]", help="The data version to train on.")
    ],
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="Try the K nearest lifecycles.")
    ] = 1,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", metavar="D", help="Energy distance up to which data is similar; else 20."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DATA|TRAINING", help="Take this lifecycle, whatever its distance."
        ),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="The source's class OLD is the new NEW."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The training's name; else the data set's."),
    ] = None,
    compare: Annotated[
        Comparison | None,
        typer.Option("--compare", help="Train from scratch too, with the same budget and seeds."),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, metavar="N", help="Train with N seeds, from --seed on.")
    ] = 1,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the source's config."),
    ] = None,
    epochs: Epochs = None,
    iterations: Iterations = None,
    val: Val = None,
    val_split: ValSplit = "0.2",
    seed: Seed = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show what would be done, and do nothing.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Take what is finished, go on with what was interrupted."),
    ] = False,
    deploy: Annotated[
        bool, typer.Option("--deploy/--no-deploy", help="Deploy at the end, as the source was.")
    ] = True,
    force: Anew = False,
    trust: Trust = False,
    deterministic: Deterministic = True,
    workers: Workers = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Take over the lifecycle of the most similar data set: adapt it, train it, record it.

    Known data versions are ranked by their distance (veml similar). Of the nearest that somebody
    trained on, the best training's config and weights are the beginning: classes are matched by
    name, and the rows of heads follow them. Ends with the record trainings/NAME.veml, staged, which
    says where it was transferred from. Where the source was deployed, the new training is deployed
    alike (format, quantisation), as inferences/NAME.veml. Ends with 1 where nothing is similar
    enough, and where it cannot be deployed; the training is there then.
    """
    from veml_cli._training import TrainingView
    from veml_cli.render.transfer import offer_lines, transfer_lines
    from veml_vcs.lifecycle.offer import offer_of
    from veml_vcs.lifecycle.proposal import TransferRequest, propose
    from veml_vcs.lifecycle.sources import THRESHOLD
    from veml_vcs.lifecycle.transfer import transfer as run
    from veml_vcs.training.machine import Machine
    from veml_vcs.training.plan import Request

    asked = TransferRequest(
        Request(
            data=data, name=name, val=val, val_split=val_split, settings=tuple(settings or ()),
            seed=seed, epochs=epochs, iterations=iterations, deterministic=deterministic,
            trust=trust, classes=tuple(classes or ()),
        ),
        top=top, threshold=THRESHOLD if threshold is None else threshold, source=source,
        seeds=seeds, compare=compare is not None, deploy=deploy,
    )  # fmt: skip
    with opened() as repo, TrainingView(quiet=quiet) as view:
        proposal = propose(repo, asked, view.progress)
        offer = offer_of(proposal)
        if dry_run or not proposal.chosen:
            view.close()
            show(offer, offer_lines(offer, out.width), as_json=as_json)
            proposal.require_chosen()
            return OK
        if not quiet and not as_json:
            view.close()
            out.write_lines(offer_lines(offer, out.width, changes=False))
        done = run(
            repo, proposal, view, Machine(workers=workers), force=force, resume=resume,
            progress=view.progress,
        )  # fmt: skip
    if as_json or not quiet:
        show(done, transfer_lines(done, out.width), as_json=as_json)
    for one in done.deployed:
        for note in () if one.deployed is None or quiet else one.deployed.notes:
            out.note(note)
        if one.problem:
            out.error("error", f"not deployed as {one.like.words}: {one.problem}", one.hint)
    if done.left:
        return INTERRUPTED
    return DIFFERS if any(one.problem for one in done.deployed) else OK
