"""``veml commit``."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

_TRAILER = re.compile(r"[\w-]+: .+")
EXAMPLES = examples(
    ("commit what is staged", 'veml commit -m "first drive"'),
    ("first add every tracked data set and file that changed", 'veml commit -am "new labels"'),
    ("correct the last message", 'veml commit --amend -m "second drive"'),
)


def commit(
    message: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", metavar="MSG", help="The message; more are paragraphs."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-F", metavar="FILE", help="Read the message; - is stdin."),
    ] = None,
    fixup: Annotated[
        str | None,
        typer.Option("--fixup", metavar="REV", help="The message marks a correction of REV."),
    ] = None,
    squash: Annotated[
        str | None,
        typer.Option("--squash", metavar="REV", help="The same, for git rebase --autosquash."),
    ] = None,
    reuse: Annotated[
        str | None,
        typer.Option("--reuse-message", "-C", metavar="REV", help="Message and author of REV."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="First add tracked data and files that changed.")
    ] = False,
    amend: Annotated[bool, typer.Option("--amend", help="Replace the last commit.")] = False,
    no_edit: Annotated[
        bool, typer.Option("--no-edit", help="Take the prepared message without the editor.")
    ] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Commit even if nothing changed.")
    ] = False,
    signoff: Annotated[
        bool, typer.Option("--signoff", "-s", help="Add a Signed-off-by line of the committer.")
    ] = False,
    author: Annotated[
        str | None, typer.Option("--author", metavar="'NAME <EMAIL>'", help="Who wrote it.")
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="When it was written.")
    ] = None,
    reset_author: Annotated[
        bool, typer.Option("--reset-author", help="With --amend: you are the author, now.")
    ] = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", "-n", help="Do not run the Git hooks.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make what is staged a commit.

    Without a message, Git's editor is opened. Git's variables (GIT_AUTHOR_NAME, GIT_AUTHOR_DATE,
    GIT_COMMITTER_DATE, GIT_EDITOR...) are respected.
    """
    from veml_cli._editor import given_message
    from veml_cli._identity import author_from, from_environment, warn_if_guessed
    from veml_cli.render.simple import commit_lines
    from veml_hooks.here import run_hooks_here
    from veml_vcs.repository.commit import author_of
    from veml_vcs.repository.commit import commit as run

    if reset_author and (not amend or author is not None):
        raise InvalidInputError("--reset-author goes with --amend, and not with --author")
    with working() as (repo, progress):
        text = given_message(message, file)
        by = author_from(repo, author, date, amend=amend and not reset_author)
        if fixup or squash or reuse:
            text = _made_from(repo, text, fixup, squash, reuse)
        if reuse and author is None and not reset_author:
            by = author_of(repo, repo.resolve(reuse))
        if text is None and not no_edit and sys.stdin.isatty():
            text = _edited(repo, amend)
        if signoff:
            text = _signed(repo, _prepared(repo, amend) if text is None else text)
        run_hooks_here(repo)
        done = run(
            repo,
            text,
            all=everything,
            amend=amend,
            allow_empty=allow_empty,
            author=by,
            committer=from_environment(repo, "COMMITTER"),
            no_verify=no_verify,
            progress=progress,
        )
        if not quiet:
            warn_if_guessed(repo)
    if as_json or not quiet:
        show(done, commit_lines(done), as_json=as_json)


def _made_from(
    repo: Repository, text: str | None, fixup: str | None, squash: str | None, reuse: str | None
) -> str:
    """Return the message that is made from another commit's.

    Raises:
        InvalidInputError: Two are named, or a message beside one that is taken whole.
    """
    from veml_vcs.repository.log import entry_of

    named = [one for one in (fixup, squash, reuse) if one is not None]
    if len(named) > 1 or (reuse is not None and text is not None):
        raise InvalidInputError("expected one of -m, -C, --fixup and --squash")
    other = entry_of(repo, repo.resolve(named[0]))
    if reuse is not None:
        return other.message
    mark = "fixup!" if fixup is not None else "squash!"
    return f"{mark} {other.subject}" + (f"\n\n{text}" if text else "")


def _prepared(repo: Repository, amend: bool) -> str:
    """Return the message that Git has prepared, or that of the commit to be amended."""
    from veml_vcs.repository.log import log
    from veml_vcs.repository.merging.squash import prepared_message

    prepared = prepared_message(repo.git)
    if amend and not prepared:
        prepared = next((one.message for one in log(repo, limit=1, data=False)), "")
    return prepared


def _signed(repo: Repository, text: str) -> str:
    """Return a message with the committer's Signed-off-by as its last trailer, once."""
    from veml_cli._identity import from_environment

    who = from_environment(repo, "COMMITTER").identity
    lines = text.strip().splitlines()
    trailer = f"Signed-off-by: {who}"
    if not lines or trailer in lines[-1:]:
        return text
    last = text.strip().split("\n\n")[-1].splitlines()
    follows = len(last) < len(lines) and all(_TRAILER.fullmatch(one) for one in last)
    return "\n".join([*lines, *([] if follows else [""]), trailer]) + "\n"


def _edited(repo: Repository, amend: bool) -> str:
    """Let the user write the message, with the status below it."""
    from veml_cli._editor import edit_message
    from veml_cli.render.status import long_lines
    from veml_vcs.repository.status import status

    found = status(repo, untracked=False)
    remarks = [
        "Please enter the commit message for your changes. Lines starting",
        "with '#' will be ignored, and an empty message aborts the commit.",
        "",
        *(one.plain for one in long_lines(found, (), lambda path: path)),
    ]
    out.note("waiting for your editor")
    return edit_message(repo, _prepared(repo, amend), remarks)
