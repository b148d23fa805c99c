"""pre-push: data before refs; and the notes go along.

There is no remote for data yet, so git sends records and nothing else. What is checked is that the
data of every record that is new to the remote is here, so that somebody can get it at all.
"""

from __future__ import annotations

import os

from veml_hooks.drivers import fetch_notes_from
from veml_hooks.notes import send_notes
from veml_hooks.say import say
from veml_vcs.errors import VemlError
from veml_vcs.ids import TreeId, VersionId, short
from veml_vcs.repository.git.program import git
from veml_vcs.repository.records.place import trees_of
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.data import RECORD_SUFFIX

_ZERO = "0" * 40
_LISTED = 5


def pre_push(repo: Repository, remote: str, url: str, lines: bytes) -> int:
    """Check what is about to be pushed; 1 refuses it.

    Args:
        repo: The repository.
        remote: The remote's name, or its URL where it has none.
        url: Where it is.
        lines: What git says of the refs: local ref, local id, remote ref, remote id.
    """
    named = remote != url and bool(git(repo.root, "config", f"remote.{remote}.url").out)
    refs = [line.split() for line in os.fsdecode(lines).splitlines()]
    sent = [one for one in refs if len(one) == 4 and one[1] != _ZERO]
    branches = [one for one in sent if not one[2].startswith("refs/notes/")]
    records = _new_records(repo, remote if named else None, branches)
    lacking = [
        name for name, trees in records.items() if any(one not in repo.store for one in trees)
    ]
    if lacking:
        shown = ", ".join(lacking[:_LISTED]) + (", ..." if len(lacking) > _LISTED else "")
        count = (
            "1 version to be pushed is"
            if len(lacking) == 1
            else (f"{len(lacking)} versions to be pushed are")
        )
        say(
            f"{count} not in this clone: {shown}",
            "hint: veml data fetch --from PATH --all gets them from a clone that has them;",
            "hint: git push --no-verify pushes their records all the same",
        )
        return 1
    if records:
        say(
            f"git push sends the records of {len(records)} data "
            f"version{'s' if len(records) != 1 else ''}, not their data",
            f"others get the data with: veml data fetch --from {repo.root}",
        )
    if named and branches:
        fetch_notes_from(repo, remote)
        send_notes(repo, remote)
    return 0


def _new_records(
    repo: Repository, remote: str | None, refs: list[list[str]]
) -> dict[str, tuple[TreeId, ...]]:
    """Return the trees of versions that the remote does not have, as far as is known here."""
    if not refs:
        return {}
    known = [f"--remotes={remote}"] if remote else ["--remotes"]
    old = [one[3] for one in refs if one[3] != _ZERO and _has(repo, one[3])]
    listing = git(
        repo.root, "rev-list", "--objects", *(one[1] for one in refs), "--not", *known, *old
    ).text
    found: dict[str, tuple[TreeId, ...]] = {}
    for line in listing.splitlines():
        blob, _, path = line.partition(" ")
        if not path.endswith(RECORD_SUFFIX):
            continue
        try:
            trees = trees_of(repo.git.read_blob(VersionId(blob)), path)
            if trees:
                found[f"{path.removesuffix(RECORD_SUFFIX)} ({short(trees[0])})"] = trees
        except VemlError as error:
            say(f"{path}: {error.message}")
    return found


def _has(repo: Repository, object_id: str) -> bool:
    return git(repo.root, "cat-file", "-e", object_id).code == 0
