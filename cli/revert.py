"""``veml revert``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, NoEdit, Quiet, choice, examples
from veml_cli._replay_options import Abort, Continue, Favour, Mainline, NoCommit, Quit, Skip

EXAMPLES = examples(
    ("undo what the last commit did, in a new commit", "veml revert HEAD"),
    ("undo a merge: back to what its first parent had", "veml revert -m 1 HEAD"),
    ("after settling conflicts", "veml revert --continue"),
)


def revert(
    revisions: Annotated[
        list[str] | None, typer.Argument(metavar="REV", help="Commits, or ranges A..B of them.")
    ] = None,
    no_commit: NoCommit = False,
    mainline: Mainline = 0,
    favour: Favour = None,
    no_edit: NoEdit = False,  # for the habit
    go_on: Continue = False,
    skip: Skip = False,
    abort: Abort = False,
    leave: Quit = False,
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
