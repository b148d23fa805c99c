"""The file: its tables, how it is opened, and made anew where it is of no use any more."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from veml_vcs.errors import DamagedError, StorageError, VemlError
from veml_vcs.lineage.sqlite.faults import is_damage, is_refusal, is_wait
from veml_vcs.lineage.sqlite.sound import fault_in
from veml_vcs.objects.files import Files

FORMAT = 11
FILE = "lineage.sqlite"
GENERATION = "generation"
"""Name of a value in ``state``: a random id, another wherever the tables were made or emptied. Who
copies what changes (a mirror) sees by it that changes are not all that there is to copy."""
LOOKED = "looked"
"""Name of a value in ``state``: there once each data version was looked at (``contents.py``)."""
_WAIT_SECONDS = 30.0
_LEAST = (3, 35)
"""Version of SQLite that has ``AS MATERIALIZED``."""
_NONSENSE = (LookupError, TypeError, ValueError, OverflowError)
"""What a question ends with where numbers in the file make no sense."""

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
  way INTEGER NOT NULL, chunk INTEGER NOT NULL, against BLOB NOT NULL, groups BLOB NOT NULL,
  starts BLOB NOT NULL, ends BLOB NOT NULL, PRIMARY KEY (way, chunk)
);
-- What versions say of themselves, by name, of many keys a row (values.py).
CREATE TABLE said (
  kind TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, chunk INTEGER NOT NULL,
  numbers BLOB NOT NULL, keys BLOB NOT NULL, PRIMARY KEY (kind, name, text, chunk)
);
-- How many nodes and edges there are of each kind: counting them takes a second.
CREATE TABLE tally (
  what TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (what, kind)
) WITHOUT ROWID;
-- Which data versions have a content under a key (contents.py).
CREATE TABLE content (
  key INTEGER PRIMARY KEY, version TEXT NOT NULL, tree BLOB NOT NULL, base INTEGER,
  again INTEGER NOT NULL
);
CREATE TABLE difference (
  mark INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (mark, key)
) WITHOUT ROWID;
CREATE TABLE unlooked (version TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_INDEXES = {
    "node_id": "UNIQUE INDEX node_id ON node (id)",
    "node_kind": "INDEX node_kind ON node (kind, name, id)",
    "edge_in": "INDEX edge_in ON edge (target, kind, source)",
    "brought_version": "INDEX brought_version ON brought (version)",
    "brought_path": "INDEX brought_path ON brought (path, version)",
    "place_chain": "INDEX place_chain ON place (chain)",
    "content_version": "UNIQUE INDEX content_version ON content (version)",
    "content_base": "INDEX content_base ON content (base)",
    "content_again": "INDEX content_again ON content (key) WHERE again",
}
"""Each by its name; those of a table that is filled from nothing are made when it is full."""


class Database:
    """A connection to the file; a context manager that says what SQLite's errors mean.

    Args:
        path: Of the file; it is made where there is none, and made anew where it is of another
            format, or damaged. Where nothing can be written, the graph is kept in memory.
        files: The way to the disk.

    Attributes:
        unkept: Why the graph is in memory alone; None where it is in the file.

    Raises:
        StorageError: Another process keeps it locked, or SQLite is too old.
    """

    def __init__(self, path: str, files: Files) -> None:
        self.path = path
        self.unkept: str | None = None
        self._files = files
        try:
            self.connection = _open(path)
        except sqlite3.DatabaseError as error:
            if is_wait(error):
                raise self._in_use() from error
            if is_refusal(error):
                self._use_memory(error)
            else:
                self._remove()
                self.connection = _open(path)

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        """Close it.

        Raises:
            DamagedError: Something of the file could not be read. It is taken away: whoever asks
                again gets it made anew.
            StorageError: The disk says no, or another process keeps it locked.
        """
        fault = None
        if isinstance(error, sqlite3.DatabaseError):
            fault = _short(error) if is_damage(error) else None
        elif isinstance(error, _NONSENSE) and not isinstance(error, VemlError):
            fault = fault_in(self.connection)
        self.close()
        if isinstance(error, sqlite3.DatabaseError) and is_wait(error):
            raise self._in_use() from error
        if isinstance(error, sqlite3.DatabaseError) and is_refusal(error):
            raise StorageError(f"{self.path} cannot be written: {_short(error)}") from error
        if fault is not None:
            self._remove()
            raise DamagedError(
                f"{self.path} was damaged ({fault}), and is taken away",
                hint="ask again: it is made anew from the history, and nothing is lost",
            ) from error

    def close(self) -> None:
        """Close it."""
        self.connection.close()

    def recover(self, error: sqlite3.DatabaseError) -> None:
        """Go on after an error with an empty graph.

        In a new file where the file was damaged, in memory where the disk says no.

        Raises:
            sqlite3.DatabaseError: It is neither.
        """
        if is_refusal(error):
            self.close()
            self._use_memory(error)
        elif is_damage(error):
            self.close()
            self._remove()
            self.connection = _open(self.path)
        else:
            raise error

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is there at the end, or nothing."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_wait(error):
                raise self._in_use() from error
            raise
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk may have ended it
                self.connection.execute("ROLLBACK")
            raise

    def _use_memory(self, error: sqlite3.DatabaseError) -> None:
        self.connection = _open(":memory:")
        self.unkept = _short(error)

    def _remove(self) -> None:
        """Take the file away; what is written ahead first, which is of no file that comes next."""
        for end in ("-wal", "-shm", ""):
            if os.path.lexists(self.path + end):
                self._files.remove(self.path + end)

    def _in_use(self) -> StorageError:
        return StorageError(
            f"{self.path} is in use by another process, for {_WAIT_SECONDS:.0f} s",
            hint="a long history takes so long when it is read first; try again",
        )

    def clear(self) -> None:
        """Empty all tables; inside ``changing``."""
        for table in (
            "state", "node", "edge", "brought", "skipped", "tally", "place", "link", "adjacency",
            "said",
        ):  # fmt: skip
            self.connection.execute(f"DELETE FROM {table}")
        self.empty_contents()
        _begin_generation(self.connection)

    def empty_contents(self) -> None:
        """Forget which data versions have which samples; inside ``changing``."""
        for table in ("content", "difference", "unlooked"):
            self.connection.execute(f"DELETE FROM {table}")
        self.connection.execute("DELETE FROM state WHERE name = ?", (LOOKED,))


def _short(error: sqlite3.DatabaseError) -> str:
    """Return what is wrong, without the text of a row, which may be long and of any bytes."""
    return str(error).partition(" with text ")[0]


def _open(path: str) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _LEAST:
        raise StorageError(
            f"the lineage needs SQLite {'.'.join(map(str, _LEAST))} or newer, "
            f"found {sqlite3.sqlite_version}",
            hint="it comes with Python: another Python, or a newer system, has it",
        )
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
