"""Ctrl-C while a model is trained: the step is finished, the state is kept, then it ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Whether somebody asked the training to stop.

    Args:
        told: Called when somebody does.

    Attributes:
        asked: Whether.
    """

    def __init__(self, told: Callable[[], None] = lambda: None) -> None:
        self.asked = False
        self._told = told

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as a request; a second one ends the process as usual."""
        before = {one: signal.getsignal(one) for one in _SIGNALS}

        def ask(number: int, _frame: FrameType | None) -> None:
            self.asked = True
            for one in _SIGNALS:
                signal.signal(one, before[one] or signal.SIG_DFL)
            self._told()

        try:
            for one in _SIGNALS:
                signal.signal(one, ask)
        except ValueError:
            pass  # not the main thread: whoever started it there has the signals
        try:
            yield
        finally:
            for one, old in before.items():
                if signal.getsignal(one) is ask:
                    signal.signal(one, old or signal.SIG_DFL)


def ignore_interrupts() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the one that trains."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
