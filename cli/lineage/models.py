"""``veml lineage models``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli.lineage._options import At, Has, MaxCount, TrainedOn
from veml_cli.lineage.find import list_found

EXAMPLES = examples(
    ("every model version with a ResNet-50, trained on data with cars",
     "veml lineage models --backbone resnet50 --trained-on class:car"),
    ("those with one loss", "veml lineage models --has loss:focalloss"),
)  # fmt: skip


def models(
    backbone: Annotated[
        str | None, typer.Option("--backbone", metavar="NAME", help="With this backbone.")
    ] = None,
    has: Has = None,
    trained_on: TrainedOn = None,
    at: At = None,
    limit: MaxCount = None,
    as_json: Json = False,
) -> None:
    """List model versions of all of history by what they are made of and were trained on.

    Short for veml lineage find --kind model. Facts are architecture, backbone, neck, head, loss,
    optimiser, schedule, transform; upper case, blanks and hyphens in names do not count.
    """
    facts = [*(has or ()), *([f"backbone:{backbone}"] if backbone else ())]
    list_found(["model"], facts, (), trained_on or (), at, limit, as_json=as_json)
