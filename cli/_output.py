"""Where output goes: results to stdout, everything else to stderr; colour only for a terminal.

Nothing wraps and nothing is cut where stdout is no terminal, so that output can be piped.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any

from veml_cli._json import to_json
from veml_cli._sanitize import clean_block
from veml_cli.render.line import Line, Style, line

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: dict[Style, str] = {
    "": "none",
    "title": "bold",
    "dim": "bright_black",
    "hint": "bright_black",
    "added": "green",
    "removed": "red",
    "changed": "yellow",
    "name": "cyan",
    "ref": "bold green",
    "id": "yellow",
    "warning": "bold yellow",
    "bar": "blue",
}


class Color(StrEnum):
    """When to colour output."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Output:
    """Writes lines; one object for the whole program.

    The streams are looked up at each use, so that whoever replaces ``sys.stdout`` is respected.
    """

    def __init__(self) -> None:
        self.color = Color.AUTO
        self._consoles: dict[bool, Console] = {}

    def configure(self, color: Color) -> None:
        """Take the global options."""
        self.color = color
        self._consoles.clear()
        for stream in (sys.stdout, sys.stderr):
            # A terminal that cannot show a box character shall not end the program.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    @property
    def width(self) -> int | None:
        """Columns of the terminal that stdout is; None where it is none."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def write_lines(self, lines: Iterable[Line]) -> None:
        """Write lines of a result."""
        for one in lines:
            self.write(one)

    def write(self, text: Line | str = "") -> None:
        """Write one line of a result."""
        self._put(text if isinstance(text, Line) else line(text), sys.stdout)

    def write_json(self, value: object) -> None:
        """Write a result as one JSON document."""
        sys.stdout.write(to_json(value) + "\n")

    def write_bytes(self, data: bytes) -> None:
        """Write the bytes of a file as they are, or, on a terminal, so that they do no harm."""
        if sys.stdout.isatty():
            for text in data.decode("utf-8", "surrogateescape").splitlines():
                self.write(text.expandtabs())
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """Write a remark that is no part of the result."""
        self._put(line(text), sys.stderr)

    def warn(self, text: str) -> None:
        """Write a warning."""
        self._message("warning", "warning", text)

    def error(self, word: str, text: str, hint: str | None = None) -> None:
        """Write what went wrong, and what to type next."""
        sys.stdout.flush()
        self._message(word, "removed", text)
        if hint:
            self._message("hint", "hint", hint)

    def _message(self, word: str, style: Style, text: str) -> None:
        first, *rest = clean_block(text, "  ").split("\n")
        self._put(line((f"{word}: ", style), first), sys.stderr)
        for one in rest:
            self._put(line(one), sys.stderr)

    def _put(self, text: Line, stream: IO[str]) -> None:
        if not self._colored(stream):
            stream.write(text.plain + "\n")
            return
        from rich.text import Text

        styled = Text.assemble(*((piece, _STYLES[style]) for piece, style in text.pieces))
        styled.rstrip()
        self._console(stream).print(styled, soft_wrap=True)

    def _colored(self, stream: IO[str]) -> bool:
        if self.color is not Color.AUTO:
            return self.color is Color.ALWAYS
        # https://no-color.org: any value that is not empty turns colour off.
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return stream.isatty() and not plain

    def _console(self, stream: IO[str]) -> Console:
        standard = stream is sys.stdout
        if standard not in self._consoles or self._consoles[standard].file is not stream:
            from rich.console import Console

            # "standard" colours are the sixteen that every terminal and every theme has.
            self._consoles[standard] = Console(
                file=stream, force_terminal=True, color_system="standard", no_color=False,
                highlight=False, markup=False, emoji=False, legacy_windows=False,
            )  # fmt: skip
        return self._consoles[standard]


out = Output()
"""The program's output."""


def show(result: Any, lines: Iterable[Line], *, as_json: bool) -> None:
    """Write a result as JSON, or as the lines of its view."""
    if as_json:
        out.write_json(result)
    else:
        out.write_lines(lines)
