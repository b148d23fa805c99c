"""Ctrl-C while a model is trained: the step is finished, the state is kept, then it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TELLING_SECONDS = 2.0
"""So long a line that nobody takes is waited for at the end."""


class Interruption:
    """Whether somebody asked the training to stop.

    Args:
        told: Called when somebody does, in a thread of its own: what the signal interrupts may be
            in the middle of a line on the stream that this writes to.

    Attributes:
        asked: Whether.
    """

    def __init__(self, told: Callable[[], None] = lambda: None) -> None:
        self.asked = False
        self._told = told
        self._telling: threading.Thread | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as a request; a second one ends the process as usual."""
        before = {one: signal.getsignal(one) for one in _SIGNALS}

        def ask(number: int, _frame: FrameType | None) -> None:
            self.asked = True
            for one in _SIGNALS:
                signal.signal(one, before[one] or signal.SIG_DFL)
            self._telling = threading.Thread(target=self._told, daemon=True)
            self._telling.start()

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
            if self._telling is not None:
                self._telling.join(_TELLING_SECONDS)


def ignore_interrupts() -> None:
    """Leave Ctrl-C, which reaches every process of a terminal, to the one that trains."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
