"""``veml inference compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._records import ExitCode
from veml_cli._session import opened

EXAMPLES = examples(
    ("what quantising costs, and what it saves", "veml inference compare detector small"),
    ("what became of one since v1.0", "veml inference compare detector@v1.0 detector"),
)


def compare(
    a: Annotated[str, typer.Argument(metavar="INFERENCE[@REV]", help="An inference version.")],
    b: Annotated[
        str, typer.Argument(metavar="INFERENCE[@REV]", help="Another, or at another commit.")
    ],
    exit_code: ExitCode = False,
    as_json: Json = False,
) -> None:
    """Compare two inference versions: what they are, metrics, size and latency."""
    from veml_cli.render.inferences import compared_lines
    from veml_vcs.repository.inferences.listing import compare_inferences

    with opened() as repo:
        found = compare_inferences(repo, a, b)
    show(found, compared_lines(found, out.width), as_json=as_json)
    if exit_code and found.differs:
        raise typer.Exit(DIFFERS)
