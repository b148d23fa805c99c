"""``veml branch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.refs import NamedCommit
    from veml_vcs.repository.repository import Repository

EXAMPLES = examples(
    ("list the branches", "veml branch -v"),
    ("make one where HEAD stands", "veml branch night"),
    ("delete one that is merged", "veml branch -d night"),
    ("rename the current one", "veml branch -m daylight"),
)


def branch(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="The branch, and where it starts."),
    ] = None,
    remotes: Annotated[
        bool, typer.Option("--all", "-a", help="List remote-tracking branches too.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show where each branch stands.")
    ] = False,
    delete: Annotated[bool, typer.Option("-d", "--delete", help="Delete merged branches.")] = False,
    delete_forced: Annotated[
        bool, typer.Option("-D", help="Delete branches, merged or not.")
    ] = False,
    move: Annotated[bool, typer.Option("-m", "--move", help="Rename: [OLD] NEW.")] = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Move or replace a branch that exists.")
    ] = False,
    show_current: Annotated[
        bool, typer.Option("--show-current", help="Show the name of the current branch.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List, create, delete or rename branches."""
    given = names or []
    with opened() as repo:
        if show_current:
            out.write(repo.git.head().branch or "")
        elif delete or delete_forced:
            _delete(repo, given, force=force or delete_forced)
        elif move:
            _rename(repo, given, force)
        elif given:
            _create(repo, given, force)
        else:
            _list(repo, remotes, verbose, as_json)


def _list(repo: Repository, remotes: bool, verbose: bool, as_json: bool) -> None:
    from veml_cli._git import remote_branches
    from veml_cli.render.refs import branch_lines
    from veml_vcs.repository.refs import list_branches

    found = list_branches(repo)
    if remotes:
        found += [_remote(repo, name, sha) for name, sha in remote_branches(repo).items()]
    head = repo.git.head()
    show(found, branch_lines(found, head, verbose=verbose), as_json=as_json)


def _remote(repo: Repository, name: str, sha: str) -> NamedCommit:
    from veml_vcs.ids import CommitId
    from veml_vcs.repository.refs import NamedCommit

    message = repo.git.commit(CommitId(sha)).message.decode("utf-8", "replace")
    return NamedCommit(f"remotes/{name}", CommitId(sha), message.split("\n", 1)[0])


def _create(repo: Repository, names: list[str], force: bool) -> None:
    from veml_vcs.repository.refs import create_branch

    if len(names) > 2:
        raise InvalidInputError(f"expected NAME and START, found {' '.join(names)}")
    create_branch(repo, *names, force=force)


def _delete(repo: Repository, names: list[str], *, force: bool) -> None:
    from veml_cli.render.refs import deleted_line
    from veml_vcs.repository.refs import delete_branch

    if not names:
        raise InvalidInputError("which branch?", hint="veml branch -d NAME")
    for name in names:
        out.write(deleted_line("branch", delete_branch(repo, name, force=force)))


def _rename(repo: Repository, names: list[str], force: bool) -> None:
    from veml_vcs.repository.refs import rename_branch

    current = repo.git.head().branch
    if len(names) == 1 and current is not None:
        names = [current, *names]
    if len(names) != 2:
        raise InvalidInputError("expected the new name, or the old and the new one")
    rename_branch(repo, names[0], names[1], force=force)
