"""What a commit reaches, without walking there: each commit has a place in a chain.

Commits of a chain come from each other in order of their keys, so what is reached is a beginning of
each chain (Jagadish 1990; docs/design/033-reachability.md). Here is how commits get their places
and lose them, and what of each chain is reached; what that is good for stands in ``commits``.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Collection, Iterable, Sequence

from veml_vcs.lineage.sqlite.rows import FIRST, SECOND

_LAST_LINKS = (
    # The last link into each other chain: a seek for each, however many links there are.
    f"WITH RECURSIVE ends (chain, key) AS MATERIALIZED (SELECT {FIRST}, {SECOND} "
    "FROM json_each(?)), pair (chain, key, far) AS ("
    "SELECT chain, key, (SELECT min(far) FROM link k WHERE k.chain = ends.chain) FROM ends "
    "UNION ALL SELECT chain, key, (SELECT min(far) FROM link k WHERE k.chain = pair.chain "
    "AND k.far > pair.far) FROM pair WHERE far IS NOT NULL LIMIT ?), "
    "last (far, key, target) AS (SELECT k.far, k.key, k.target FROM pair CROSS JOIN link k "
    "ON k.chain = pair.chain AND k.far = pair.far AND k.key = (SELECT max(key) FROM link m "
    "WHERE m.chain = pair.chain AND m.far = pair.far AND m.key <= pair.key)) "
)
_WALK = (
    "WITH RECURSIVE old (key) AS (SELECT value FROM json_each(?) UNION SELECT e.target FROM old "
    "CROSS JOIN edge e ON e.source = old.key AND e.kind = 'parent') "
    "SELECT p.chain, max(p.key) FROM old CROSS JOIN place p ON p.key = old.key GROUP BY 1"
)
_NO_LIMIT = -1
_FEW_PAIRS = 1000
_COMMITS_A_PAIR = 40
"""So much of history is walked while a pair of chains is looked up, several times over: where there
are more pairs, little is lost by having tried."""


def reached(connection: sqlite3.Connection, commits: Collection[int]) -> dict[int, int]:
    """Return what commits reach, themselves included.

    Args:
        connection: To the file.
        commits: Their keys; what is no commit's reaches nothing.

    Returns:
        Chain -> the highest key in it that is reached.
    """
    starts = json.dumps(list(commits))
    do = connection.execute
    wave = dict(
        do(
            "SELECT p.chain, max(p.key) FROM json_each(?) k CROSS JOIN place p ON p.key = k.value "
            "GROUP BY 1",
            (starts,),
        ).fetchall()
    )
    (count,) = do("SELECT coalesce(max(count), 0) FROM tally WHERE what = 'node' "
                  "AND kind = 'commit'").fetchone()  # fmt: skip
    left = _FEW_PAIRS + count // _COMMITS_A_PAIR
    found: dict[int, int] = {}
    while wave:
        found |= wave
        links = dict(
            do(
                f"{_LAST_LINKS} SELECT far, max(target) FROM last GROUP BY far "
                "UNION ALL SELECT NULL, count(*) FROM pair",  # with those that begin higher up
                (json.dumps(list(wave.items())), left),
            ).fetchall()
        )
        left -= links.pop(None)
        if left <= 0:  # branches that are merged into each other without end: it is quicker to walk
            return dict(do(_WALK, (starts,)).fetchall())
        wave = {chain: key for chain, key in links.items() if key > found.get(chain, 0)}
    return found


class Places:
    """Gives new commits their places, and takes those away that go.

    Args:
        connection: Inside a transaction.
        first: Keys from here on are given to what is new.
    """

    def __init__(self, connection: sqlite3.Connection, first: int) -> None:
        self._do = connection.execute
        self._many = connection.executemany
        self._first = first
        self._chains: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._targets: dict[tuple[int, int], int] = {}
        # Chain -> what it reaches last of others: chain -> from which key on, how far; in order.
        self._merged: dict[int, dict[int, tuple[int, int]]] = {}
        self._trunk: dict[int, int] = {}
        self._branches: frozenset[int] = frozenset()
        self._later: list[tuple[int, int]] = []
        self._places: list[tuple[int, int]] = []
        self._links: list[tuple[int, int, int, int]] = []

    def stand(self, branches: Collection[int]) -> None:
        """Say where branches stand: what leaves from there is another branch, or was."""
        self._branches = frozenset(branches)

    def add(self, commits: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Place commits.

        Args:
            commits: Key, and keys of the parents; each after its parents, circles aside.
        """
        chains, ends = self._chains, self._ends
        commits = list(commits)
        self._trunk = _trunk(commits)
        for key, parents in commits:
            if (
                len(parents) == 1
                and ends.get(chains.get(parents[0], 0)) == parents[0] < key
                and self._goes_on(parents[0], key)
            ):
                chain = chains[parents[0]]  # most of history
                parents = ()
            else:
                chain = self._going_on(key, parents)
            chains[key] = chain
            ends[chain] = key
            self._places.append((key, chain))
            for parent in sorted(parents, reverse=True):  # of two in a chain the higher
                far = self._chain(parent)
                if far is None:
                    self._later.append((key, parent))
                elif far != chain:
                    self._link(chain, far, key, parent)
        self._write()

    def close(self) -> None:
        """Link to parents that were added after their children: grafts can make circles."""
        for key, parent in self._later:
            ends = (self._chain(key), self._chain(parent), key, parent)
            # Targets ascend along a chain, here too.
            self._do(
                "INSERT INTO link SELECT ?1, ?2, ?3, max(?4, coalesce(max(target), 0)) FROM link "
                "WHERE chain = ?1 AND far = ?2 AND key < ?3 "
                "ON CONFLICT (chain, far, key) DO UPDATE SET target = max(target, excluded.target)",
                ends,
            )
            self._do(
                "UPDATE link SET target = max(target, ?4) "
                "WHERE chain = ?1 AND far = ?2 AND key > ?3",
                ends,
            )
        self._later.clear()

    def remove(self, gone: Collection[int]) -> None:
        """Take away the places of commits, while their edges are still there."""
        for key in gone:
            chain = self._chain(key)
            parents = self._do(
                "SELECT target FROM edge WHERE source = ? AND kind = 'parent'", (key,)
            ).fetchall()
            self._many(
                "DELETE FROM link WHERE chain = ? AND far = ? AND key = ?",
                [(chain, self._chain(parent), key) for (parent,) in parents],
            )
        self._many("DELETE FROM place WHERE key = ?", [(key,) for key in gone])
        for known in (self._chains, self._ends, self._targets, self._merged):
            known.clear()
        self._first = sys.maxsize

    def _going_on(self, key: int, parents: Sequence[int]) -> int:
        """Return the chain that a new commit goes on with, or begins."""
        for parent in parents:
            chain = self._chain(parent)
            if (
                chain is not None
                and self._end(chain) == parent < key
                and self._goes_on(parent, key)
            ):
                return chain
        chain = self._chain(parents[0]) if parents else None
        if chain is None:
            return key
        merged = self._merged_into(chain)
        while merged:
            far, (at, target) = next(iter(merged.items()))
            if self._end(far) == target:
                if at > parents[0]:
                    break
                if target < key and self._trunk.get(target, key) == key:
                    return far
            del merged[far]
        return key

    def _goes_on(self, parent: int, key: int) -> bool:
        return self._trunk.get(parent, key) == key and parent not in self._branches

    def _link(self, chain: int, far: int, key: int, target: int) -> None:
        if self._target(chain, far) >= target:
            return
        self._targets[chain, far] = target
        self._links.append((chain, far, key, target))
        if chain in self._merged or chain >= self._first:
            merged = self._merged_into(chain)
            merged.pop(far, None)
            merged[far] = (key, target)

    def _chain(self, key: int) -> int | None:
        """Return the chain of a commit; None if it has no place yet."""
        if key not in self._chains and key < self._first:
            row = self._do("SELECT chain FROM place WHERE key = ?", (key,)).fetchone()
            if row is not None:
                self._chains[key] = int(row[0])
        return self._chains.get(key)

    def _end(self, chain: int) -> int:
        if chain not in self._ends:
            row = self._do("SELECT max(key) FROM place WHERE chain = ?", (chain,)).fetchone()
            self._ends[chain] = int(row[0])
        return self._ends[chain]

    def _target(self, chain: int, far: int) -> int:
        """Return how far a chain reaches into another; 0 if it does not."""
        if (chain, far) not in self._targets:
            row = None
            if chain < self._first:
                row = self._do(
                    "SELECT target FROM link WHERE chain = ? AND far = ? ORDER BY key DESC LIMIT 1",
                    (chain, far),
                ).fetchone()
            self._targets[chain, far] = 0 if row is None else int(row[0])
        return self._targets[chain, far]

    def _merged_into(self, chain: int) -> dict[int, tuple[int, int]]:
        if chain not in self._merged:
            self._merged[chain] = {}
            if chain < self._first:
                self._write()
                rows = self._do(
                    f"{_LAST_LINKS} SELECT far, key, target FROM last ORDER BY key",
                    (json.dumps([(chain, sys.maxsize)]), _NO_LIMIT),
                )
                self._merged[chain] = {far: (key, target) for far, key, target in rows}
        return self._merged[chain]

    def _write(self) -> None:
        self._many("INSERT INTO place VALUES (?, ?)", self._places)
        self._many("INSERT INTO link VALUES (?, ?, ?, ?)", self._links)
        self._places.clear()
        self._links.clear()


def _trunk(commits: Sequence[tuple[int, Sequence[int]]]) -> dict[int, int]:
    """Return which child goes on where a branch leaves: that with the longest line of history.

    Args:
        commits: Key, and keys of the parents; each after its parents.

    Returns:
        Commit -> child, of commits that are the first parent of any of these.
    """
    longest: dict[int, int] = {}
    found: dict[int, int] = {}
    for key, parents in reversed(commits):
        if parents:
            first, length = parents[0], longest.get(key, 0) + 1
            if length > longest.get(first, 0):
                longest[first], found[first] = length, key
    return found
