"""``veml lineage models``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli.lineage._options import asked

EXAMPLES = examples(
    ("every model version with a ResNet-50, trained on data with cars",
     "veml lineage models --backbone resnet50 --trained-on class:car"),
    ("those with one loss", "veml lineage models --has loss:focalloss"),
)  # fmt: skip


def models(
    backbone: Annotated[
        str | None, typer.Option("--backbone", metavar="NAME", help="With this backbone.")
    ] = None,
    has: Annotated[
        list[str] | None,
        typer.Option("--has", metavar="KIND:NAME", help="With this fact; may be repeated."),
    ] = None,
    trained_on: Annotated[
        list[str] | None,
        typer.Option(
            "--trained-on", metavar="class:NAME|DATA", help="Trained on such data; may be repeated."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List model versions of all of history by what they are made of and were trained on.

    Facts are architecture, backbone, neck, head, loss, optimiser, schedule, transform; upper case,
    blanks and hyphens in names do not count.
    """
    from veml_cli.render.lineage import model_lines

    facts = [*(has or ()), *([f"backbone:{backbone}"] if backbone else ())]
    with asked() as lineage:
        found = lineage.models(facts, trained_on or ())
    show([one.as_dict() for one in found], model_lines(found), as_json=as_json)
