"""Which records a commit brought, and which took the place of which: Git's trees compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dulwich.objects import ObjectID
from dulwich.objects import Tree as GitTree

from veml_vcs.errors import DamagedError
from veml_vcs.repository.git.repo import GitRepo

_SUFFIX = b".veml"
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
            elif stat.S_ISREG(mode) and name.endswith(_SUFFIX):
                old = dict.fromkeys(one.decode() for kind, one in there if stat.S_ISREG(kind))
                if sha.decode() not in old:  # a change of its mode is no new version
                    yield Brought(os.fsdecode(above + name), sha.decode(), tuple(old))

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
            if stat.S_ISDIR(mode) or name.endswith(_SUFFIX)
        }
