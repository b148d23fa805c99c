"""How far a long command is: bars on a terminal, now and then a line for a log.

A terminal gets a bar once a command has lasted half a second, and the bar is gone when it ends.
Elsewhere there is nothing, unless ``VEML_PROGRESS=plain`` asks for a line every few seconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from veml_cli._output import out
from veml_cli._sanitize import clean

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from veml_vcs.repository.progress import Progress

_PATIENCE_SECONDS = 0.5
_LINE_EVERY_SECONDS = 3.0


@contextmanager
def progress() -> Iterator[Progress]:
    """Provide the callback that a library function reports to."""
    mode = os.environ.get("VEML_PROGRESS", "")
    if mode == "plain":
        yield _Lines()
    elif sys.stderr.isatty() and mode != "none":
        bars = _Bars()
        try:
            yield bars
        finally:
            bars.stop()
    else:
        yield _nothing


def _nothing(_what: str, _done: int, _total: int) -> None:
    """Report nothing."""


class _Lines:
    """Writes a line every few seconds."""

    def __init__(self) -> None:
        self._next_seconds = time.monotonic() + _LINE_EVERY_SECONDS

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now >= self._next_seconds:
            self._next_seconds = now + _LINE_EVERY_SECONDS
            out.note(f"{what}: {done:,} of {total:,}" if total else what)


class _Bars:
    """Draws a bar for each kind of work, once it is worth it."""

    def __init__(self) -> None:
        self._start_seconds = time.monotonic()
        self._display: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._display is None:
            if time.monotonic() - self._start_seconds < _PATIENCE_SECONDS:
                return
            self._display = _display()
            self._display.start()
        task = self._tasks.get(what)
        if task is None:
            task = self._tasks[what] = self._display.add_task(clean(what), total=total or None)
        self._display.update(task, completed=done, total=total or None)

    def stop(self) -> None:
        """Remove the bars."""
        if self._display is not None:
            self._display.stop()


def _display() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
