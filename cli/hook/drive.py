"""``veml hook drive``, for the drivers in ``.git/config``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import examples

HIDDEN = True
EXAMPLES = examples(("what git calls for a diff", "veml hook drive textconv images/train.veml"))


def drive(
    what: Annotated[str, typer.Argument(metavar="DRIVER", help="merge, textconv, ...")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARG]...", help="What git gave it.")
    ] = None,
) -> None:
    """Run a merge or diff driver, as git does."""
    from veml_hooks.__main__ import run_driver

    raise typer.Exit(run_driver(what, arguments or []))
