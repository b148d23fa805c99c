"""``veml reset``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, PathCommand, Quiet, after_separator, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.progress import Progress
    from veml_vcs.repository.repository import Repository
    from veml_vcs.repository.reset import Mode

COMMAND_CLASS = PathCommand
EXAMPLES = examples(
    ("unstage everything, keep the work tree", "veml reset"),
    ("unstage one data set", "veml reset -- images/train"),
    ("take the last commit back, keep its changes staged", "veml reset --soft HEAD~1"),
    ("throw all uncommitted changes away", "veml reset --hard"),
)


def reset(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="REV|PATH", help="Where to (HEAD), or paths to unstage."),
    ] = None,
    soft: Annotated[bool, typer.Option("--soft", help="Move HEAD alone.")] = False,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Move HEAD and the index (the default).")
    ] = False,
    hard: Annotated[
        bool,
        typer.Option("--hard", help="Move HEAD, index and work tree: changes are thrown away."),
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Move the branch to a commit, or unstage paths.

    ORIG_HEAD and main@{1} name where the branch was before.
    """
    from veml_cli._revisions import split_arguments

    if soft + mixed + hard > 1:
        raise InvalidInputError("expected one of --soft, --mixed and --hard")
    mode: Mode = "soft" if soft else "hard" if hard else "mixed"
    with working() as (repo, progress):
        revisions, paths = split_arguments(repo, arguments or [], after_separator(context))
        if len(revisions) > 1:
            raise InvalidInputError(f"expected one revision, found {' '.join(revisions)}")
        revision = revisions[0] if revisions else "HEAD"
        if paths:
            if soft or hard:
                raise InvalidInputError(
                    f"--{mode} with paths makes no sense",
                    hint="veml restore -SW PATH throws changes of paths away",
                )
            _unstage(repo, revision, paths, quiet, as_json, progress)
        else:
            _move(repo, revision, mode, quiet, as_json, progress)


def _unstage(
    repo: Repository,
    revision: str,
    paths: list[str],
    quiet: bool,
    as_json: bool,
    progress: Progress,
) -> None:
    from veml_cli.render.reset import loose_lines
    from veml_vcs.repository.restore import restore
    from veml_vcs.repository.status import status

    full = [repo.absolute(path) for path in paths]
    done = restore(repo, full, source=revision, staged=True, worktree=False, progress=progress)
    if as_json:
        out.write_json(done)
    elif not quiet:
        out.write_lines(loose_lines(status(repo, untracked=False)))


def _move(
    repo: Repository, revision: str, mode: Mode, quiet: bool, as_json: bool, progress: Progress
) -> None:
    from veml_cli.render.reset import loose_lines, reset_lines
    from veml_vcs.repository.reset import reset as run
    from veml_vcs.repository.status import status

    done = run(repo, revision, mode=mode, progress=progress)
    if as_json or not quiet:
        show(done, reset_lines(done), as_json=as_json)
    if mode == "mixed" and not (quiet or as_json):
        out.write_lines(loose_lines(status(repo, untracked=False)))
