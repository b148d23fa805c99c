"""Plain arguments are converted without pydantic, and exactly as typer converts them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from veml_cli import _lazy
from veml_cli._lazy import LightCommand
from veml_cli.main import app


class Side(StrEnum):
    """A choice."""

    OURS = "ours"
    THEIRS = "theirs"


def application(kind: type[typer.core.TyperCommand]) -> typer.Typer:
    """Return a program that prints what its function was given."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)

    @app.command(cls=kind)
    def show(
        paths: Annotated[list[str] | None, typer.Argument()] = None,
        text: Annotated[str, typer.Option()] = "given",
        number: Annotated[int | None, typer.Option(min=0, max=9)] = None,
        share: Annotated[float, typer.Option()] = 0.5,
        side: Annotated[Side | None, typer.Option()] = None,
        many: Annotated[list[str] | None, typer.Option()] = None,
        flag: Annotated[bool, typer.Option()] = False,
    ) -> None:
        print(repr((paths, text, number, share, side, many, flag)))

    return app


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a", "b c", "--text", "", "--number", "7", "--side", "theirs", "--flag"],
        ["--many", "x", "--many", "y", "--share", "1e-3"],
        ["--number", "007"],
        ["--number", " 7"],
        ["--number", "+7"],
        ["--number", "10"],
        ["--number=-1"],
        ["--number", "seven"],
        ["--number", "1.0"],
        ["--side", "OURS"],
        ["--side", "both"],
        ["--share", "half"],
    ],
    ids=" ".join,
)
def test_values_and_errors_are_those_of_typer(arguments: list[str]) -> None:
    """Seen to fail with ``_whole`` taking numbers out of bounds."""
    runs = [
        CliRunner().invoke(application(kind), arguments)
        for kind in (typer.core.TyperCommand, LightCommand)
    ]
    assert runs[0].exit_code == runs[1].exit_code
    assert runs[0].output == runs[1].output


def test_plain_values_do_not_go_through_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any) -> Any:
        raise AssertionError(f"{self.name} was converted by typer")

    monkeypatch.setattr(typer.core.TyperOption, "get_runtime_param", _only_light(refuse))
    done = CliRunner().invoke(application(LightCommand), ["--number", "3", "--side", "ours", "p"])
    assert done.exit_code == 0, done.output
    assert "Side.OURS" in done.output


def _only_light(otherwise: Any) -> Any:
    def get(self: Any) -> Any:
        found = getattr(self, "_runtime_param", None)
        if isinstance(found, _lazy._LightParam) or self.name == "share":
            return typer.core.TyperArgument.get_runtime_param(self)
        return otherwise(self)

    return get


def test_the_list_of_commands_is_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with the module's docstring in place of the function's, and without groups'."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("veml", ["status"], resilient_parsing=True)
    listed = group.get_help(context).partition("Commands:")[2]
    group.commands = {name: group.commands[name] for name in group.list_commands(context)}
    monkeypatch.delattr(type(group), "format_commands")
    assert listed == group.get_help(context).partition("Commands:")[2]
    assert listed.count("\n  ") > 30


def test_the_list_of_commands_builds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with typer's ``list_commands``, and with its ``format_commands``."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} was built")

    group: Any = typer.main.get_command(app)
    monkeypatch.setattr(group.commands, "_build", refuse)
    context = group.make_context("veml", ["status"], resilient_parsing=True)
    assert "status" in group.get_help(context)
    assert "status" in group.list_commands(context)
