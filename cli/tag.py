"""``veml tag``."""

from __future__ import annotations

from typing import Annotated

import typer

from veml_cli._options import Json, examples
from veml_cli._output import out, show
from veml_cli._session import opened
from veml_vcs.errors import InvalidInputError

EXAMPLES = examples(
    ("name the current commit", "veml tag v1.0"),
    ("with a message, and a tagger", 'veml tag -a v1.0 -m "first release"'),
    ("list the tags", "veml tag"),
)


def tag(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME|REV", help="The tag, and what it names."),
    ] = None,
    annotated: Annotated[
        bool, typer.Option("--annotate", "-a", help="Keep a message and the tagger; needs -m.")
    ] = False,
    message: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", metavar="MSG", help="The message; more are paragraphs."),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", "-d", help="Delete tags.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Move a tag that exists.")] = False,
    listing: Annotated[bool, typer.Option("--list", "-l", help="List the tags.")] = False,
    lines: Annotated[
        bool, typer.Option("-n", help="List the first line of each message too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List, create or delete tags."""
    from veml_cli._identity import from_environment
    from veml_cli.render.refs import deleted_line, tag_lines
    from veml_vcs.repository.refs import create_tag, delete_tag, list_tags

    given = names or []
    with opened() as repo:
        if delete:
            if not given:
                raise InvalidInputError("which tag?", hint="veml tag -d NAME")
            for name in given:
                out.write(deleted_line("tag", delete_tag(repo, name)))
        elif listing or not given:
            found = list_tags(repo)
            show(found, tag_lines(found, messages=lines), as_json=as_json)
        elif len(given) > 2:
            raise InvalidInputError(f"expected NAME and REV, found {' '.join(given)}")
        else:
            if annotated and not message:
                raise InvalidInputError("-a needs a message", hint="veml tag -a NAME -m MESSAGE")
            text = "\n\n".join(message) if message else None
            tagger = from_environment(repo, "COMMITTER")
            create_tag(repo, *given, message=text, tagger=tagger, force=force)
