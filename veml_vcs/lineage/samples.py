"""Which data versions have a sample: each is asked, or an index says which need not be.

The index is of what differs between a data version and one before it. It is filled when somebody
first asks for a sample, and from then on with what is new at each question; see
``docs/design/036-which-data-has-a-sample.md``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from veml_vcs.errors import DamagedError, NotFoundError, StorageError
from veml_vcs.ids import ObjectId, SampleId, TreeId
from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.sqlite.contents import Contents, Looked, Version
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.faults import is_refusal
from veml_vcs.objects.protocol import ObjectReader
from veml_vcs.repository.progress import Progress, silent
from veml_vcs.repository.repository import Repository
from veml_vcs.samples.tree.holders import Holders
from veml_vcs.samples.tree.marks import MOST, Differences, mark_of, marks_of

_TOLD = 256
"""Of so many data versions that are asked, progress is told once."""
_LOT = 4000
"""So many data versions are written in one transaction; they are read before it."""
_FEW = 8
"""Fewer marks are not worth a look for fewer."""
_TRIES = 3


@dataclass(frozen=True)
class Unread:
    """A data version that could not be asked.

    Attributes:
        node: It.
        reason: Why.
        absent: Its data is not in this clone; else it is damaged.
    """

    node: Node
    reason: str
    absent: bool


class Holding(NamedTuple):
    """Which data versions have a sample.

    Attributes:
        nodes: Those that have it, in order of the record's path, and id.
        unread: Those that could not be asked, in the same order.
    """

    nodes: list[Node]
    unread: list[Unread]


def tree_of(node: Node) -> TreeId:
    """Return the tree of a data version, of the node: a long history has too many records."""
    return TreeId(bytes.fromhex(node.props["tree"]))


class _Asking:
    """Asks one tree after another, and remembers what could not be read."""

    def __init__(
        self, store: ObjectReader, key: str, content: SampleId, progress: Progress
    ) -> None:
        self._holders = Holders(store, key, content)
        self._what = f"asking data versions for {key}"
        self._progress = progress
        self._done = 0
        self.errors: dict[int, NotFoundError | DamagedError] = {}

    def ask(self, trees: Sequence[tuple[int, TreeId]]) -> set[int]:
        """Return which of some numbered trees have the sample."""
        found = set()
        for number, tree in trees:
            if self._done % _TOLD == 0:
                self._progress(self._what, self._done, max(len(trees), self._done))
            self._done += 1
            try:
                if self._holders.has(tree):
                    found.add(number)
            except (NotFoundError, DamagedError) as error:
                self.errors[number] = error
        return found

    def unread(self, number: int, node: Node) -> Unread:
        """Return why a node's tree could not be asked."""
        error = self.errors[number]
        return Unread(node, error.message, isinstance(error, NotFoundError))


def ask_each(
    store: ObjectReader,
    nodes: Sequence[Node],
    key: str,
    content: SampleId,
    progress: Progress = silent,
) -> Holding:
    """Ask each of some data versions whether it has a content under a key."""
    asking = _Asking(store, key, content, progress)
    found = asking.ask([(number, tree_of(node)) for number, node in enumerate(nodes)])
    return Holding(
        [nodes[number] for number in sorted(found)],
        [asking.unread(number, nodes[number]) for number in sorted(asking.errors)],
    )


class SampleIndex:
    """Knows which data versions have to be asked, and what follows of the others.

    Args:
        base: The file, which is brought to where the history is.
        repo: Has the data of this clone.
        progress: Is told how far filling it is, and asking.
    """

    def __init__(self, base: Database, repo: Repository, progress: Progress = silent) -> None:
        self._base = base
        self._repo = repo
        self._progress = progress

    def holding(self, key: str, content: SampleId) -> Holding | None:
        """Return which data versions have a content under a key, as if each had been asked.

        What was read once is known from then on: its loss is not seen here.

        Returns:
            None where there can be no index, since nothing can be written.
        """
        for _ in range(_TRIES):
            if not self.fill():
                return None
            contents = Contents(self._base.connection)
            with contents.at_once():
                if contents.complete and not contents.new():
                    return self._ask(contents, key, content)
        return None  # others write without end

    def fill(self) -> bool:
        """Look at data versions that are new, or whose data has come.

        Several processes may do so at once, and each may be ended at any time.

        Returns:
            False where nothing can be written.
        """
        try:
            while self._base.unkept is None:
                if self._filled():
                    return True
        except sqlite3.DatabaseError as error:
            if not is_refusal(error):
                raise
        except StorageError:  # another process writes for very long
            pass
        return False

    def _filled(self) -> bool:
        """Do it; False where the tables were emptied meanwhile."""
        contents = Contents(self._base.connection)
        generation = contents.generation
        some = [one for one in contents.unread() if ObjectId(one.tree) in self._repo.store]
        some += contents.new()
        if contents.complete and not some:
            return True
        trees = Differences(self._repo.store)
        for start in range(0, max(1, len(some)), _LOT):
            lot = some[start : start + _LOT]
            looked = []
            for done, (one, before) in enumerate(zip(lot, contents.before(lot), strict=True)):
                if done % _TOLD == 0:
                    what = "reading which data has which samples"
                    self._progress(what, start + done, len(some))
                looked.append(self._looked(one, before, trees))
            with self._base.changing():
                if contents.generation != generation:
                    return False
                contents.add(looked)
                if start + _LOT >= len(some):
                    contents.finish()
        return True

    def _looked(self, version: Version, before: Sequence[Version], trees: Differences) -> Looked:
        """Compare a version with what it differs least from."""
        base, pairs, again, most = None, None, False, MOST
        bases: list[tuple[str, TreeId | None]] = [*before, ("", None)]
        for one, tree in bases:
            try:
                found = trees.differ(tree, version.tree, most)
            except (DamagedError, NotFoundError):
                again = True
                continue
            if found is not None:
                base, pairs, most = one, found, len(found) - 1
            if most < _FEW:
                break
        if pairs is None:
            return Looked(version, again=again)
        return Looked(version, base, sorted(set(marks_of(pairs))))

    def _ask(self, contents: Contents, key: str, content: SampleId) -> Holding:
        asking = _Asking(self._repo.store, key, content, self._progress)
        pending = contents.marked(mark_of(key, content))
        asked: set[int] = set()
        have: set[int] = set()
        while pending:
            asked |= pending.keys()
            have |= asking.ask(sorted(pending.items()))
            # Of what cannot be read nothing follows: what is compared with it is asked itself.
            below = contents.below(pending.keys() & asking.errors.keys())
            pending = {one: tree for one, tree in below.items() if one not in asked}
        return Holding(
            [node for _, node in contents.nodes(contents.spread(have, asked))],
            [asking.unread(*one) for one in contents.nodes(asking.errors)],
        )
