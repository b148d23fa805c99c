"""Rebuilds that are begun and not done: where their state lies, and what ``veml status`` says.

``.git/veml/rebuilds/NAME/state.json``; what else stands in it is ``lifecycle.rebuild.state``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from urllib.parse import quote, unquote

from veml_vcs.repository.repository import Repository

STATE = "state.json"


@dataclass(frozen=True)
class PendingRebuild:
    """A rebuild that goes on when the user says so.

    Attributes:
        name: Of the training that it will make.
        training: The one that is rebuilt.
        method: How.
        to_label: How many samples wait for labels; 0: it was interrupted later.
        listed: The COCO file that lists them, from the repository's root.
    """

    name: str
    training: str
    method: str
    to_label: int
    listed: str


def rebuilds_folder(repo: Repository) -> str:
    """Return the folder that holds a folder for each rebuild that is not done."""
    return os.path.join(repo.private_folder, "rebuilds")


def rebuild_folder(repo: Repository, name: str) -> str:
    """Return the folder of one rebuild."""
    return os.path.join(rebuilds_folder(repo), quote(name, safe=""))


def pending_rebuilds(repo: Repository) -> tuple[PendingRebuild, ...]:
    """Return the rebuilds that are begun and not done, by name."""
    folder = rebuilds_folder(repo)
    if not repo.files.exists(folder):
        return ()
    found = []
    for entry in sorted(repo.files.listdir(folder)):
        path = os.path.join(folder, entry, STATE)
        if not repo.files.exists(path):
            continue
        name, training, method, waiting, listed = unquote(entry), "", "", 0, ""
        try:
            said = json.loads(bytes(repo.files.read(path)))
            training, method, listed = said["training"], said["method"], said["listed"]
            waiting = len(said["chosen"]) + len(said["measured"]) if said["waits"] else 0
        except (ValueError, LookupError, TypeError):
            pass  # of another veml: whoever goes on with it says so
        found.append(PendingRebuild(name, str(training), str(method), waiting, str(listed)))
    return tuple(found)
