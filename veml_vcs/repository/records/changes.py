"""Which records of one kind differ between two states; how is said by the kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic

from veml_vcs.repository.git.repo import TreeFile
from veml_vcs.repository.records.versions import records_in
from veml_vcs.repository.repository import Repository
from veml_vcs.versions.kinds import R, RecordKind

Wanted = Callable[[str], bool]
Files = Mapping[str, TreeFile]


@dataclass(frozen=True)
class RecordDiff:
    """How one record differs.

    Attributes:
        name: The model, training or inference version's name.
        path: Its record, from the repository's root.
        kind: ``new``, ``modified`` or ``deleted``.
    """

    name: str
    path: str
    kind: str


@dataclass(frozen=True)
class Pair(Generic[R]):
    """A name whose record differs between two states.

    Attributes:
        name: The name.
        old: The record before; None if there was none.
        new: The record after; None if there is none.
    """

    name: str
    old: R | None
    new: R | None

    @property
    def change(self) -> str:
        """``new``, ``modified`` or ``deleted``."""
        return "new" if self.old is None else "deleted" if self.new is None else "modified"


def changed_records(
    repo: Repository,
    kind: RecordKind[R],
    before: Files,
    after: Files,
    wanted: Wanted = lambda _path: True,
) -> Iterator[Pair[R]]:
    """Compare the records of two Git trees, or of one and the index; yield those that differ.

    A record that cannot be read, on either side, is left to whoever compares ordinary files.

    Args:
        repo: The repository.
        kind: Of which records.
        before: The files of the first.
        after: The files of the second.
        wanted: Tells whether a path is asked for.
    """
    changed = {
        path
        for path in before.keys() | after.keys()
        if kind.may_be(path) and before.get(path) != after.get(path) and wanted(path)
    }
    left, right = (
        records_in(repo, kind, {path: files[path] for path in changed & files.keys()}).records
        for files in (before, after)
    )
    for name in sorted({*left, *right}):
        path = kind.path(name)
        old, new = left.get(name), right.get(name)
        if (old is None and path in before) or (new is None and path in after):
            continue  # one side is no record
        yield Pair(name, old, new)
