"""How a training looks while it runs: a bar on a terminal, a line for each measurement elsewhere.

With ``VEML_PROGRESS=plain`` there is a line every few seconds, for logs; with ``none``, nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from veml_cli._output import out
from veml_cli._sanitize import clean

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from veml_vcs.training.watch import Step

_LINE_EVERY_SECONDS = 3.0
_SHOWN = ("mAP", "mAP50", "accuracy")


class TrainingView:
    """Watches a training, as ``veml_vcs.training.watch.Watcher``.

    Args:
        quiet: Show nothing at all, but for warnings.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        mode = os.environ.get("VEML_PROGRESS", "")
        self._quiet = quiet or mode == "none"
        self._plain = mode == "plain"
        self._bars = sys.stderr.isatty() and not self._quiet and not self._plain
        self._display: Progress | None = None
        self._task: TaskID | None = None
        self._measured = ""
        self._next_seconds = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Remove the bar."""
        self.close()

    def close(self) -> None:
        """Remove the bar; it comes back when there is something to show."""
        if self._display is not None:
            self._display.stop()
            self._display = None

    def note(self, text: str) -> None:
        """Write a sentence, above the bar if there is one."""
        if self._quiet:
            return
        if self._display is not None:
            self._display.console.print(clean(text), markup=False, highlight=False)
        else:
            out.note(text)

    def doing(self, what: str) -> None:
        """Show what is done that is no step."""
        if self._bars:
            self._show(what)
        elif self._plain:
            out.note(what)

    def progress(self, what: str, done: int, total: int) -> None:
        """Show how far something is, as ``veml_vcs.repository.progress.Progress``."""
        if not self._plain:
            self.doing(f"{what} {done:,}/{total:,}" if total else what)

    def step(self, step: Step) -> None:
        """Show how far it is."""
        where = f"epoch {step.epoch}/{step.epochs}  " if step.epoch else ""
        text = f"{where}loss {step.loss:.3f}{self._measured}  {_time(step.seconds_left)} left"
        now = time.monotonic()
        if self._bars:
            self._show(text, step.iteration, step.iterations)
        elif self._plain and now >= self._next_seconds:
            self._next_seconds = now + _LINE_EVERY_SECONDS
            out.note(f"iteration {step.iteration}/{step.iterations}  {text}")

    def measured(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Keep what was measured beside the bar, and write it down."""
        shown = [f"{name} {metrics[name]:.3f}" for name in _SHOWN if name in metrics]
        self._measured = "".join(f"  {one}" for one in shown)
        self.note(f"iteration {iteration}: {', '.join(shown) or 'measured'}")

    def _show(self, text: str, done: int | None = None, total: int | None = None) -> None:
        if self._display is None:
            self._display = _display()
            self._display.start()
            self._task = self._display.add_task("", total=None)
        assert self._task is not None
        if done is None:
            self._display.update(self._task, description=clean(text))
        else:
            self._display.update(self._task, description=clean(text), completed=done, total=total)


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def _display() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(file=sys.stderr),
        transient=True,
    )
