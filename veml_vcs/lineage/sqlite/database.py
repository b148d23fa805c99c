"""The file: its tables, how it is opened, and made anew where it is of no use any more."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from veml_vcs.errors import StorageError
from veml_vcs.objects.files import Files

FORMAT = 7
FILE = "lineage.sqlite"
GENERATION = "generation"
"""Name of a value in ``state``: a random id, another wherever the tables were made or emptied. Who
copies what changes (a mirror) sees by it that changes are not all that there is to copy."""
_WAIT_SECONDS = 30.0

_TABLES = """
CREATE TABLE node (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  props TEXT NOT NULL, known INTEGER NOT NULL
);
CREATE TABLE edge (
  source INTEGER NOT NULL, kind TEXT NOT NULL, target INTEGER NOT NULL, props TEXT NOT NULL,
  PRIMARY KEY (source, kind, target)
) WITHOUT ROWID;
-- contains and revision_of come from here.
CREATE TABLE brought (
  commit_key INTEGER NOT NULL, path TEXT NOT NULL, version TEXT NOT NULL, replaced TEXT NOT NULL,
  PRIMARY KEY (commit_key, path)
) WITHOUT ROWID;
CREATE TABLE skipped (
  version TEXT NOT NULL, path TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (version, path)
) WITHOUT ROWID;
-- What a commit reaches: commits of a chain come from each other in order of their keys, and from
-- key on a chain reaches another, far, up to target (chains.py).
CREATE TABLE place (key INTEGER PRIMARY KEY, chain INTEGER NOT NULL);
CREATE TABLE link (
  chain INTEGER NOT NULL, far INTEGER NOT NULL, key INTEGER NOT NULL, target INTEGER NOT NULL,
  PRIMARY KEY (chain, far, key)
) WITHOUT ROWID;
-- Neighbours along edges of LINEAGE, of many keys a row (adjacency.py). way: 0 up, 1 down.
CREATE TABLE adjacency (
  way INTEGER NOT NULL, chunk INTEGER NOT NULL, counts BLOB NOT NULL, ends BLOB NOT NULL,
  against BLOB NOT NULL, PRIMARY KEY (way, chunk)
);
-- How many nodes and edges there are of each kind: counting them takes a second.
CREATE TABLE tally (
  what TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (what, kind)
) WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_INDEXES = {
    "node_id": "UNIQUE INDEX node_id ON node (id)",
    "node_kind": "INDEX node_kind ON node (kind, name, id)",
    "edge_in": "INDEX edge_in ON edge (target, kind, source)",
    "brought_version": "INDEX brought_version ON brought (version)",
    "place_chain": "INDEX place_chain ON place (chain)",
}
"""Each by its name; those of a table that is filled from nothing are made when it is full."""


class Database:
    """A connection to the file.

    Args:
        path: Of the file; it is made where there is none, and made anew where it is of another
            format, or damaged. Where nothing can be written, the graph is kept in memory.
        files: The way to the disk.

    Raises:
        StorageError: Another process keeps it locked.
    """

    def __init__(self, path: str, files: Files) -> None:
        self.path = path
        try:
            self.connection = _open(path)
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                raise self._in_use(error) from error
            self.connection = _open(":memory:")
        except sqlite3.DatabaseError:
            for end in ("", "-wal", "-shm"):
                if os.path.exists(path + end):
                    files.remove(path + end)
            self.connection = _open(path)

    def close(self) -> None:
        """Close it."""
        self.connection.close()

    def _in_use(self, error: sqlite3.OperationalError) -> StorageError:
        if "locked" not in str(error):
            return StorageError(f"{self.path} cannot be written: {error}")
        return StorageError(
            f"{self.path} is in use by another process, for {_WAIT_SECONDS:.0f} s",
            hint="a long history takes so long when it is read first; try again",
        )

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is there at the end, or nothing."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise self._in_use(error) from error
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def clear(self) -> None:
        """Empty all tables; inside ``changing``."""
        for table in (
            "state", "node", "edge", "brought", "skipped", "tally", "place", "link", "adjacency",
        ):  # fmt: skip
            self.connection.execute(f"DELETE FROM {table}")
        _begin_generation(self.connection)


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_WAIT_SECONDS, isolation_level=None, cached_statements=256
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a power cut costs a sync, no more
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -65536")  # KiB: 2,000 were read again and again
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == FORMAT:
        connection.execute("SELECT 1 FROM state LIMIT 1").fetchone()
        return
    if version != 0:
        raise sqlite3.DatabaseError(f"format {version}, expected {FORMAT}")
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone() == (0,):  # nobody was faster
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        make_indexes(connection)
        _begin_generation(connection)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def drop_indexes(connection: sqlite3.Connection) -> None:
    """Take away what would be kept in order row by row; inside ``changing``."""
    for name in _INDEXES:
        connection.execute(f"DROP INDEX {name}")


def make_indexes(connection: sqlite3.Connection) -> None:
    """Make all indexes, sorting once; inside ``changing``, or where the tables are made."""
    for index in _INDEXES.values():
        connection.execute(f"CREATE {index}")


def _begin_generation(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO state VALUES (?, lower(hex(randomblob(16))))", (GENERATION,)
    )
