"""What is remembered of a server that did not answer, so that not every commit waits for it.

A file beside the graph, for commands that cannot wait; who asks for the server by name (``sync``,
``connect``, ``query``) tries at once. A server that refuses costs nothing, and is not remembered.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass

from veml_vcs.lineage.neo4j.place import Place
from veml_vcs.repository.repository import Repository

FILE = "mirror-silent.json"
FIRST_SECONDS = 60
LONGEST_SECONDS = 15 * 60
"""How long no command tries again: doubled each time, up to this."""


@dataclass(frozen=True)
class Silence:
    """A server that did not answer.

    Attributes:
        url: Of the server.
        since: When it was first so, in seconds since 1970.
        tries: How often it was tried since then.
        until: No command tries it again before, in seconds since 1970.
    """

    url: str
    since: int
    tries: int
    until: int


def silence_of(repo: Repository, place: Place) -> Silence | None:
    """Return what is remembered of a server; None if it answered, or another was asked."""
    try:
        said = json.loads(bytes(repo.files.read(_path(repo))))
        found = Silence(str(said["url"]), *(int(said[one]) for one in ("since", "tries", "until")))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None  # none, or damaged: then it is tried
    return found if found.url == place.url else None


def waiting_for(repo: Repository, place: Place) -> Silence | None:
    """Return what is remembered of a server that is not to be tried yet; else None."""
    found = silence_of(repo, place)
    # A clock that was set back does not keep it away for longer than was meant.
    if found is None or not 0 < found.until - time.time() <= LONGEST_SECONDS:
        return None
    return found


def remember_silence(repo: Repository, place: Place, before: Silence | None = None) -> Silence:
    """Remember that a server did not answer just now.

    Args:
        repo: Whose mirror it is.
        place: The server.
        before: What was remembered when it was asked; it may have answered since, as far as to say
            who it is, and that is forgotten then. None is what is remembered now.

    Raises:
        StorageError: It cannot be written.
    """
    before, now = before or silence_of(repo, place), int(time.time())
    tries = 1 if before is None else before.tries + 1
    seconds = min(FIRST_SECONDS << min(tries - 1, 10), LONGEST_SECONDS)
    found = Silence(place.url, now if before is None else before.since, tries, now + seconds)
    # A power cut may lose it: then the server is asked once more.
    repo.files.write_atomic(_path(repo), json.dumps(asdict(found)).encode(), durable=False)
    return found


def forget_silence(repo: Repository) -> None:
    """Forget it: the server answered, or another one is the mirror now."""
    repo.files.remove(_path(repo))


def _path(repo: Repository) -> str:
    return os.path.join(repo.folder, FILE)
