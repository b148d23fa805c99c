"""What changed in the SQLite file since the mirror last took it: triggers that write a log.

Made where a mirror is connected, and nowhere else. The log has a name; where it may have a gap it
begins anew by another one, and the mirror is compared as a whole (design note 030).
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import asdict, dataclass
from typing import Literal

from veml_vcs.lineage.sqlite.database import GENERATION, Database

Stage = Literal["sweep", "nodes", "edges", "log"]
_LONGEST_LOG = 1_000_000
"""Changes; after so many it is quicker to send everything."""

_SAME = (
    f"(SELECT value FROM state WHERE name = '{GENERATION}') IS "
    f"(SELECT value FROM mirrored WHERE name = '{GENERATION}')"
)
"""While the tables are emptied and filled, nothing is noted: all of it will be compared."""


def _edge_trigger(name: str, event: str, row: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON edge WHEN {_SAME} BEGIN "
        "INSERT INTO changed (what, id, kind, target) "
        f"SELECT 'edge', s.id, {row}.kind, t.id FROM node s, node t "
        f"WHERE s.key = {row}.source AND t.key = {row}.target; END"
    )


_MADE = (
    "CREATE TABLE IF NOT EXISTS mirrored (name TEXT PRIMARY KEY, value TEXT NOT NULL) "
    "WITHOUT ROWID",
    # Numbers are never used again, also when the log was emptied.
    "CREATE TABLE IF NOT EXISTS changed (number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "what TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL DEFAULT '', "
    "target TEXT NOT NULL DEFAULT '')",
    f"CREATE TRIGGER IF NOT EXISTS changed_node_new AFTER INSERT ON node WHEN {_SAME} BEGIN "
    "INSERT INTO changed (what, id) VALUES ('node', NEW.id); END",
    f"CREATE TRIGGER IF NOT EXISTS changed_node AFTER UPDATE ON node WHEN {_SAME} AND "
    "(OLD.kind, OLD.name, OLD.props, OLD.known) IS NOT (NEW.kind, NEW.name, NEW.props, NEW.known) "
    "BEGIN INSERT INTO changed (what, id) VALUES ('node', NEW.id); END",
    f"CREATE TRIGGER IF NOT EXISTS changed_node_gone AFTER DELETE ON node WHEN {_SAME} BEGIN "
    "INSERT INTO changed (what, id) VALUES ('gone', OLD.id); END",
    _edge_trigger("changed_edge_new", "INSERT", "NEW"),
    _edge_trigger("changed_edge", "UPDATE", "NEW"),
    _edge_trigger("changed_edge_gone", "DELETE", "OLD"),
)
_TRIGGERS = (
    "changed_node_new", "changed_node", "changed_node_gone",
    "changed_edge_new", "changed_edge", "changed_edge_gone",
)  # fmt: skip


@dataclass(frozen=True)
class At:
    """How far a mirror is.

    Attributes:
        token: Of the last window that it took; empty before the first.
        stage: Of a comparison as a whole, or ``log`` where that is done.
        after: Where in that stage: an id, or a key, or the keys of an edge.
        number: Of the last change that it has, or had when the comparison began.
    """

    token: str = ""
    stage: Stage = "sweep"
    after: str = ""
    number: int = 0


class Changes:
    """The log of one SQLite file, and what is known here of the mirror.

    Args:
        base: The file.
    """

    def __init__(self, base: Database) -> None:
        self._base = base
        self._do = base.connection.execute

    def listen(self) -> None:
        """Make what notes changes, where it is not there; begin the log anew where it has a gap."""
        if self._listening():
            return
        with self._base.changing():
            (found,) = self._do(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN "
                f"({', '.join(repr(one) for one in _TRIGGERS)})"
            ).fetchone()
            for statement in _MADE:
                self._do(statement)
            generation = self._generation()
            if found < len(_TRIGGERS) or self._value(GENERATION) != generation or self._too_long():
                self._do("DELETE FROM changed")
                self._do("DELETE FROM mirrored")
                self._set(GENERATION, generation)
                self._set("log", secrets.token_hex(8))

    def forget(self) -> None:
        """Take out all that notes changes."""
        with self._base.changing():
            for name in _TRIGGERS:
                self._do(f"DROP TRIGGER IF EXISTS {name}")
            self._do("DROP TABLE IF EXISTS changed")
            self._do("DROP TABLE IF EXISTS mirrored")

    @property
    def log(self) -> str:
        """The log's name."""
        return self._value("log") or ""

    @property
    def last(self) -> int:
        """The number of the last change."""
        row = self._do("SELECT seq FROM sqlite_sequence WHERE name = 'changed'").fetchone()
        return 0 if row is None else int(row[0])

    @property
    def at(self) -> At | None:
        """How far the mirror was when it last answered; None before it ever did."""
        return self._read("at")

    @property
    def following(self) -> At | None:
        """How far it is if it took the window that was being sent."""
        return self._read("next")

    def behind(self) -> bool:
        """Tell whether the mirror lacks anything, as far as is known here."""
        at = self.at
        return at is None or at.stage != "log" or self.waiting() > 0

    def lags(self) -> bool:
        """As ``behind``, and true as well where nothing is noted, or not without a gap."""
        return not self._listening() or self.behind()

    def waiting(self) -> int:
        """Return how many changes the mirror lacks, if it is no comparison as a whole."""
        at = self.at
        number = 0 if at is None else at.number
        row = self._do("SELECT count(*) FROM changed WHERE number > ?", (number,)).fetchone()
        return int(row[0])

    def begin(self) -> At:
        """Begin a comparison as a whole: return where it begins."""
        return At(number=self.last)

    def intend(self, at: At) -> None:
        """Remember where the mirror will be once it has taken the window that is sent now."""
        self._set("next", json.dumps(asdict(at)))

    def settle(self, at: At) -> None:
        """Remember where the mirror is; what it has is noted no longer."""
        with self._base.changing():
            self._set("at", json.dumps(asdict(at)))
            self._do("DELETE FROM mirrored WHERE name = 'next'")
            self._do("DELETE FROM changed WHERE number <= ?", (at.number,))

    def reached(self, told: str) -> None:
        """Remember what the server was when it last answered."""
        self._set("reached", told)

    def last_reached(self) -> str:
        """Return what the server was when it last answered."""
        return self._value("reached") or ""

    def _listening(self) -> bool:
        try:
            (found,) = self._do(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN "
                f"({', '.join(repr(one) for one in _TRIGGERS)})"
            ).fetchone()
            return (
                found == len(_TRIGGERS)
                and bool(self.log)
                and self._value(GENERATION) == self._generation()
                and not self._too_long()
            )
        except sqlite3.OperationalError:
            return False  # no such table

    def _too_long(self) -> bool:
        row = self._do("SELECT min(number) FROM changed").fetchone()
        return row[0] is not None and self.last - int(row[0]) > _LONGEST_LOG

    def _generation(self) -> str:
        row = self._do("SELECT value FROM state WHERE name = ?", (GENERATION,)).fetchone()
        return "" if row is None else str(row[0])

    def _read(self, name: str) -> At | None:
        text = self._value(name)
        return None if text is None else At(**json.loads(text))

    def _value(self, name: str) -> str | None:
        row = self._do("SELECT value FROM mirrored WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, name: str, value: str) -> None:
        self._do("INSERT OR REPLACE INTO mirrored VALUES (?, ?)", (name, value))
