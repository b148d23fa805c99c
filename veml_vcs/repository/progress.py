"""How long-running library calls tell the caller how far they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is (0 if not known)."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Report nothing."""
