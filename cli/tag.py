"""``veml tag``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from veml_cli._options import BranchCommand, Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_vcs.errors import InvalidInputError

if TYPE_CHECKING:
    from veml_vcs.repository.repository import Repository

COMMAND_CLASS = BranchCommand
EXAMPLES = examples(
    ("name the current commit", "veml tag v1.0"),
    ("with a message, and a tagger", 'veml tag -a v1.0 -m "first release"'),
    ("list the tags", "veml tag"),
    ("those like a pattern, with their messages", "veml tag -n -l 'v1.*'"),
)


def tag(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME|REV", help="The tag, and what it names."),
    ] = None,
    annotated: Annotated[
        bool, typer.Option("--annotate", "-a", help="Keep a message and the tagger.")
    ] = False,
    message: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", metavar="MSG", help="The message; more are paragraphs."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-F", metavar="FILE", help="Read the message; - is stdin."),
    ] = None,
    contains: Annotated[
        str | None, typer.Option("--contains", metavar="REV", help="List those that reach REV.")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", "-d", help="Delete tags.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Move a tag that exists.")] = False,
    listing: Annotated[
        bool, typer.Option("--list", "-l", help="List tags like the given patterns.")
    ] = False,
    lines: Annotated[
        bool, typer.Option("-n", help="List the first line of each message too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List, create or delete tags."""
    from veml_cli._editor import given_message
    from veml_cli._identity import from_environment
    from veml_cli.render.refs import deleted_line, tag_lines
    from veml_vcs.repository.refs import Selection, create_tag, delete_tag, list_tags

    given = names or []
    with opened() as repo:
        if delete:
            if not given:
                raise InvalidInputError("which tag?", hint="veml tag -d NAME")
            for name in given:
                out.write(deleted_line("tag", delete_tag(repo, name)))
        elif listing or contains or not given:
            found = list_tags(repo, Selection(tuple(given), contains))
            show(found, tag_lines(found, messages=lines), as_json=as_json)
        elif len(given) > 2:
            raise InvalidInputError(f"expected NAME and REV, found {' '.join(given)}")
        else:
            text = given_message(message, file)
            if annotated and text is None:
                text = _edited(repo, given[0])
            tagger = from_environment(repo, "COMMITTER", strict=text is not None)
            create_tag(repo, *given, message=text, tagger=tagger, force=force)


def _edited(repo: Repository, name: str) -> str:
    """Let the user write the message.

    Raises:
        InvalidInputError: There is no terminal to write it in.
    """
    from veml_cli._editor import edit_message

    if not sys.stdin.isatty():
        raise InvalidInputError("-a needs a message", hint=f"veml tag -a {name} -m MESSAGE")
    out.note("waiting for your editor")
    remarks = ["", f"Write a message for the tag {name}.", "Lines starting with '#' are ignored."]
    return edit_message(repo, "", remarks)
