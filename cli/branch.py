"""``veml branch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import BranchCommand, Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.refs import Selection
    from veml_vcs.repository.repository import Repository

COMMAND_CLASS = BranchCommand
EXAMPLES = examples(
    ("list the branches", "veml branch -v"),
    ("make one where HEAD stands", "veml branch night"),
    ("delete one that is merged", "veml branch -d night"),
    ("rename the current one", "veml branch -m daylight"),
    ("those whose commits main does not have", "veml branch --no-merged main"),
)


def branch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="The branch, and where it starts; with -l, patterns."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="List remote-tracking branches too.")
    ] = False,
    remotes: Annotated[
        bool, typer.Option("--remotes", "-r", help="List remote-tracking branches alone.")
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", "-l", help="List branches like the given patterns.")
    ] = False,
    contains: Annotated[
        str | None, typer.Option("--contains", metavar="REV", help="List those that reach REV.")
    ] = None,
    merged: Annotated[
        str | None, typer.Option("--merged", metavar="REV", help="List those that REV reaches.")
    ] = None,
    no_merged: Annotated[
        str | None,
        typer.Option("--no-merged", metavar="REV", help="List those that REV does not reach."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show where each branch stands.")
    ] = False,
    delete: Annotated[bool, typer.Option("-d", "--delete", help="Delete merged branches.")] = False,
    delete_forced: Annotated[
        bool, typer.Option("-D", help="Delete branches, merged or not.")
    ] = False,
    move: Annotated[bool, typer.Option("-m", "--move", help="Rename: [OLD] NEW.")] = False,
    move_forced: Annotated[
        bool, typer.Option("-M", help="Rename, even if NEW exists: it is replaced.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Move or replace a branch that exists.")
    ] = False,
    show_current: Annotated[
        bool, typer.Option("--show-current", help="Show the name of the current branch.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """List, create, delete or rename branches."""
    from veml_vcs.repository.refs import Selection

    given = names or []
    filtered = any((contains, merged, no_merged))
    with opened() as repo:
        if show_current:
            out.write(repo.git.head().branch or "")
        elif delete or delete_forced:
            _delete(repo, given, force=force or delete_forced, quiet=quiet)
        elif move or move_forced:
            _rename(repo, given, force or move_forced)
        elif given and not (listing or filtered):
            _create(repo, given, force)
        else:
            selection = Selection(tuple(given), contains, merged, no_merged)
            _list(repo, (not remotes, everything or remotes), selection, verbose, as_json)


def _list(
    repo: Repository,
    sides: tuple[bool, bool],
    selection: Selection,
    verbose: bool,
    as_json: bool,
) -> None:
    from veml_cli.render.refs import branch_lines
    from veml_vcs.repository.refs import Selection, list_branches

    local, remote = sides
    found = list_branches(repo, local=local, remote=remote, selection=selection)
    whole = selection == Selection() and local
    lines = branch_lines(found, repo.git.head() if whole else None, verbose=verbose, bare=not local)
    show(found, lines, as_json=as_json)


def _create(repo: Repository, names: list[str], force: bool) -> None:
    from veml_vcs.repository.refs import create_branch

    if len(names) > 2:
        raise InvalidInputError(f"expected NAME and START, found {' '.join(names)}")
    create_branch(repo, *names, force=force)


def _delete(repo: Repository, names: list[str], *, force: bool, quiet: bool) -> None:
    from veml_cli.render.refs import deleted_line
    from veml_vcs.repository.refs import delete_branch

    if not names:
        raise InvalidInputError("which branch?", hint="veml branch -d NAME")
    for name in names:
        done = delete_branch(repo, name, force=force)
        if not quiet:
            out.write(deleted_line("branch", done))


def _rename(repo: Repository, names: list[str], force: bool) -> None:
    from veml_vcs.repository.refs import rename_branch

    current = repo.git.head().branch
    if len(names) == 1 and current is not None:
        names = [current, *names]
    if len(names) != 2:
        raise InvalidInputError("expected the new name, or the old and the new one")
    rename_branch(repo, names[0], names[1], force=force)
