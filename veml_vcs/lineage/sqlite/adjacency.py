"""Every version's neighbours as arrays: a walk over much of history reads these, not an index.

A row of the table ``adjacency`` has the neighbours of ``CHUNK`` keys, one way: where those of each
key start, which they are, the edges to what was added later, and between which groups of keys
there are edges, as little-endian ``int32``. A row is read when a walk comes there. It says what
the edges of the kinds ``LINEAGE`` say; of others arrays are made from the edges when they are
asked for.
It does not walk (``walks``, ``shortest``), and does not know what a version is.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

from veml_vcs.lineage.graph import LINEAGE
from veml_vcs.lineage.store import Direction

SHIFT = 9
CHUNK = 1 << SHIFT
"""Keys a row: a commit writes up to some five rows anew, of about 10 KB."""
GROUP_SHIFT = 5
"""Groups are of 32 keys: with twice as many a long path looks at up to four times as many nodes."""
_WAYS: dict[Direction, int] = {"up": 0, "down": 1}
_KINDS = ", ".join(f"'{one}'" for one in LINEAGE)
_EVENTS = {"INSERT": "NEW", "DELETE": "OLD"}

Row = tuple["array[int]", "array[int]"]
"""Starts, and ends: keys. Those of the row's nth key are ``ends[starts[n] : starts[n + 1]]``."""
_EMPTY: Row = array("i", bytes(4 * (CHUNK + 1))), array("i")


class Neighbours(NamedTuple):
    """The neighbours of each key, one way.

    Attributes:
        rows: ``key >> SHIFT`` -> its row, in which it is number ``key & (CHUNK - 1)``.
        size: More than any key.
        against: Edges (key, neighbour) to what was added later, or to the key itself, in order:
            few, where keys are in order of history. Of ``up`` alone.
    """

    rows: Mapping[int, Row]
    size: int
    against: list[tuple[int, int]]

    def of(self, key: int) -> array[int]:
        """Return those of a key, in order."""
        starts, ends = self.rows[key >> SHIFT]
        at = key & (CHUNK - 1)
        return ends[starts[at] : starts[at + 1]]


class _Kept(dict[int, Row]):
    """Rows of the table, each read when it is first asked for."""

    def __init__(self, connection: sqlite3.Connection, way: Direction, size: int) -> None:
        super().__init__()
        self._do = connection.execute
        self._way = _WAYS[way]
        self._size = size

    def __missing__(self, chunk: int) -> Row:
        if not 0 <= chunk << SHIFT < self._size:
            raise IndexError(f"no key is in chunk {chunk}")
        row = self._do(
            "SELECT starts, ends FROM adjacency WHERE way = ? AND chunk = ?", (self._way, chunk)
        ).fetchone()
        found = _EMPTY if row is None else (_array(row[0]), _array(row[1]))
        if len(found[0]) != CHUNK + 1:
            raise ValueError(f"{len(found[0])} starts, expected {CHUNK + 1}")
        self[chunk] = found
        return found


class _Made(dict[int, Row]):
    """Rows made of edges."""

    def __missing__(self, _chunk: int) -> Row:
        return _EMPTY


