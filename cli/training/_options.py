"""Arguments that several training commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Training = Annotated[
    str,
    typer.Argument(metavar="TRAINING[@REV]", help="A training: as staged, or as a commit has it."),
]
Name = Annotated[str, typer.Option("--name", metavar="TRAINING", help="The new training's name.")]
Config = Annotated[
    bool, typer.Option("--config", "-c", help="Also each key of the config that ran.")
]
Overwrite = Annotated[
    bool, typer.Option("--force", "-f", help="Overwrite a version that no commit has.")
]
