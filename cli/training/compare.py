"""``veml training compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._records import ExitCode
from veml_cli._session import opened

EXAMPLES = examples(
    ("two trainings: facts, metrics, layers", "veml training compare night tuned"),
    ("what became of one since v1.0, every key and layer",
     "veml training compare night@v1.0 night -c"),
)  # fmt: skip


def compare(
    a: Annotated[str, typer.Argument(metavar="TRAINING[@REV]", help="A training.")],
    b: Annotated[
        str, typer.Argument(metavar="TRAINING[@REV]", help="Another, or at another commit.")
    ],
    config: Annotated[
        bool,
        typer.Option("--config", "-c", help="Also each key of the config, and every layer."),
    ] = False,
    exit_code: ExitCode = False,
    as_json: Json = False,
) -> None:
    """Compare two trainings: what went in, what was measured, and the change layer by layer.

    The change of a layer is the L2 norm of the difference of its weights divided by that of the
    first one's.
    """
    from veml_cli.render.trainings import compared_lines
    from veml_vcs.repository.trainings.listing import compare_trainings

    with opened() as repo:
        found = compare_trainings(repo, a, b)
    show(found, compared_lines(found, out.width, config=config), as_json=as_json)
    if exit_code and found.differs:
        raise typer.Exit(DIFFERS)
