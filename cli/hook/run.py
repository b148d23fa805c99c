"""``veml hook run``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import examples

EXAMPLES = examples(
    ("from a hook file of your own", 'veml hook run pre-commit "$@"'),
    ("bring data folders along by hand", "veml hook run post-checkout"),
)


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The hook.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARG]...", help="What git gave it.")
    ] = None,
) -> None:
    """Do what one git hook does; for hook files, and for hook managers.

    Ends with 1 where git shall stop, else with 0.
    """
    from veml_hooks.__main__ import run_hook

    raise typer.Exit(run_hook(name, arguments or []))
