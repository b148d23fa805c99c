"""Arguments that several inference commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Inference = Annotated[
    str,
    typer.Argument(
        metavar="INFERENCE[@REV]", help="An inference version: as staged, or as a commit has it."
    ),
]
