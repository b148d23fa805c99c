"""Options that ``cherry-pick`` and ``revert`` share, as Git names them."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Side

NoCommit = Annotated[
    bool, typer.Option("--no-commit", "-n", help="Stage the changes, commit nothing.")
]
Mainline = Annotated[
    int, typer.Option("--mainline", "-m", min=0, metavar="N", help="Of a merge: against parent N.")
]
Favour = Annotated[Side | None, typer.Option("-X", help="Side that settles conflicts.")]
Continue = Annotated[
    bool, typer.Option("--continue", help="Commit what had conflicts, do the rest.")
]
Skip = Annotated[
    bool, typer.Option("--skip", help="Drop the commit that has conflicts, do the rest.")
]
Abort = Annotated[bool, typer.Option("--abort", help="Return to where HEAD was at the start.")]
Quit = Annotated[
    bool, typer.Option("--quit", help="Forget the rest; HEAD and files stay as they are.")
]
