"""Options that the commands which train share: ``train``, ``transfer``, ``rebuild``."""

from __future__ import annotations

from typing import Annotated

import typer

Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, metavar="N", help="Passes over the data.")
]
Iterations = Annotated[
    int | None, typer.Option("--iterations", min=1, metavar="N", help="Steps, of a batch each.")
]
Val = Annotated[
    str | None,
    typer.Option("--val", metavar="DATA[@REV]", help="Measure on this data version."),
]
ValSplit = Annotated[
    str,
    typer.Option(
        "--val-split",
        metavar="PART",
        help="Hold back this part: a fraction, or the name of a split of the data set.",
    ),
]
Anew = Annotated[
    bool,
    typer.Option("--force", "-f", help="Throw away what an unfinished training has done."),
]
Trust = Annotated[bool, typer.Option("--trust", help="Let the config run code of its author's.")]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic/--no-deterministic", help="Take only algorithms that repeat exactly."
    ),
]
Workers = Annotated[
    int, typer.Option("--workers", min=0, metavar="N", help="Processes that load images.")
]
