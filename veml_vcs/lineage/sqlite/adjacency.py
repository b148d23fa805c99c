"""Every version's neighbours as arrays: a walk over all of history reads these, not an index.

A row of the table ``adjacency`` has the neighbours of ``CHUNK`` keys, one way: how many each key
has, which, and the edges to what was added later, as little-endian ``int32``. It says what the
edges of the kinds ``LINEAGE`` say; of others arrays are made from the edges when they are asked
for.
It does not walk (``walks``), and does not know what a version is.
"""

from __future__ import annotations

import sqlite3
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from veml_vcs.lineage.graph import LINEAGE
from veml_vcs.lineage.store import Direction

CHUNK = 512
"""Keys a row: a commit writes up to some five rows anew, of about 10 KB."""
_WAYS: dict[Direction, int] = {"up": 0, "down": 1}
_KINDS = ", ".join(f"'{one}'" for one in LINEAGE)
_EVENTS = {"INSERT": "NEW", "DELETE": "OLD"}


class Neighbours(NamedTuple):
    """The neighbours of each key, one way.

    Attributes:
        starts: Those of a key are ``ends[starts[key] : starts[key + 1]]``, in order.
        ends: Keys.
        against: Edges (key, neighbour) to what was added later, or to the key itself, in order:
            few, where keys are in order of history. Of ``up`` alone.
    """

    starts: list[int]
    ends: array[int]
    against: list[tuple[int, int]]


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
            (last,) = do("SELECT coalesce(max(key), 0) FROM node").fetchone()
            read = _read if key[1] == frozenset(LINEAGE) else _made
            self._known[key] = read(self._connection, way, kinds, int(last) + 1)
        return self._known[key]


def says_what_edges_say(connection: sqlite3.Connection) -> bool:
    """Tell whether the table is what the edges make of it; damage to it is seen by nobody else."""
    (last,) = connection.execute("SELECT coalesce(max(key), 0) FROM node").fetchone()
    try:
        return all(
            _read(connection, way, LINEAGE, last + 1) == _made(connection, way, LINEAGE, last + 1)
            for way in _WAYS
        )
    except (ValueError, IndexError):  # columns that are not of a length
        return False


def _read(
    connection: sqlite3.Connection, way: Direction, kinds: Sequence[str], size: int
) -> Neighbours:
    counts, ends, against = array("i"), array("i"), array("i")
    for chunk, *row in connection.execute(
        "SELECT chunk, counts, ends, against FROM adjacency WHERE way = ? ORDER BY chunk",
        (_WAYS[way],),
    ):
        counts.frombytes(bytes(4 * (chunk * CHUNK - len(counts))))
        for values, data in zip((counts, ends, against), row, strict=True):
            values.frombytes(data)
    if sys.byteorder == "big":
        for values in (counts, ends, against):
            values.byteswap()
    counts.frombytes(bytes(4 * max(0, size - len(counts))))
    pairs = list(zip(against[::2], against[1::2], strict=True))
    return Neighbours(list(accumulate(counts, initial=0)), ends, pairs)


def _made(
    connection: sqlite3.Connection, way: Direction, kinds: Sequence[str], size: int
) -> Neighbours:
    marks = ", ".join("?" * len(kinds))
    near, far = ("source", "target") if way == "up" else ("target", "source")
    pairs = connection.execute(
        f"SELECT DISTINCT {near}, {far} FROM edge WHERE kind IN ({marks}) ORDER BY 1, 2",
        tuple(kinds),
    ).fetchall()
    counts, ends = _counted(pairs, size)
    against = [(one, other) for one, other in pairs if one <= other] if way == "up" else []
    return Neighbours(list(accumulate(counts, initial=0)), ends, against)


def _counted(pairs: Iterable[tuple[int, int]], size: int) -> tuple[array[int], array[int]]:
    """Return how many there are of each first, and all seconds, of sorted pairs."""
    counts, ends = array("i", bytes(4 * size)), array("i")
    for near, far in pairs:
        counts[near] += 1
        ends.append(far)
    return counts, ends


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
                nodes = changes.setdefault((way, near // CHUNK), {})
                nodes.setdefault(near, []).append((far, bool(there)))
        for (way, chunk), nodes in changes.items():
            self._change(way, chunk, nodes)

    def build(self) -> None:
        """Make all of it from the edges."""
        self._do("DELETE FROM adjacency")
        pairs: list[tuple[int, int]] = self._do(
            f"SELECT DISTINCT source, target FROM edge WHERE kind IN ({_KINDS}) ORDER BY 1, 2"
        ).fetchall()
        if not pairs:
            return
        size = 1 + max(max(pair) for pair in pairs)
        for way, told in enumerate((pairs, sorted((far, near) for near, far in pairs))):
            counts, ends = _counted(told, size)
            starts = list(accumulate(counts, initial=0))
            for first in range(0, size, CHUNK):
                last = min(first + CHUNK, size)
                if starts[last] > starts[first]:
                    self._write(
                        way, first // CHUNK, counts[first:last], ends[starts[first] : starts[last]]
                    )

    def _change(self, way: int, chunk: int, nodes: dict[int, list[tuple[int, bool]]]) -> None:
        """Change the neighbours of some keys of a row: which, and whether they are there."""
        row = self._do(
            "SELECT counts, ends FROM adjacency WHERE way = ? AND chunk = ?", (way, chunk)
        ).fetchone()
        counts, ends = (_array(one) for one in row or (b"", b""))
        counts.frombytes(bytes(4 * (CHUNK - len(counts))))
        starts = list(accumulate(counts, initial=0))
        after = array("i")
        done = 0
        for key in sorted(nodes):
            index = key % CHUNK
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
        self._write(way, chunk, counts, after)

    def _write(self, way: int, chunk: int, counts: array[int], ends: array[int]) -> None:
        if not ends:
            self._do("DELETE FROM adjacency WHERE way = ? AND chunk = ?", (way, chunk))
            return
        against = array("i")
        if way == 0:
            some = iter(ends)
            for key, count in enumerate(counts, chunk * CHUNK):
                for far in islice(some, count):
                    if far >= key:
                        against.extend((key, far))
        self._do(
            "INSERT OR REPLACE INTO adjacency VALUES (?, ?, ?, ?, ?)",
            (way, chunk, _bytes(counts), _bytes(ends), _bytes(against)),
        )


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
