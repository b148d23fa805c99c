"""How this machine trains: nothing here changes what is learnt."""

from __future__ import annotations

from dataclasses import dataclass

KEEP_SECONDS = 60.0
"""How often the state of a training is kept, so that no more than this is lost to a kill."""


@dataclass(frozen=True)
class Machine:
    """How this machine trains; nothing here changes what is learnt.

    Attributes:
        workers: Processes that load data.
        launcher: Who started the processes of a distributed training; ``none``: it is one.
        keep_seconds: How often the state is kept.
    """

    workers: int = 0
    launcher: str = "none"
    keep_seconds: float = KEEP_SECONDS
