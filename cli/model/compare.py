"""``veml model compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._records import ExitCode
from veml_cli._session import opened
from veml_cli.model._options import AllKeys

EXAMPLES = examples(
    ("two models, fact by fact", "veml model compare detector small"),
    ("what became of one since v1.0, every key", "veml model compare detector@v1.0 detector -c"),
)


def compare(
    a: Annotated[str, typer.Argument(metavar="NAME[@REV]", help="A model.")],
    b: Annotated[str, typer.Argument(metavar="NAME[@REV]", help="Another, or at another commit.")],
    config: AllKeys = False,
    exit_code: ExitCode = False,
    as_json: Json = False,
) -> None:
    """Compare two models by what they are: a table of facts, and with --config key by key."""
    from veml_cli.render.models import compared_lines
    from veml_vcs.repository.models.listing import compare_models

    with opened() as repo:
        found = compare_models(repo, a, b)
    show(found, compared_lines(found, out.width, config=config), as_json=as_json)
    if exit_code and found.differs:
        raise typer.Exit(DIFFERS)
