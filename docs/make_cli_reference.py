"""Write ``docs/cli.md``, the reference of the command line, from the commands themselves.

``python docs/make_cli_reference.py`` writes the page; with ``--check`` it writes nothing and fails
if the page differs from what the commands say now. The text is that of ``--help`` and nothing else,
so what is missing on the page is missing in the help.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from veml_cli.main import app as veml_app

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter

PAGE = Path(__file__).resolve().parent / "cli.md"

INTRODUCTION = """\
# Command line reference

Written by `docs/make_cli_reference.py` from the commands themselves; do not edit.
`veml COMMAND --help` shows the same text.
"""


def render(app: typer.Typer, program: str = "veml") -> str:
    """Return the reference of a typer application as Markdown, one section a command."""
    root = typer.main.get_command(app)
    sections = [_section(command, context) for command, context in _walk(root, program)]
    return "\n".join([INTRODUCTION, *sections])


def _walk(
    command: Command, name: str, parent: Context | None = None
) -> Iterator[tuple[Command, Context]]:
    """Yield a command and all below it that are not hidden, in the order ``--help`` lists them."""
    # Contexts carry the full name ("veml lineage show") and the defaults of groups.
    context = typer.Context(command, info_name=name, parent=parent)
    yield command, context
    for child_name, child in _children(command, context):
        yield from _walk(child, child_name, context)


def _children(command: Command, context: Context) -> Iterator[tuple[str, Command]]:
    """Yield the commands right below a group that are not hidden; none for a plain command."""
    if isinstance(command, typer.core.TyperGroup):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield name, child


def _section(command: Command, context: Context) -> str:
    """Return what one command's ``--help`` says."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {context.command_path}", "", _prose(command.help or ""), "", f"    {usage}", ""]
    records = [
        record
        for parameter in command.get_params(context)
        if (record := _record(parameter, context)) is not None
    ]
    if records:
        lines += ["| argument or option | meaning |", "| --- | --- |"]
        lines += [f"| `{_cell(names)}` | {_cell(meaning)} |" for names, meaning in records]
        lines.append("")
    children = [(name, child.get_short_help_str(80)) for name, child in _children(command, context)]
    if children:
        lines += ["| command | what it does |", "| --- | --- |"]
        lines += [f"| `{name}` | {_cell(meaning)} |" for name, meaning in children]
        lines.append("")
    if command.epilog:
        lines += [_prose(command.epilog), ""]
    return "\n".join(lines)


def _record(parameter: Parameter, context: Context) -> tuple[str, str] | None:
    """Return names and meaning of an argument or option, or None if the help hides it."""
    record = parameter.get_help_record(context)
    return None if record is None or "--help" in record[0] else record


def _prose(text: str) -> str:
    """Return a help text without its indentation and typer's paragraph marks."""
    return inspect.cleandoc(text.replace("\f", "").replace("\b", ""))


def _cell(text: str) -> str:
    """Return a text that can stand in a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", r"\|")


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; return the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/cli.md from the commands.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if the page is stale"
    )
    options = parser.parse_args(arguments)

    text = render(veml_app)
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(
        "docs/cli.md does not say what the commands say; run: python docs/make_cli_reference.py",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
