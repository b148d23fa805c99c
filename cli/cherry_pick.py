"""``veml cherry-pick``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, Side, choice, examples

EXAMPLES = examples(
    ("do here what a commit did elsewhere", "veml cherry-pick night"),
    ("several, and say where they come from", "veml cherry-pick -x main~2..main"),
    ("after settling conflicts", "veml cherry-pick --continue"),
    ("give up", "veml cherry-pick --abort"),
)


def cherry_pick(
    revisions: Annotated[
        list[str] | None, typer.Argument(metavar="REV", help="Commits, or ranges A..B of them.")
    ] = None,
    no_commit: Annotated[
        bool, typer.Option("--no-commit", "-n", help="Stage the changes, commit nothing.")
    ] = False,
    note_origin: Annotated[
        bool, typer.Option("-x", help="Add the commit's id to the message.")
    ] = False,
    mainline: Annotated[
        int,
        typer.Option("--mainline", "-m", min=0, metavar="N", help="Of a merge: against parent N."),
    ] = 0,
    favour: Annotated[Side | None, typer.Option("-X", help="Side that settles conflicts.")] = None,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Commit what had conflicts, do the rest.")
    ] = False,
    skip: Annotated[
        bool, typer.Option("--skip", help="Drop the commit that has conflicts, do the rest.")
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Return to where HEAD was at the start.")
    ] = False,
    leave: Annotated[
        bool, typer.Option("--quit", help="Forget the rest; HEAD and files stay as they are.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Do here what commits did elsewhere.

    Three-way, by sample and by box, as a merge. Ends with 1 if conflicts are left.
    """
    from veml_cli._replay import Asked, run
    from veml_vcs.repository.merging.replay import Options

    asked = Asked(revisions or (), go_on, skip, abort, leave, quiet, as_json)
    run("cherry-pick", asked, Options(no_commit, mainline, choice(favour), note_origin))
