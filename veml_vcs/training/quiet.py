"""Keep to itself what libraries print, warn of and switch on while a model is trained."""

from __future__ import annotations

import io
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any


class _Lines(io.TextIOBase):
    """A stream whose texts become lines of a log."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        """Write what is more than white space."""
        if text.strip():
            self._write(text.rstrip("\n"))
        return len(text)


@contextmanager
def quiet(write: Callable[[str], None]) -> Iterator[None]:
    """Send what libraries print and warn of to a log, and leave the process as it was.

    Args:
        write: Takes a line of the log.
    """

    def warn(message: Any, category: Any, filename: str, line: int, *_: Any) -> None:
        write(f"{category.__name__}: {message} ({filename}:{line})")

    with redirect_stdout(_Lines(write)), warnings.catch_warnings(), _as_before():
        warnings.simplefilter("default")
        warnings.showwarning = warn  # type: ignore[assignment]
        yield


@contextmanager
def _as_before() -> Iterator[None]:
    """Give back the random numbers and the switches that a training changes."""
    import numpy as np
    import torch

    state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    exact = torch.are_deterministic_algorithms_enabled()
    cudnn = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    try:
        yield
    finally:
        random.setstate(state[0])
        np.random.set_state(state[1])
        torch.set_rng_state(state[2])
        torch.use_deterministic_algorithms(exact)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn
