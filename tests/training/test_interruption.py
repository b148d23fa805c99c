"""Ctrl-C in the middle of anything is told, and breaks nothing."""

from __future__ import annotations

import io
import os
import signal

from veml_vcs.training.interruption import Interruption


class Raw(io.RawIOBase):
    """A stream in the middle of whose first write Ctrl-C is pressed."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        first = not self.taken
        self.taken += bytes(data)  # type: ignore[call-overload]
        if first:
            os.kill(os.getpid(), signal.SIGINT)
        return len(data)  # type: ignore[arg-type]


def test_pressed_while_a_line_is_written_to_the_same_stream() -> None:
    """Seen to fail (``reentrant call``) with the handler itself writing."""
    raw = Raw()
    stream = io.BufferedWriter(raw)
    before = signal.getsignal(signal.SIGINT)

    def told() -> None:
        stream.write(b"stopping\n")
        stream.flush()

    interruption = Interruption(told)
    with interruption.watched():
        stream.write(b"iteration 1\n")
        stream.flush()
        assert interruption.asked
    assert raw.taken == b"iteration 1\nstopping\n"
    assert signal.getsignal(signal.SIGINT) is before
