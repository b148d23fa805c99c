"""``veml training merge``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import show
from veml_cli._session import opened
from veml_cli.training._options import Name
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("the mean of two fine-tunes of one parent",
     "veml training merge tuned other --average --name soup"),
    ("three parts of the first, one of the second",
     "veml training merge tuned other --average --weight 0.25 --name quarter"),
)  # fmt: skip


def merge(
    a: Annotated[str, typer.Argument(metavar="TRAINING[@REV]", help="A training.")],
    b: Annotated[str, typer.Argument(metavar="TRAINING[@REV]", help="Another of one parent.")],
    name: Name,
    average: Annotated[
        bool, typer.Option("--average", help="By the mean of the weights (there is no other way).")
    ] = False,
    weight: Annotated[
        float, typer.Option("--weight", metavar="W", help="Of the second, 0 to 1.")
    ] = 0.5,
    force: Annotated[
        bool,
        typer.Option(
            "--force", "-f", help="Also without a common parent, or over what no commit has."
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make one training of two fine-tunes of one parent, by averaging their weights.

    Nothing is measured by that, so the new version has no metrics. Whole numbers (counters) are the
    first's. Two networks that did not begin with the same weights are refused: their mean is noise.
    """
    from veml_cli.render.trainings import written_lines
    from veml_vcs.repository.trainings.average import average_trainings

    if not average:
        raise InvalidInputError(
            "how are they to be merged?",
            hint=f"veml training merge {a} {b} --average --name {name}",
        )
    with opened() as repo:
        done = average_trainings(repo, a, b, name, weight=weight, force=force)
    if as_json or not quiet:
        show(done, written_lines(done), as_json=as_json)
