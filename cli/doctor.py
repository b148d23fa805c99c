"""``veml doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, examples
from veml_cli._output import show
from veml_cli._progress import progress

EXAMPLES = examples(
    ("what is wrong here, and how to mend it", "veml doctor"),
    ("only the hooks, and who holds a lock", "veml doctor hooks locks"),
)


def doctor(
    checks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CHECK",
            help="Checks to run: python, packages, extras, git, identity, store, hooks, "
            "operations, locks, data, disk, filesystem.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check this machine and this repository, and say how to mend what is wrong.

    Tries the optional packages for good, so it takes some seconds. Nothing is changed: each
    finding ends with the line to type. Ends with 1 if something is broken; a warning alone ends
    with 0. Works outside a repository too.
    """
    from veml_cli.render.doctor import doctor_lines
    from veml_hooks.doctor import ALL_CHECKS
    from veml_vcs.repository.doctor import diagnose

    with progress() as report:
        found = diagnose(".", ALL_CHECKS, checks or (), progress=report)
    show(found, doctor_lines(found), as_json=as_json)
    if found.broken:
        raise typer.Exit(DIFFERS)
