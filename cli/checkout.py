"""``veml checkout``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Force, Json, PathCommand, Quiet, after_separator, examples
from veml_cli._output import show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from veml_vcs.repository.progress import Progress
    from veml_vcs.repository.repository import Repository

COMMAND_CLASS = PathCommand
EXAMPLES = examples(
    ("another branch: data, annotations and files change together", "veml checkout night"),
    ("a new branch", "veml checkout -b night"),
    ("data folders along to where plain git went", "veml checkout"),
    ("a branch, records and code alone", "veml checkout --no-data night"),
    ("one data set as it was three commits ago", "veml checkout HEAD~3 -- images/train"),
    ("throw away what is not staged of a sample", "veml checkout images/train/0001.jpg"),
)


def checkout(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="TARGET", help="A branch or revision, or -- and paths."),
    ] = None,
    create: Annotated[
        str | None, typer.Option("-b", metavar="NAME", help="Create this branch at TARGET or HEAD.")
    ] = None,
    reset: Annotated[
        str | None, typer.Option("-B", metavar="NAME", help="The same; moves one that exists.")
    ] = None,
    force: Force = False,
    no_data: Annotated[
        bool, typer.Option("--no-data", help="Leave all data out of the work tree from now on.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Detach HEAD even if TARGET is a branch.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Switch to a branch or commit, or bring paths back from one.

    Uncommitted changes are carried over; where they would be lost, nothing is done. - is the
    previous branch. Without arguments, data folders are brought to the records that git put into
    the work tree; ends with 1 if one could not be.
    """
    from veml_cli._switching import Target, switch_to

    given, paths = arguments or [], after_separator(context)
    with working() as (repo, progress):
        if no_data:
            _leave_out(repo, given, paths, create, progress)
        if paths is not None:
            if create or reset:
                raise InvalidInputError("-b makes a branch of everything, not of paths")
            _restore(repo, given, paths, quiet, as_json, progress)
            return
        if not given and not (create or reset or detach or force):
            _bring_along(repo, quiet, as_json, progress)
            return
        if not given and not (create or reset or detach):
            raise InvalidInputError("which branch?", hint="veml checkout NAME")
        if not (create or reset or detach) and (found := _paths_among(repo, given)):
            _restore(repo, *found, quiet, as_json, progress)
            return
        if len(given) > 1:
            raise InvalidInputError(
                f"expected one branch or revision, found {' '.join(given)}",
                hint="paths go after --: veml checkout REV -- PATH",
            )
        name = create or reset
        target = Target(given[0] if given else None, name, reset=reset is not None, detach=detach)
        done, lines = switch_to(repo, target, force=force, progress=progress)
    if as_json or not quiet:
        show(done, lines, as_json=as_json)


def _leave_out(
    repo: Repository,
    given: list[str],
    paths: list[str] | None,
    create: str | None,
    progress: Progress,
) -> None:
    from veml_vcs.repository.checkout import check_new_branch, remote_branch
    from veml_vcs.repository.sparse.verbs import sparse_set

    if paths is not None or len(given) > 1 or (given and _paths_among(repo, given)):
        raise InvalidInputError("--no-data is about the whole work tree, not about paths")
    # Data goes first, so that none of the target's is written; but not for a misspelt name.
    if given and given[0] != "-" and remote_branch(repo, given[0]) is None:
        repo.resolve(given[0])
    if create is not None:
        check_new_branch(repo, create)
    sparse_set(repo, (), None, progress=progress)


def _bring_along(repo: Repository, quiet: bool, as_json: bool, progress: Progress) -> None:
    from veml_cli.render.simple import followed_lines
    from veml_vcs.repository.worktree.follow import follow

    with repo.lock("veml checkout"):
        done = follow(repo, progress=progress)
    if as_json or not quiet:
        show(done, followed_lines(done), as_json=as_json)
    if done.left:
        raise typer.Exit(DIFFERS)


def _paths_among(repo: Repository, given: list[str]) -> tuple[list[str], list[str]] | None:
    """Return revision and paths where, as Git guesses, paths are meant; None if a branch is."""
    from veml_cli._revisions import is_path
    from veml_vcs.repository.checkout import remote_branch

    first, rest = given[0], given[1:]
    if first == "-":
        return None
    try:
        repo.resolve(first)
        revision = [first]
    except (NotFoundError, InvalidInputError):
        if remote_branch(repo, first) is not None or not is_path(repo, first):
            return None
        revision, rest = [], given
    return (revision, rest) if rest and all(is_path(repo, one) for one in rest) else None


def _restore(
    repo: Repository,
    given: list[str],
    paths: list[str],
    quiet: bool,
    as_json: bool,
    progress: Progress,
) -> None:
    from veml_cli.render.simple import restored_lines
    from veml_vcs.repository.restore import restore

    if len(given) > 1:
        raise InvalidInputError(f"expected one revision before --, found {' '.join(given)}")
    if not paths:
        raise InvalidInputError("no paths after --")
    source = given[0] if given else None
    # As in Git, from a revision the index is brought back too; from the index, the files alone.
    done = restore(repo, paths, source=source, staged=source is not None, progress=progress)
    if as_json or not quiet:
        show(done, restored_lines(done), as_json=as_json)
