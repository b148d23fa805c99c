"""Which records a commit brought, and which took the place of which: Git's trees compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dulwich.objects import ObjectID
from dulwich.objects import Tree as GitTree

from veml_vcs.errors import DamagedError
from veml_vcs.repository.git.repo import GitRepo

SUFFIX = b".veml"
_KEPT_TREES = 4096


@dataclass(frozen=True)
class Brought:
    """A version that a commit brought.

    Attributes:
        path: Of its record.
        version: Blob id of the record.
        replaced: What the parents had there, each once.
    """

    path: str
    version: str
    replaced: tuple[str, ...]


def brought_of(
    path: bytes, here: tuple[int, bytes], before: Iterable[tuple[int, bytes]]
) -> Brought | None:
    """Return what a commit brought at a path that it has otherwise than all of its parents.

    Args:
        path: Ends like a record's.
        here: Mode and id of what it has there.
        before: Of what the parents had there.

    Returns:
        None if that is no file, or if nothing but its mode changed.
    """
    mode, sha = here
    if not stat.S_ISREG(mode):
        return None
    old = dict.fromkeys(one.decode() for kind, one in before if stat.S_ISREG(kind))
    version = sha.decode()
    return None if version in old else Brought(os.fsdecode(path), version, tuple(old))


class Records:
    """Compares the records of Git trees; folders that are the same are not read.

    Args:
        git: The repository.
    """

    def __init__(self, git: GitRepo) -> None:
        self._store = git.dulwich.object_store
        self._entries = lru_cache(_KEPT_TREES)(self._read)

    def brought(self, tree: bytes, parents: Sequence[bytes]) -> Iterator[Brought]:
        """List the records of a tree that no parent's tree has at their path.

        Args:
            tree: Id of a commit's tree.
            parents: Those of its parents.

        Raises:
            DamagedError: A tree cannot be read.
        """
        yield from self._compare(tree, [one for one in parents if one], b"")

    def _compare(self, tree: bytes, parents: list[bytes], above: bytes) -> Iterator[Brought]:
        if tree in parents:
            return
        before = [self._entries(one) for one in parents]
        for name, (mode, sha) in self._entries(tree).items():
            there = [one[name] for one in before if name in one]
            if (mode, sha) in there:
                continue
            if stat.S_ISDIR(mode):
                folders = [one for kind, one in there if stat.S_ISDIR(kind)]
                yield from self._compare(sha, folders, above + name + b"/")
            elif name.endswith(SUFFIX):
                one = brought_of(above + name, (mode, sha), there)
                if one is not None:
                    yield one

    def _read(self, tree: bytes) -> dict[bytes, tuple[int, bytes]]:
        try:
            found = self._store[ObjectID(tree)]
        except KeyError as error:
            raise DamagedError(
                f"Git does not have the tree {tree.decode()}", kind="git-damaged"
            ) from error
        if not isinstance(found, GitTree):
            return {}
        return {
            name: (mode, sha)
            for name, mode, sha in found.iteritems()
            if stat.S_ISDIR(mode) or name.endswith(SUFFIX)
        }
