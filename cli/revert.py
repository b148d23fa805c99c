"""``veml revert``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, NoEdit, Quiet, Side, choice, examples

EXAMPLES = examples(
    ("undo what the last commit did, in a new commit", "veml revert HEAD"),
    ("undo a merge: back to what its first parent had", "veml revert -m 1 HEAD"),
    ("after settling conflicts", "veml revert --continue"),
)


def revert(
    revisions: Annotated[
        list[str] | None, typer.Argument(metavar="REV", help="Commits, or ranges A..B of them.")
    ] = None,
    no_commit: Annotated[
        bool, typer.Option("--no-commit", "-n", help="Stage the changes, commit nothing.")
    ] = False,
    mainline: Annotated[
        int,
        typer.Option("--mainline", "-m", min=0, metavar="N", help="Of a merge: against parent N."),
    ] = 0,
    favour: Annotated[Side | None, typer.Option("-X", help="Side that settles conflicts.")] = None,
    no_edit: NoEdit = False,  # for the habit
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
    """Undo what commits did, in new commits.

    What changed since stays. Three-way, by sample and by box, as a merge. Ends with 1 if conflicts
    are left.
    """
    from veml_cli._replay import Asked, run
    from veml_vcs.repository.merging.replay import Options

    asked = Asked(revisions or (), go_on, skip, abort, leave, quiet, as_json)
    run("revert", asked, Options(no_commit, mainline, choice(favour)))
