"""``veml switch``."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError, NotFoundError

EXAMPLES = examples(
    ("another branch", "veml switch night"),
    ("a new branch, from a tag", "veml switch -c night v1.0"),
    ("back to where you were", "veml switch -"),
)


def switch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="A branch; - is the previous.")
    ] = None,
    create: Annotated[
        str | None,
        typer.Option("--create", "-c", metavar="NAME", help="Create this branch first."),
    ] = None,
    reset: Annotated[
        str | None,
        typer.Option("--force-create", "-C", metavar="NAME", help="Create it, or move it here."),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Allow a revision that is no branch.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", "-f", "--discard-changes", help="Throw away uncommitted changes in the way."
        ),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Switch to a branch.

    Refused while a merge, cherry-pick, revert or rebase waits, with --force too, as in Git.
    """
    from veml_cli._switching import Target, switch_to
    from veml_vcs.repository.revisions import previous_branch

    given = names or []
    if len(given) > 1 or not (given or create or reset) or (create and reset):
        raise InvalidInputError("expected one branch", hint="veml switch NAME, or switch -c NAME")
    name = given[0] if given else None
    with working() as (repo, progress):
        if name == "-":
            name = previous_branch(repo.git)
            detach = detach or name not in repo.git.branches()
        elif name is not None and not (create or reset or detach):
            _refuse_commit(name, repo.git.branches(), repo.git.tags())
        target = Target(name, create or reset, reset=reset is not None, detach=detach)
        done, lines = switch_to(repo, target, force=force, while_waiting=False, progress=progress)
    if as_json or not quiet:
        show(done, lines, as_json=as_json)


def _refuse_commit(name: str, branches: Container[str], tags: Container[str]) -> None:
    """Refuse what is surely no branch: switch never detaches HEAD by accident."""
    if name in branches:
        return
    hexadecimal = not name.strip("0123456789abcdef") and len(name) >= 4
    if name in tags or hexadecimal or any(mark in name for mark in "~^@:"):
        raise NotFoundError(
            f"a branch is expected, found {name!r}", hint=f"veml switch --detach {name}",
            kind="unknown-revision",
        )  # fmt: skip
