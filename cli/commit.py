"""``veml commit``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import Json, Quiet, examples
from veml_cli._output import out, show
from veml_cli._session import working

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

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
    author: Annotated[
        str | None, typer.Option("--author", metavar="'NAME <EMAIL>'", help="Who wrote it.")
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="When it was written.")
    ] = None,
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
    from veml_cli._identity import author_from, from_environment, warn_if_unknown
    from veml_cli.render.simple import commit_lines
    from veml_hooks.here import run_hooks_here
    from veml_vcs.repository.commit import commit as run

    with working() as (repo, progress):
        text = given_message(message, file)
        if text is None and not no_edit and sys.stdin.isatty():
            text = _edited(repo, amend)
        run_hooks_here(repo)
        done = run(
            repo,
            text,
            all=everything,
            amend=amend,
            allow_empty=allow_empty,
            author=author_from(repo, author, date, amend=amend),
            committer=from_environment(repo, "COMMITTER"),
            no_verify=no_verify,
            progress=progress,
        )
        if author is None and not (quiet or amend):
            warn_if_unknown(repo)
    if as_json or not quiet:
        show(done, commit_lines(done), as_json=as_json)


def _edited(repo: Repository, amend: bool) -> str:
    """Let the user write the message, with the status below it."""
    from veml_cli._editor import edit_message
    from veml_cli.render.status import long_lines
    from veml_vcs.repository.log import log
    from veml_vcs.repository.status import status

    prepared = (repo.git.read_state("MERGE_MSG") or b"").decode("utf-8", "replace")
    if amend and not prepared:
        prepared = next((one.message for one in log(repo, limit=1, data=False)), "")
    found = status(repo, untracked=False)
    remarks = [
        "Please enter the commit message for your changes. Lines starting",
        "with '#' will be ignored, and an empty message aborts the commit.",
        "",
        *(one.plain for one in long_lines(found, (), lambda path: path)),
    ]
    out.note("waiting for your editor")
    return edit_message(repo, prepared, remarks)
