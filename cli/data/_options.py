"""Options and arguments that several data commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Spec = Annotated[
    str, typer.Argument(metavar="SPEC", help="PATH (as staged), REV:PATH or PATH@REV.")
]
Rev = Annotated[
    str | None, typer.Option("--rev", metavar="REV", help="The revision, instead of in SPEC.")
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="NAME", help="Stage the result as this data set."),
]
Replace = Annotated[
    bool, typer.Option("--force", "-f", help="Replace the data set --to NAME that is there.")
]
NoCheckout = Annotated[
    bool, typer.Option("--no-checkout", help="Leave the folder on disk as it is.")
]
