"""Where output goes: results to stdout, everything else to stderr; colour only for a terminal.

Nothing wraps and nothing is cut where stdout is no terminal, so that output can be piped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
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
        self.pages = True
        self._width: int | None = None
        self._consoles: dict[bool, Console] = {}

    def configure(self, color: Color, *, pages: bool = True) -> None:
        """Take the global options."""
        self.color = color
        self.pages = pages
        self._consoles.clear()
        for stream in (sys.stdout, sys.stderr):
            # A terminal that cannot show a box character shall not end the program.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    @property
    def width(self) -> int | None:
        """Columns of the terminal that stdout is; None where it is none."""
        if self._width is not None:
            return self._width
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    @contextmanager
    def paged(self, command: str | None) -> Iterator[None]:
        """Send results through a pager while the block runs, if stdout is a terminal.

        Args:
            command: The pager, as the shell takes it; None or empty is none.
        """
        if not command or command == "cat" or not sys.stdout.isatty():
            yield
            return
        # As Git: quit if all fits on a screen, let colours through, leave the text on the screen.
        environment = {"LESS": "FRX", "LV": "-c", **os.environ}
        colored, width, terminal = self._colored(sys.stdout), self.width, sys.stdout
        pager = subprocess.Popen(
            command, shell=True, stdin=subprocess.PIPE, env=environment, text=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
        assert pager.stdin is not None
        before, sys.stdout = self.color, pager.stdin
        self.color, self._width = Color.ALWAYS if colored else Color.NEVER, width
        try:
            yield
            sys.stdout.flush()
        except BrokenPipeError:
            pass  # the reader has seen enough
        finally:
            sys.stdout = terminal
            with suppress(BrokenPipeError):
                pager.stdin.close()
            # Ctrl-C belongs to the pager while it shows something.
            while pager.poll() is None:
                with suppress(KeyboardInterrupt):
                    pager.wait()
            self.color, self._width = before, None
            self._consoles.clear()

    def write_lines(self, lines: Iterable[Line]) -> None:
        """Write lines of a result."""
        stream = sys.stdout
        if self._colored(stream):
            for one in lines:
                self._put(one, stream)
        else:  # asked once: that took longer than to write
            stream.writelines(f"{one.plain}\n" for one in lines)

    def write(self, text: Line | str = "") -> None:
        """Write one line of a result."""
        self._put(text if isinstance(text, Line) else line(text), sys.stdout)

    def write_json(self, value: object) -> None:
        """Write a result as one JSON document."""
        sys.stdout.write(to_json(value) + "\n")

    def write_bytes(self, data: bytes) -> None:
        """Write the bytes of a file as they are, or, on a terminal, so that they do no harm."""
        if sys.stdout.isatty() or self._width is not None:
            for text in data.decode("utf-8", "surrogateescape").splitlines():
                self.write(text.expandtabs())
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    @property
    def for_people(self) -> bool:
        """Whether results are read on a terminal, maybe through a pager."""
        return sys.stdout.isatty() or self._width is not None

    @property
    def colored(self) -> bool:
        """Whether results are coloured."""
        return self._colored(sys.stdout)

    def write_text(self, text: str) -> None:
        """Write text as it is, without the end of a line; the caller has cleaned it."""
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
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
