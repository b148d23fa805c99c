"""What keeps the start of a command light: only the command that runs is imported and built.

Two things of typer cost more than most commands of veml need for their work. It builds all commands
before it looks for the one that is wanted; here each is built when it is asked for. And it converts
every argument, be it plain text, with pydantic, whose import alone takes longer than ``veml log``;
here text, whole numbers, choices and lists of text that need no help are taken as they are, and
everything else (what is wrong, above all) goes typer's way and gets typer's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter
    from typer._click.formatting import HelpFormatter
    from typer._click.shell_completion import CompletionItem

Build = Callable[[str], "Command"]
"""Imports and builds the command of a name."""
Help = Callable[[str], str]
"""Returns the help text of the command of a name."""

_RUNTIME = "_runtime_param"
_UNUSUAL = object()


class LightCommand(TyperCommand):
    """A command that converts plain arguments itself."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse, with light parameters; where a shell asks, with those that complete themselves."""
        params = self.get_params(ctx)
        _lighten(params)
        if ctx.resilient_parsing:
            from veml_cli._completion import attach

            attach(params)
        return super().parse_args(ctx, args)


class LightGroup(TyperGroup):
    """A group that does so with its own."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse, with light parameters."""
        _lighten(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Return the names of commands without building any; typer would import them all."""
        from typer._click.shell_completion import CompletionItem

        lazy = isinstance(self.commands, _Commands)
        found = [
            CompletionItem(name)
            for name in self.list_commands(ctx)
            if name.startswith(incomplete) and (lazy or not self.commands[name].hidden)
        ]
        return found or super(TyperGroup, self).shell_complete(ctx, incomplete)


def lazy_group(names: Sequence[str], build: Build, tell: Help) -> type[LightGroup]:
    """Return a class of groups whose commands are built when they are looked at.

    Args:
        names: The commands, in the order ``--help`` lists them.
        build: Makes one of them.
        tell: Returns the help of one, of which ``--help`` shows the first sentence.
    """

    class LazyGroup(LightGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = _Commands(names, build)

        def list_commands(self, ctx: Context) -> list[str]:
            return list(self.commands)

        def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
            # What a command takes is not shown, and looking at that is all but all of the time.
            told: dict[str, Command] = {name: TyperCommand(name, help=tell(name)) for name in names}
            TyperGroup(commands=told).format_commands(ctx, formatter)

    return LazyGroup


class _Commands(MutableMapping[str, "Command"]):
    """Commands by name; those not asked for yet are names only."""

    def __init__(self, names: Sequence[str], build: Build) -> None:
        self._built: dict[str, Command | None] = dict.fromkeys(names)
        self._build = build

    def __getitem__(self, name: str) -> Command:
        command = self._built[name]
        if command is None:
            command = self._built[name] = self._build(name)
        return command

    def __setitem__(self, name: str, command: Command) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._built)

    def __len__(self) -> int:
        return len(self._built)


def _lighten(params: Iterable[Parameter]) -> None:
    for param in params:
        # Where a coming typer works in another way it converts as it likes: slower, not wrong.
        if getattr(param, _RUNTIME, _UNUSUAL) is None:
            setattr(param, _RUNTIME, _LightParam(param))


class _LightParam:
    """Converts one parameter's values, in the place of typer's ``RuntimeParam``."""

    def __init__(self, param: Parameter) -> None:
        self._descriptor: Any = param.type_descriptor  # type: ignore[attr-defined]

    def coerce(self, value: Any, param: Any, ctx: Context) -> Any:
        """Return the value as the command's function takes it; see typer's method of this name."""
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        if many and isinstance(value, list | tuple):
            taken = [self._plain(one) for one in value]
            if not any(one is _UNUSUAL for one in taken):
                return taken
        elif not many and (one := self._plain(value)) is not _UNUSUAL:
            return one
        setattr(param, _RUNTIME, None)  # then typer makes its own
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)

    def _plain(self, value: Any) -> Any:
        wanted = self._descriptor.annotation
        info = self._descriptor.parameter_info
        if wanted is str or wanted == list[str]:
            plain = info.parser is None and not self._descriptor.is_path
            return value if plain and type(value) is str else _UNUSUAL
        if wanted is int and info.parser is None:
            return _whole(value, info.min, info.max)
        if isinstance(wanted, type) and issubclass(wanted, Enum) and info.parser is None:
            exact = isinstance(value, wanted) or value in {one.value for one in wanted}
            return wanted(value) if exact and isinstance(value, str) else _UNUSUAL
        return _UNUSUAL


def _whole(value: Any, least: float | None, most: float | None) -> Any:
    """Return a whole number within bounds, given as such or in plain digits."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if type(value) is not int:
        return _UNUSUAL
    fits = (least is None or value >= least) and (most is None or value <= most)
    return value if fits else _UNUSUAL


__all__ = ["LightCommand", "LightGroup", "lazy_group"]
