"""``veml cherry-pick``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, choice, examples
from veml_cli._replay_options import Abort, Continue, Favour, Mainline, NoCommit, Quit, Skip

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
    no_commit: NoCommit = False,
    note_origin: Annotated[
        bool, typer.Option("-x", help="Add the commit's id to the message.")
    ] = False,
    mainline: Mainline = 0,
    favour: Favour = None,
    go_on: Continue = False,
    skip: Skip = False,
    abort: Abort = False,
    leave: Quit = False,
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
