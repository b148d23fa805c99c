"""Arguments that several model commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Model = Annotated[
    str, typer.Argument(metavar="NAME[@REV]", help="A model: as staged, or as a commit has it.")
]
AllKeys = Annotated[
    bool, typer.Option("--config", "-c", help="Also each key of the config, not the facts alone.")
]
