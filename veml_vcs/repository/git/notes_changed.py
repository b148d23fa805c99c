"""Which versions have other notes than they had: as much is read as differs, not all notes."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID, Tree

from veml_vcs.errors import DamagedError
from veml_vcs.ids import VersionId
from veml_vcs.repository.git.notes import notes_stamp
from veml_vcs.repository.repository import Repository


def changed_notes(repo: Repository, kind: str, stamp: str) -> set[VersionId] | None:
    """Return the versions whose notes of one kind may be others than they were.

    Args:
        repo: The repository.
        kind: Of the notes.
        stamp: ``notes_stamp`` of then.

    Returns:
        The notes of all others are the same. None where nobody can tell.
    """
    lines = stamp.splitlines(), notes_stamp(repo, kind).splitlines()
    old, new = (dict(line.rsplit(" ", 1) for line in some) for some in lines)
    if (len(old), len(new)) != (len(lines[0]), len(lines[1])):
        return None  # refs whose names are no text look the same
    store = repo.git.dulwich.object_store
    found: set[VersionId] = set()
    try:
        for ref in old.keys() | new.keys():
            if old.get(ref) != new.get(ref):
                trees = _tree(store, old.get(ref)), _tree(store, new.get(ref))
                found.update(_differing(store, *trees))
    except (DamagedError, KeyError):  # what was before may have been taken away
        return None
    return found


def _tree(store: BaseObjectStore, commit: str | None) -> ObjectID | None:
    tip = None if commit is None else store[ObjectID(commit.encode())]
    return tip.tree if isinstance(tip, Commit) else None


def _differing(
    store: BaseObjectStore, old: ObjectID | None, new: ObjectID | None
) -> Iterator[VersionId]:
    """Yield what two trees have different notes on; a tree that both have is not looked into."""
    pending = [("", old, new)]
    while pending:
        above, *trees = pending.pop()
        left, right = (_entries(store, one) for one in trees)
        for name in left.keys() | right.keys():
            if left.get(name) == right.get(name):
                continue
            path = above + name.decode("ascii", "replace")
            sides = [one for one in (left.get(name), right.get(name)) if one is not None]
            if any(not stat.S_ISDIR(mode) for mode, _ in sides):
                yield VersionId(path)
            if any(stat.S_ISDIR(mode) for mode, _ in sides):
                pending.append((path, _folder(left.get(name)), _folder(right.get(name))))


def _folder(entry: tuple[int, ObjectID] | None) -> ObjectID | None:
    return entry[1] if entry is not None and stat.S_ISDIR(entry[0]) else None


def _entries(store: BaseObjectStore, tree: ObjectID | None) -> dict[bytes, tuple[int, ObjectID]]:
    found = None if tree is None else store[tree]
    if not isinstance(found, Tree):
        return {}
    return {name: (mode, one) for name, mode, one in found.items()}
