"""What an error of SQLite's means: a damaged file, a disk that says no, another process, a bug."""

from __future__ import annotations

import sqlite3

_DAMAGED = ("malformed", "not a database", "no such table", "could not decode", "constraint failed")
_DISK = {
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY,
}  # fmt: skip


class DamagedRowError(sqlite3.DatabaseError):
    """A row that nothing of ours has written, which SQLite itself does not see."""


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file is damaged; SQLite finds out only where it reads."""
    if isinstance(error, DamagedRowError):
        return True
    return any(one in str(error).lower() for one in _DAMAGED)


def is_refusal(error: sqlite3.Error) -> bool:
    """Tell whether the disk is full, read-only or broken."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK


def is_wait(error: sqlite3.Error) -> bool:
    """Tell whether another process was waited for, for too long."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
