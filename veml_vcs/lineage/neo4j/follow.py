"""After a command: the mirror is brought up to date in a short time, or not now.

A commit never fails for what goes wrong here, and the driver is imported only where there is
something to send.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from veml_vcs.errors import VemlError
from veml_vcs.lineage.neo4j.changes import Changes
from veml_vcs.lineage.neo4j.place import Place, place_of
from veml_vcs.lineage.neo4j.silence import (
    Silence,
    remember_silence,
    silence_of,
    waiting_for,
)
from veml_vcs.lineage.sync import database, sync
from veml_vcs.repository.repository import Repository

if TYPE_CHECKING:  # the driver takes long to be imported
    from veml_vcs.lineage.neo4j.server import Server

SECONDS = 2.5
"""How long a command waits at its end, at most, where ``VEML_NEO4J_SECONDS`` says nothing else."""

_LATE = "the mirror in Neo4j is not up to date"

_APART_SECONDS = 60
"""A server that refuses is not remembered, and not worth a process for each question."""

_left: list[subprocess.Popen[bytes]] = []
"""Processes that go on by themselves; without a name Python warns of them."""


def patience(environment: Mapping[str, str]) -> float:
    """Return how many seconds a command may wait; what makes no sense is as if it were not said."""
    try:
        seconds = float(environment.get("VEML_NEO4J_SECONDS", SECONDS))
    except ValueError:
        return SECONDS
    return seconds if 0 < seconds <= threading.TIMEOUT_MAX else SECONDS


@dataclass
class _Attempt:
    """What the thread that sends has come to, and where it is.

    Attributes:
        said: What there is to say, once it has ended: None is that the mirror is up to date.
        reaching: The server that it waits for, or waited for in vain.
        server: The same, once it has answered and is sent to.
        long: So many seconds without an answer, while something is sent, are a silence.
        before: What was remembered of the server.
    """

    said: list[str | None] = field(default_factory=list)
    reaching: Place | None = None
    server: Server | None = None
    long: float = 0.0
    before: Silence | None = None

    def silent(self) -> Place | None:
        """Return the server that does not answer; None if it does, or may be slow alone."""
        server = self.server
        if self.reaching is not None or server is None:
            return self.reaching
        since = server.asked
        return None if since is None or time.monotonic() - since < self.long else server.place


def follow_later(root: str) -> subprocess.Popen[bytes] | None:
    """Bring the mirror of a repository up to date in a process of its own, if it lags.

    For who has only asked something, and does not wait: a plain ``git fetch`` or ``git branch -D``
    runs no hook, and a server may have been away. The graph itself is up to date.

    Args:
        root: The repository.

    Returns:
        The process; None if there is no mirror, or nothing to send, or its server did not answer,
        or this was tried a minute ago.

    Raises:
        VemlError: The repository, or its graph, cannot be read.
    """
    with Repository(root) as repo:
        place = place_of(repo)
        if place is None or waiting_for(repo, place) is not None:
            return None
        base = database(repo)
        try:
            if not Changes(base).lags():
                return None
        finally:
            base.close()
        stamp = os.path.join(repo.folder, "mirror-tried")
        before = repo.files.modified_ns(stamp)
        if before is not None and 0 <= time.time_ns() - before < _APART_SECONDS * 10**9:
            return None
        repo.files.write_atomic(stamp, b"", durable=False)
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, root],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    _left.append(process)
    return process


def follow(root: str, environment: Mapping[str, str]) -> str | None:
    """Bring the mirror of a repository up to date, if it has one, and if that is quick.

    A server that did not answer is not asked again for a while (``silence``).

    Args:
        root: The repository.
        environment: See ``login``.

    Returns:
        Why the mirror is not up to date, on one line; None if it is.
    """
    seconds = patience(environment)  # after so many it goes on without; what was sent is kept
    attempt = _Attempt()
    # A thread: the name of a host, or a helper of Git's, may take longer than the driver's bounds.
    worker = threading.Thread(
        target=lambda: attempt.said.append(
            _try(root, environment, time.monotonic() + seconds, attempt)
        ),
        name="veml-mirror",
        daemon=True,
    )
    worker.start()
    worker.join(seconds)
    silent = attempt.silent()  # before what it said: it may end just now
    if silent is not None:
        return _one_line(lambda: _remembered(root, silent, seconds, attempt.before))
    if attempt.said:
        return attempt.said[0]
    return f"the mirror in Neo4j did not take what is new within {seconds:g} s; it will later"


def _try(root: str, environment: Mapping[str, str], until: float, attempt: _Attempt) -> str | None:
    def run() -> str | None:
        with Repository(root) as repo:
            place = place_of(repo)
            return None if place is None else _follow(repo, place, environment, until, attempt)

    return _one_line(run)


def _one_line(run: Callable[[], str | None]) -> str | None:
    """Return what a function says, or why it failed."""
    try:
        return run()
    except VemlError as error:
        return f"{_LATE}: {error.message}"
    except Exception as error:  # noqa: BLE001 - a commit is not to fail for what follows it
        return f"{_LATE} ({type(error).__name__}: {error})"


def _remembered(root: str, place: Place, seconds: float, before: Silence | None) -> str:
    with Repository(root) as repo:
        found = remember_silence(repo, place, before)
    return (
        f"{_LATE}: {place.host} did not answer within {seconds:g} s, and is not tried again before "
        f"{_clock(found.until)} (veml lineage sync tries at once)"
    )


def _follow(
    repo: Repository,
    place: Place,
    environment: Mapping[str, str],
    until: float,
    attempt: _Attempt,
) -> str | None:
    with database(repo) as base:
        sync(repo, base)
        changes = Changes(base)
        changes.listen()
        if not changes.behind():
            return None
        silent = waiting_for(repo, place)
        if silent is not None:
            return (
                f"{_LATE}: {place.host} did not answer, and is not tried again before "
                f"{_clock(silent.until)} (veml lineage sync tries at once)"
            )
        from veml_vcs.lineage.neo4j.connecting import reach
        from veml_vcs.lineage.neo4j.mirror import Mirror

        begun = time.monotonic()
        left = max(until - begun, 0.1)
        attempt.before, attempt.long = silence_of(repo, place), left / 2
        attempt.reaching = place
        try:
            server = reach(repo, place, environment, seconds=left)
        except VemlError as error:
            # What says no at once costs nothing, and what answers is not silent.
            if error.kind != "unreachable" or time.monotonic() - begun < attempt.long:
                attempt.reaching = None
            raise
        attempt.server, attempt.reaching = server, None
        with server:
            try:
                sent = Mirror(base, server).bring_up(until=until)
            except VemlError as error:
                if error.kind != "unreachable":
                    attempt.server = None
                raise
        if sent.complete:
            return None
        return (
            "the mirror in Neo4j has not everything yet; the rest is sent later, or now by "
            "veml lineage sync"
        )


def _clock(seconds: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))


if __name__ == "__main__":
    follow(sys.argv[1], os.environ)
