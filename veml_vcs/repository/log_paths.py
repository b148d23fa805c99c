"""Which commits changed some paths: data sets, samples in them, ordinary files and folders.

History is simplified as in Git: a commit that has the paths just as a parent has is left out,
and of a merge that agrees with one parent, only that parent is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from dulwich.objects import Commit, ObjectID
from dulwich.objects import Tree as GitTree

from veml_vcs.ids import CommitId, digest
from veml_vcs.repository.git.walk import all_parents
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree import Tree
from veml_vcs.versions.data import RECORD_SUFFIX, is_data_record, parse_data_record


class PathHistory:
    """The history of some paths: which parents to go through, and which commits changed them.

    Args:
        repo: The repository.
        paths: From the repository's root.
        first_parent: Compare with the first parent of a merge alone.
        within: The commits of the range; None is all. A parent beyond it does not lead away from
            the others, even if it has the paths just so, unless it is one of ``bounds``.
        bounds: The commits that the range was said to end at.
    """

    def __init__(
        self,
        repo: Repository,
        paths: Sequence[str],
        *,
        first_parent: bool = False,
        within: Collection[bytes] | None = None,
        bounds: Collection[CommitId] = (),
    ) -> None:
        self._states = _States(repo, paths)
        self._all_parents = all_parents(repo.git)
        self._first_parent = first_parent
        self._within = within
        self._bounds = {one.encode() for one in bounds}
        self.changed: set[bytes] = set()
        """The commits that changed one of the paths, of those that were asked for."""

    def parents(self, commit: Commit) -> Sequence[bytes]:
        """Return the parents that history goes through, and note whether the commit counts."""
        every = self._all_parents(commit)
        compared = every[:1] if self._first_parent else every
        here = self._states.of(CommitId(commit.id.decode()))
        changed = {True: False, False: False}
        counts = [self._counts(one) for one in compared]
        for parent, counted in zip(compared, counts, strict=True):
            if self._states.of(CommitId(parent.decode())) != here:
                changed[counted] = True
            elif counted:
                return (parent,)
        if changed[any(counts)] or (not every and here != self._states.nothing):
            self.changed.add(commit.id)
        return every

    def _counts(self, commit: bytes) -> bool:
        return self._within is None or commit in self._within or commit in self._bounds


def changed_paths(repo: Repository, paths: Sequence[str]) -> Callable[[CommitId], bool]:
    """Return a test whether a commit changed one of the paths against each parent.

    Args:
        repo: The repository.
        paths: From the repository's root; none is every commit.
    """
    states = _States(repo, paths)

    def test(commit_id: CommitId) -> bool:
        if not paths:
            return True
        here, parents = states.of(commit_id), repo.git.parents(commit_id)
        before = [states.of(one) for one in parents] or [states.nothing]
        return here not in before

    return test


class _States:
    """What each commit has at the paths, as values that can be compared."""

    def __init__(self, repo: Repository, paths: Sequence[str]) -> None:
        self._repo = repo
        self._paths = paths
        self._known: dict[CommitId, tuple[Any, ...]] = {}
        self._keys: dict[tuple[bytes, str], Any] = {}
        self.nothing: tuple[Any, ...] = tuple((None, None, None) for _ in paths)

    def of(self, commit_id: CommitId) -> tuple[Any, ...]:
        if commit_id not in self._known:
            tree = self._repo.git.commit(commit_id).tree
            self._known[commit_id] = tuple(self._at(tree, path) for path in self._paths)
        return self._known[commit_id]

    def _at(self, tree: bytes, path: str) -> tuple[Any, ...]:
        """Return Git's entry, the record beside it, and what a data set above has there."""
        if not path:
            return (tree, None, None)
        own = _lookup(self._repo, tree, path)
        record = _lookup(self._repo, tree, path + RECORD_SUFFIX)
        inside = None
        for place in (i for i, char in enumerate(path) if char == "/"):
            above = _lookup(self._repo, tree, path[:place] + RECORD_SUFFIX)
            if above is not None:
                inside = self._inside(above, path[:place], path[place + 1 :])
        return (own, record, inside)

    def _inside(self, blob: bytes, dataset: str, key: str) -> Any:
        if (blob, key) not in self._keys:
            self._keys[blob, key] = self._read(blob, dataset, key)
        return self._keys[blob, key]

    def _read(self, blob: bytes, dataset: str, key: str) -> Any:
        data = self._repo.git.dulwich.object_store[ObjectID(blob)].as_raw_string()
        if not is_data_record(data):
            return None
        tree = Tree(self._repo.store, parse_data_record(data, dataset).tree)
        entry = tree.get(key)
        if entry is not None:
            return entry
        below = [(one, entry) for one, entry in tree.items() if one.startswith(key + "/")]
        return digest(repr(below).encode("utf-8", "surrogateescape")) if below else None


def _lookup(repo: Repository, tree: bytes, path: str) -> bytes | None:
    store = repo.git.dulwich.object_store
    found = store[ObjectID(tree)]
    for part in path.encode("utf-8", "surrogateescape").split(b"/"):
        if not isinstance(found, GitTree):
            return None
        try:
            _, sha = found[part]
        except KeyError:
            return None
        if sha not in store:
            return bytes(sha)  # a submodule's commit
        found = store[sha]
    return bytes(found.id)