class Adjacency:
    """Reads the arrays, once for each state of the file.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._state: tuple[int, ...] = ()
        self._known: dict[tuple[Direction, frozenset[str]], Neighbours] = {}

    def of(self, way: Direction, kinds: Sequence[str]) -> Neighbours:
        """Return where edges of some kinds lead, ``up`` or ``down``."""
        do = self._connection.execute
        state = (*do("PRAGMA data_version").fetchone(), self._connection.total_changes)
        if state != self._state:
            self._state = state
            self._known.clear()
        key = (way, frozenset(kinds))
        if key not in self._known:
            size = _size(self._connection)
            if key[1] == frozenset(LINEAGE):
                against = _against(self._connection) if way == "up" else []
                found = Neighbours(_Kept(self._connection, way, size), size, against)
            else:
                found = _made(self._connection, way, kinds, size)
            self._known[key] = found
        return self._known[key]

    def groups(self, ways: Sequence[Direction], kinds: Sequence[str]) -> dict[int, list[int]]:
        """Return where edges of some kinds lead from a group of keys to others (``GROUP_SHIFT``).

        Args:
            ways: ``up``, ``down`` or both.
            kinds: Of edges.
        """
        if frozenset(kinds) == frozenset(LINEAGE):
            told = [
                _array(row[0]) for row in self._connection.execute(
                    "SELECT groups FROM adjacency WHERE way = 0 ORDER BY chunk"
                )
            ]  # fmt: skip
        else:
            rows = self.of("up", kinds).rows
            told = [_groups(chunk, row) for chunk, row in rows.items()]
        found: dict[int, list[int]] = defaultdict(list)
        for pairs in told:
            for near, far in zip(pairs[::2], pairs[1::2], strict=True):
                if "up" in ways:
                    found[near].append(far)
                if "down" in ways:
                    found[far].append(near)
        return found


def says_what_edges_say(connection: sqlite3.Connection) -> bool:
    """Tell whether the table is what the edges make of it; damage to it is seen by nobody else."""
    size = _size(connection)
    kept = connection.execute(
        "SELECT way, chunk, against, groups, starts, ends FROM adjacency ORDER BY way, chunk"
    )
    right = (
        (number, *_columns(number, chunk, row))
        for way, number in _WAYS.items()
        for chunk, row in sorted(_made(connection, way, LINEAGE, size).rows.items())
    )
    return kept.fetchall() == list(right)


def _size(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT coalesce(max(key), 0) FROM node").fetchone()
    return int(last) + 1


def _against(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for (data,) in connection.execute(
        "SELECT against FROM adjacency WHERE way = 0 AND against <> x'' ORDER BY chunk"
    ):
        told = _array(data)
        found += zip(told[::2], told[1::2], strict=True)
    return found


def _made(
    connection: sqlite3.Connection, way: Direction, kinds: Sequence[str], size: int
) -> Neighbours:
    marks = ", ".join("?" * len(kinds))
    near, far = ("source", "target") if way == "up" else ("target", "source")
    pairs = connection.execute(
        f"SELECT DISTINCT {near}, {far} FROM edge WHERE kind IN ({marks}) ORDER BY 1, 2",
        tuple(kinds),
    ).fetchall()
    against = [(one, other) for one, other in pairs if one <= other] if way == "up" else []
    return Neighbours(rows_of(pairs), size, against)


def rows_of(pairs: Iterable[tuple[int, int]]) -> Mapping[int, Row]:
    """Return the rows that sorted pairs of a key and its neighbour make."""
    counts: dict[int, array[int]] = {}
    ends: dict[int, array[int]] = {}
    for near, far in pairs:
        chunk = near >> SHIFT
        if chunk not in counts:
            counts[chunk], ends[chunk] = array("i", bytes(4 * CHUNK)), array("i")
        counts[chunk][near & (CHUNK - 1)] += 1
        ends[chunk].append(far)
    return _Made({one: (_starts(counts[one]), ends[one]) for one in counts})


def _starts(counts: Iterable[int]) -> array[int]:
    return array("i", accumulate(counts, initial=0))


def _groups(chunk: int, row: Row) -> array[int]:
    """Return pairs of groups, one after the other, in order: an edge leads from one to the other.

    Edges inside of a group are left out.
    """
    starts, ends = row
    size = 1 << GROUP_SHIFT
    found = array("i")
    for first in range(0, CHUNK, size):
        near = ((chunk << SHIFT) + first) >> GROUP_SHIFT
        some = {far >> GROUP_SHIFT for far in ends[starts[first] : starts[first + size]]}
        for far in sorted(some - {near}):
            found.extend((near, far))
    return found


def _columns(way: int, chunk: int, row: Row) -> tuple[int, bytes, bytes, bytes, bytes]:
    """Return the chunk, and what stands beside it in the table."""
    starts, ends = row
    against, groups = array("i"), array("i")
    if way == 0:
        some = iter(ends)
        for key, (start, stop) in enumerate(pairwise(starts), chunk << SHIFT):
            for far in islice(some, stop - start):
                if far >= key:
                    against.extend((key, far))
        groups = _groups(chunk, row)
    return chunk, _bytes(against), _bytes(groups), _bytes(starts), _bytes(ends)


class AdjacencyWriter:
    """Keeps the arrays as the edges are, inside one transaction.

    Args:
        connection: To the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._do = connection.execute
        self._many = connection.executemany

    def follow(self) -> None:
        """Note which edges come and go from now on, by triggers of this connection alone."""
        self._do("CREATE TEMP TABLE IF NOT EXISTS moved (source INTEGER, target INTEGER)")
        self._do("DELETE FROM moved")
        for event, row in _EVENTS.items():
            self._do(
                f"CREATE TEMP TRIGGER moved_{event} AFTER {event} ON main.edge "
                f"WHEN {row}.kind IN ({_KINDS}) "
                f"BEGIN INSERT INTO moved VALUES ({row}.source, {row}.target); END"
            )

    def catch_up(self) -> None:
        """Change what was noted, and note no more."""
        for event in _EVENTS:
            self._do(f"DROP TRIGGER temp.moved_{event}")
        moved = self._do(
            "SELECT m.source, m.target, EXISTS (SELECT 1 FROM edge e WHERE e.source = m.source "
            f"AND e.target = m.target AND e.kind IN ({_KINDS})) "
            "FROM (SELECT DISTINCT source, target FROM moved) m"
        ).fetchall()
        changes: dict[tuple[int, int], dict[int, list[tuple[int, bool]]]] = {}
        for source, target, there in moved:
            for way, near, far in ((0, source, target), (1, target, source)):
                nodes = changes.setdefault((way, near >> SHIFT), {})
                nodes.setdefault(near, []).append((far, bool(there)))
        for (way, chunk), nodes in changes.items():
            self._change(way, chunk, nodes)

    def build(self) -> None:
        """Make all of it from the edges."""
        self._do("DELETE FROM adjacency")
        pairs: list[tuple[int, int]] = self._do(
            f"SELECT DISTINCT source, target FROM edge WHERE kind IN ({_KINDS}) ORDER BY 1, 2"
        ).fetchall()
        for way, told in enumerate((pairs, sorted((far, near) for near, far in pairs))):
            for chunk, row in rows_of(told).items():
                self._write(way, chunk, row)

    def _change(self, way: int, chunk: int, nodes: dict[int, list[tuple[int, bool]]]) -> None:
        """Change the neighbours of some keys of a row: which, and whether they are there."""
        row = self._do(
            "SELECT starts, ends FROM adjacency WHERE way = ? AND chunk = ?", (way, chunk)
        ).fetchone()
        starts, ends = _EMPTY if row is None else (_array(row[0]), _array(row[1]))
        counts = array("i", (stop - start for start, stop in pairwise(starts)))
        after = array("i")
        done = 0
        for key in sorted(nodes):
            index = key & (CHUNK - 1)
            after += ends[done : starts[index]]
            done = starts[index + 1]
            some = ends[starts[index] : done]
            for other, there in nodes[key]:
                place = bisect_left(some, other)
                known = place < len(some) and some[place] == other
                if there and not known:
                    some.insert(place, other)
                elif known and not there:
                    del some[place]
            counts[index] = len(some)
            after += some
        after += ends[done:]
        self._write(way, chunk, (_starts(counts), after))

    def _write(self, way: int, chunk: int, row: Row) -> None:
        if row[1]:
            self._do(
                "INSERT OR REPLACE INTO adjacency VALUES (?, ?, ?, ?, ?, ?)",
                (way, *_columns(way, chunk, row)),
            )
        else:
            self._do("DELETE FROM adjacency WHERE way = ? AND chunk = ?", (way, chunk))


def _array(data: bytes) -> array[int]:
    """Return a column's numbers."""
    found = array("i", data)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _bytes(values: array[int]) -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
