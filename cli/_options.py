"""Options and arguments that several commands share, and how they are parsed."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veml_cli._lazy import LightCommand

if TYPE_CHECKING:
    from veml_vcs.samples.annotations import Choice

_WITHOUT_VALUE = {"--pretty": "--pretty=medium", "--decorate": "--decorate=short"}

SEPARATED = "veml.after-separator"

Json = Annotated[bool, typer.Option("--json", help="Write one JSON document.")]
Force = Annotated[bool, typer.Option("--force", "-f", help="Throw away what is in the way.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Tell what would be done, and do nothing.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
NoEdit = Annotated[
    bool,
    typer.Option("--no-edit", help="Take the prepared message; no editor is opened in any case."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Draws the random samples and splits.")]
Centres = Annotated[int, typer.Option("-k", "--centres", min=1, help="Centres of each core set.")]
Embedder = Annotated[str, typer.Option("--embedder", help="Name of the embedder.")]

DEFAULT_EMBEDDER = "efficientnet-lite0"
DEFAULT_CENTRES = 10


class Side(StrEnum):
    """A side that settles conflicts."""

    OURS = "ours"
    THEIRS = "theirs"


def choice(side: Side | None) -> Choice | None:
    """Return a side as the library names it."""
    return None if side is None else "ours" if side is Side.OURS else "theirs"


class PathCommand(LightCommand):
    """A command whose arguments after ``--`` are paths, and are kept apart from those before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put what follows ``--`` into the context, and parse the rest."""
        if "--" in args:
            place = args.index("--")
            ctx.meta[SEPARATED] = args[place + 1 :]
            args = args[:place]
        return super().parse_args(ctx, args)


class BranchCommand(LightCommand):
    """A command whose options that filter a list mean HEAD where no value follows, as in Git."""

    FILTERS = ("--contains", "--merged", "--no-merged")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the values that are left out."""
        spelled: list[str] = []
        for place, one in enumerate(args):
            spelled.append(one)
            following = args[place + 1] if place + 1 < len(args) else "-"
            if one in self.FILTERS and following.startswith("-"):
                spelled.append("HEAD")
        return super().parse_args(ctx, spelled)


class LogCommand(PathCommand):
    """The same, ``-5`` is short for ``-n 5``, and some options need no value, as in Git."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Spell out what is left out before ``--``."""
        place = args.index("--") if "--" in args else len(args)
        spelled: list[str] = []
        for one in args[:place]:
            one = _WITHOUT_VALUE.get(one, one)
            spelled += ["-n", one[1:]] if re.fullmatch(r"-\d+", one) else [one]
        return super().parse_args(ctx, spelled + args[place:])


def after_separator(context: typer.Context) -> list[str] | None:
    """Return the arguments after ``--``; None if there was no ``--``."""
    found: list[str] | None = context.meta.get(SEPARATED)
    return found


def examples(*commands: tuple[str, str]) -> str:
    """Return the Examples section of a command's help.

    Args:
        commands: What it is for, and the command.
    """
    lines = [f"  # {why}\n  {command}" for why, command in commands]
    return "\b\nExamples:\n\n" + "\n\n".join("\b\n" + one for one in lines)
