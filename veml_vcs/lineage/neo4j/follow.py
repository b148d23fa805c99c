"""After a command: the mirror is brought up to date in a short time, or not now.

Nothing here raises, and the driver is imported only where there is something to send.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from veml_vcs.errors import VemlError
from veml_vcs.lineage.neo4j.changes import Changes
from veml_vcs.lineage.neo4j.place import Place, place_of
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository.repository import Repository

SECONDS = 2.5
"""How long a command waits at its end, at most, where ``VEML_NEO4J_SECONDS`` says nothing else."""


def patience(environment: Mapping[str, str]) -> float:
    """Return how many seconds a command may wait; what makes no sense is as if it were not said."""
    try:
        seconds = float(environment.get("VEML_NEO4J_SECONDS", SECONDS))
    except ValueError:
        return SECONDS
    return seconds if 0 < seconds <= threading.TIMEOUT_MAX else SECONDS


def follow(root: str, environment: Mapping[str, str]) -> str | None:
    """Bring the mirror of a repository up to date, if it has one, and if that is quick.

    Args:
        root: The repository.
        environment: See ``login``.

    Returns:
        Why the mirror is not up to date, on one line; None if it is.
    """
    seconds = patience(environment)  # after so many it goes on without; what was sent is kept
    said: list[str | None] = []
    # A thread: the name of a host, or a helper of Git's, may take longer than the driver's bounds.
    worker = threading.Thread(
        target=lambda: said.append(_try(root, environment, time.monotonic() + seconds)),
        name="veml-mirror",
        daemon=True,
    )
    worker.start()
    worker.join(seconds)
    if said:
        return said[0]
    return f"the mirror in Neo4j did not take what is new within {seconds:g} s; it will later"


def _try(root: str, environment: Mapping[str, str], until: float) -> str | None:
    try:
        with Repository(root) as repo:
            place = place_of(repo)
            return None if place is None else _follow(repo, place, environment, until)
    except VemlError as error:
        return f"the mirror in Neo4j is not up to date: {error.message}"
    except Exception as error:  # noqa: BLE001 - a commit is not to fail for what follows it
        return f"the mirror in Neo4j is not up to date ({type(error).__name__}: {error})"


def _follow(
    repo: Repository, place: Place, environment: Mapping[str, str], until: float
) -> str | None:
    base = database(repo)
    try:
        sync(repo, base)
        changes = Changes(base)
        changes.listen()
        if not changes.behind():
            return None
        from veml_vcs.lineage.neo4j.connecting import reach
        from veml_vcs.lineage.neo4j.mirror import Mirror

        left = max(until - time.monotonic(), 0.1)
        with reach(repo, place, environment, seconds=left) as server:
            sent = Mirror(base, server).bring_up(until=until)
        if sent.complete:
            return None
        return (
            "the mirror in Neo4j has not everything yet; the rest is sent later, or now by "
            "veml lineage sync"
        )
    finally:
        base.close()
