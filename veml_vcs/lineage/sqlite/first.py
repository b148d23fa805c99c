"""A graph that is filled from nothing: what follows from what commits brought, without asking.

``Writer.settle`` asks the tables what changed. Where there was nothing before, all of it is known
here while it is written, and the tables get their indexes when they are full: each then is sorted
once, where a row at a time would be looked for in a large file. The same rows either way: the
tests compare a graph that followed with one that was built anew.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from veml_vcs.lineage.sqlite.database import make_indexes
from veml_vcs.repository.git.brought import Brought

_KEPT = 10_000


class First:
    """Remembers what a graph that was empty gets.

    Args:
        connection: To tables without indexes, in the transaction that fills them.

    Attributes:
        kinds: Commits and versions that are known -> their kinds.
        skipped: Versions that cannot be taken at a path.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._do = connection.execute
        self._many = connection.executemany
        self.kinds: dict[str, str] = {}
        self.skipped: set[tuple[str, str]] = set()
        self._names: dict[str, str] = {}
        self._revised: list[tuple[str, str]] = []
        self._told: dict[tuple[str, ...], str] = {}

    def known(self, ids: Iterable[str]) -> dict[str, str]:
        """Return which of some nodes are known -> their kinds."""
        kinds = self.kinds
        return {one: kinds[one] for one in ids if one in kinds}

    def brought(
        self, keys: Mapping[str, int], commits: Iterable[tuple[str, Sequence[Brought]]]
    ) -> None:
        """Add what commits contain.

        Args:
            keys: Of rows, by id.
            commits: Ids, with what they brought.
        """
        kinds, names, skipped = self.kinds, self._names, self.skipped
        rows: list[tuple[int, int, str]] = []
        for commit, items in commits:
            paths: dict[str, list[str]] = {}
            for item in items:
                version, path = item.version, item.path
                if version not in kinds or (version, path) in skipped:
                    continue
                paths.setdefault(version, []).append(path)
                if path < names.setdefault(version, path):
                    names[version] = path
                self._revised += [(version, old) for old in item.replaced]
            key = keys[commit]
            rows += [(key, keys[one], self._paths(tuple(told))) for one, told in paths.items()]
        self._many("INSERT INTO edge VALUES (?, 'contains', ?, ?)", rows)

    def settle(self, keys: Mapping[str, int]) -> None:
        """Add what could be known at the end alone, the indexes, and how many there are of a kind.

        Args:
            keys: Of rows, by id.
        """
        kinds = self.kinds
        revised = {
            (keys[new], keys[old]) for new, old in self._revised if kinds.get(old) == kinds[new]
        }
        self._many("INSERT OR IGNORE INTO edge VALUES (?, 'revision_of', ?, '{}')", sorted(revised))
        self._many("UPDATE node SET name = ?2 WHERE key = ?1",
                   ((keys[one], name) for one, name in self._names.items()))  # fmt: skip
        make_indexes(self._connection)
        self._do("DELETE FROM tally")
        for table in ("node", "edge"):
            self._do("INSERT INTO tally SELECT ?1, kind, count(*) "
                     f"FROM {table} GROUP BY kind", (table,))  # fmt: skip

    def _paths(self, paths: tuple[str, ...]) -> str:
        """Return paths as SQLite writes them, which ``Writer.settle`` has do it."""
        told = self._told.get(paths)
        if told is None:
            (told,) = self._do(
                "SELECT json_object('paths', json_group_array(value)) FROM json_each(?)",
                (json.dumps(sorted(paths)),),
            ).fetchone()
            if len(self._told) < _KEPT:
                self._told[paths] = told
        return told
