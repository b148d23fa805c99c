"""``veml stash``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._errors import DIFFERS
from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import paged, working

if TYPE_CHECKING:
    from veml_vcs.repository.progress import Progress
    from veml_vcs.repository.repository import Repository

EXAMPLES = examples(
    ("put uncommitted changes aside, data included", "veml stash"),
    ("the same, with a name, and untracked files too", 'veml stash push -u -m "half labelled"'),
    ("bring the last back", "veml stash pop"),
    ("what there is, and what is in it", "veml stash list"),
    ("its boxes", "veml stash show -p stash@{0}"),
)


class Action(StrEnum):
    """What to do with stashes."""

    PUSH = "push"
    POP = "pop"
    APPLY = "apply"
    LIST = "list"
    SHOW = "show"
    DROP = "drop"
    CLEAR = "clear"


def stash(
    action: Annotated[
        Action, typer.Argument(help="push (the default), pop, apply, list, show, drop or clear.")
    ] = Action.PUSH,
    name: Annotated[
        str | None, typer.Argument(metavar="STASH", help="stash@{N} or N; the newest is 0.")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", metavar="MSG", help="What is put aside.")
    ] = None,
    untracked: Annotated[
        bool,
        typer.Option("--include-untracked", "-u", help="push: untracked ordinary files too."),
    ] = False,
    index: Annotated[
        bool, typer.Option("--index", help="pop, apply: stage again what was staged.")
    ] = False,
    patch: Annotated[
        bool, typer.Option("--patch", "-p", help="show: every sample, box and line.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put uncommitted changes aside, and bring them back.

    Stashes are Git's: git stash list shows them. A stash that contradicts what changed since comes
    back as a merge: ends with 1 if conflicts are left, and the stash is kept.
    """
    from veml_vcs.repository.stashing.stash import list_stashes

    with working() as (repo, progress):
        if action is Action.PUSH:
            _push(repo, message or name, untracked, quiet, as_json, progress)
        elif action is Action.LIST:
            from veml_cli.render.stash import list_lines

            found = list_stashes(repo)
            show(found, list_lines(found), as_json=as_json)
        elif action is Action.SHOW:
            _show(repo, name, patch, as_json)
        elif action in (Action.DROP, Action.CLEAR):
            _drop(repo, name, action is Action.CLEAR, quiet, as_json)
        else:
            _apply(repo, name, action is Action.POP, index, quiet, as_json, progress)


def _push(
    repo: Repository,
    message: str | None,
    untracked: bool,
    quiet: bool,
    as_json: bool,
    progress: Progress,
) -> None:
    from veml_cli._identity import from_environment
    from veml_vcs.repository.stashing.push import push

    who = from_environment(repo, "COMMITTER", strict=False)
    made = push(repo, message, untracked=untracked, who=who, progress=progress)
    if as_json:
        out.write_json(made)
    elif not quiet:
        out.write(
            "No local changes to save" if made is None else
            f"Saved working directory and index state {made.message}"
        )  # fmt: skip


def _show(repo: Repository, name: str | None, patch: bool, as_json: bool) -> None:
    from veml_cli.diff import DEFAULT_SAMPLES
    from veml_cli.render.diff import diff_lines
    from veml_cli.render.diff_stat import stat_lines
    from veml_vcs.repository.stashing.stash import show as run

    found = run(repo, name)
    with paged(repo, unless=as_json):
        if as_json:
            out.write_json(found)
        elif patch:
            out.write_lines(diff_lines(found, DEFAULT_SAMPLES, out.width))
        else:
            out.write_lines(stat_lines(found, out.width))


def _drop(repo: Repository, name: str | None, every: bool, quiet: bool, as_json: bool) -> None:
    from veml_vcs.repository.stashing.stash import clear, drop

    gone = clear(repo) if every else [drop(repo, name)]
    if as_json:
        out.write_json(gone)
    elif not (quiet or every):
        out.write(f"Dropped {gone[0].name} ({gone[0].commit})")


def _apply(
    repo: Repository,
    name: str | None,
    drop_it: bool,
    index: bool,
    quiet: bool,
    as_json: bool,
    progress: Progress,
) -> None:
    from veml_cli.render.stash import applied_lines
    from veml_cli.render.status import long_lines
    from veml_vcs.repository.stashing.stash import apply
    from veml_vcs.repository.status import status

    done = apply(repo, name, drop_it=drop_it, index=index, progress=progress)
    clean = not (done.conflicts or done.files)
    if as_json:
        out.write_json(done)
    elif not quiet:
        if clean:
            out.write_lines(long_lines(status(repo, untracked=False), (), lambda path: path))
        out.write_lines(applied_lines(done))
    if not clean:
        raise typer.Exit(DIFFERS)
