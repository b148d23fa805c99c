"""The tables of which data versions have a content under a key: what was told, and what follows.

``content`` has a row for each data version that was looked at. How its tree differs from that of
``base`` is told: NULL is of none, then it has to be asked whenever somebody wants to know; 0 is of
the empty tree; else of a row before it, so nothing goes round in circles. ``difference`` has the
marks (``samples.tree.marks``) of what differs. ``again``: something could not be read, which may be
there later. Nothing of this ever changes, since a version names a tree by what is in it: rows stay
right while commits come and go. Versions that came since are in ``unlooked``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from veml_vcs.ids import DIGEST_BYTES, TreeId
from veml_vcs.lineage.graph import Node
from veml_vcs.lineage.sqlite.database import GENERATION, LOOKED
from veml_vcs.lineage.sqlite.faults import DamagedRowError
from veml_vcs.lineage.sqlite.rows import NODE, Tables, listed, to_node

_EMPTY = 0
"""As a ``base``: the empty tree."""
_TREE = "json_extract(n.props, '$.tree')"
_NEW = "NOT EXISTS (SELECT 1 FROM content c WHERE c.version = n.id)"
_BASES = 4
"""So many are looked at; a record of a stranger's may name thousands."""


class Version(NamedTuple):
    """A data version.

    Attributes:
        id: Its id.
        tree: What its record names.
    """

    id: str
    tree: TreeId


class Looked(NamedTuple):
    """What is told of a data version that was looked at.

    Attributes:
        version: It.
        base: What it is compared with: another's id, "" for the empty tree; None is nothing.
        marks: Of what differs.
        again: Something could not be read.
    """

    version: Version
    base: str | None = None
    marks: Sequence[int] = ()
    again: bool = False


class Contents(Tables):
    """Reads and changes these tables."""

    @property
    def generation(self) -> str:
        """Another wherever the tables were emptied."""
        return self._state(GENERATION)

    @property
    def complete(self) -> bool:
        """Whether each data version is in ``content`` or in ``unlooked``."""
        return bool(self._state(LOOKED))

    def at_once(self) -> AbstractContextManager[None]:
        """See one state of the file, whoever writes meanwhile."""
        return self._reading()

    def new(self) -> list[Version]:
        """List the data versions that were not looked at, older ones first."""
        source = "node n"
        if self.complete:
            source = "unlooked u CROSS JOIN node n ON n.id = u.version"
        rows = self._do(
            f"SELECT n.id, {_TREE} FROM {source} WHERE n.kind = 'data' AND {_NEW} AND n.known "
            "ORDER BY n.key"
        )
        return [Version(one, TreeId(bytes.fromhex(tree))) for one, tree in rows]

    def unread(self) -> list[Version]:
        """List those that may be told more of, older ones first."""
        rows = self._do("SELECT version, tree FROM content WHERE again ORDER BY key")
        return [Version(one, _tree(tree)) for one, tree in rows]

    def before(self, versions: Sequence[Version]) -> list[list[Version]]:
        """List, of each version, what it may be compared with.

        That is what it replaced, then what it was derived from; but only if that was looked at
        before it, or stands before it in the list.
        """
        number = {one.id: place for place, one in enumerate(versions)}
        found: list[list[Version]] = [[] for _ in versions]
        for version, base, tree, key, own in self._do(
            f"SELECT i.value, n.id, {_TREE}, c.key, own.key FROM json_each(?) i "
            "CROSS JOIN node v ON v.id = i.value CROSS JOIN edge e "
            "ON e.source = v.key AND e.kind IN ('revision_of', 'derived_from') "
            "CROSS JOIN node n ON n.key = e.target AND n.kind = 'data' AND n.known "
            "LEFT JOIN content c ON c.version = n.id LEFT JOIN content own ON own.version = v.id "
            "ORDER BY e.kind DESC, e.target DESC",
            (listed(number),),
        ):
            place = number[version]
            if own is not None:
                good = key is not None and key < own
            else:
                good = key is not None or number.get(base, place) < place
            if good and len(found[place]) < _BASES:
                found[place].append(Version(base, TreeId(bytes.fromhex(tree))))
        return found

    def add(self, some: Sequence[Looked]) -> None:
        """Write what is told of versions, but of those of which others told it already."""
        named = {one.version.id for one in some} | {one.base for one in some if one.base}
        rows: dict[str, tuple[int, bool]] = {
            version: (key, again) for version, key, again in self._do(
                "SELECT c.version, c.key, c.again FROM json_each(?) i "
                "CROSS JOIN content c ON c.version = i.value", (listed(named),),
            )
        }  # fmt: skip
        (last,) = self._do("SELECT coalesce(max(key), 0) FROM content").fetchone()
        new: list[tuple[object, ...]] = []
        marks: list[int] = []
        for one in some:
            key, again = rows.get(one.version.id, (0, False))
            base: int | None = None
            if one.base is not None:
                base, _ = rows.get(one.base, (0, False)) if one.base else (_EMPTY, False)
                if one.base and not 0 < base < (key or last + 1):
                    continue  # others were faster, and told it otherwise
            if not key:
                last = key = last + 1
                rows[one.version.id] = key, one.again
                new.append((key, one.version.id, one.version.tree, base, one.again))
            elif again and not one.again:
                self._do("UPDATE content SET base = ?, again = 0 WHERE key = ?", (base, key))
            else:
                continue
            marks += [mark << 32 | key for mark in one.marks]
        self._connection.executemany("INSERT INTO content VALUES (?, ?, ?, ?, ?)", new)
        marks.sort()
        self._connection.executemany(
            "INSERT INTO difference VALUES (?, ?)",
            ((one >> 32, one & 0xFFFFFFFF) for one in marks),
        )

    def finish(self) -> None:
        """Say what is complete now."""
        self._do(
            "DELETE FROM unlooked WHERE NOT EXISTS (SELECT 1 FROM node n "
            f"WHERE n.id = unlooked.version AND n.kind = 'data' AND n.known AND {_NEW})"
        )
        if not self.complete and not self.overlooked():
            self._do("INSERT INTO state VALUES (?, '1')", (LOOKED,))

    def marked(self, mark: int) -> dict[int, TreeId]:
        """Return rows that have to be asked for what has a mark -> their trees."""
        rows = self._do(
            "SELECT c.key, c.tree FROM difference d CROSS JOIN content c ON c.key = d.key "
            "WHERE d.mark = ? UNION ALL SELECT key, tree FROM content WHERE base IS NULL",
            (mark,),
        )
        return {key: _tree(tree) for key, tree in rows}

    def below(self, keys: Iterable[int]) -> dict[int, TreeId]:
        """Return the rows that have one of some as their base -> their trees."""
        rows = self._do(
            "SELECT c.key, c.tree FROM json_each(?) k CROSS JOIN content c ON c.base = k.value",
            (listed(keys),),
        )
        return {key: _tree(tree) for key, tree in rows}

    def spread(self, keys: Iterable[int], asked: Iterable[int]) -> set[int]:
        """Return some rows, and all that have these as bases over any number of steps.

        Args:
            keys: Where to begin.
            asked: Where to end: what was asked knows better.
        """
        rows = self._do(
            "WITH RECURSIVE asked (key) AS MATERIALIZED (SELECT value FROM json_each(?2)), "
            "walk (key) AS (SELECT value FROM json_each(?1) UNION SELECT c.key FROM walk w "
            "CROSS JOIN content c ON c.base = w.key "
            "WHERE c.key NOT IN (SELECT key FROM asked)) SELECT key FROM walk",
            (listed(keys), listed(asked)),
        )
        return {int(key) for (key,) in rows}

    def nodes(self, keys: Iterable[int]) -> Iterator[tuple[int, Node]]:
        """Yield the known versions of some rows, in order of the record's path, and id."""
        for key, *row in self._do(
            f"SELECT c.key, {NODE} FROM json_each(?) k CROSS JOIN content c ON c.key = k.value "
            "CROSS JOIN node n ON n.id = c.version AND n.known ORDER BY n.name, n.id",
            (listed(keys),),
        ):
            yield key, to_node(row)

    def everything(self) -> Iterator[tuple[int, TreeId, int | None, TreeId | None, str | None]]:
        """Yield of each row: key, tree, base, the base's tree, the tree that the graph says."""
        for key, tree, base, old, named in self._do(
            f"SELECT c.key, c.tree, c.base, b.tree, {_TREE} FROM content c "
            "LEFT JOIN content b ON b.key = c.base AND b.key < c.key "
            "LEFT JOIN node n ON n.id = c.version AND n.known ORDER BY c.key"
        ):
            yield key, _tree(tree), base, None if old is None else _tree(old), named

    def overlooked(self) -> bool:
        """Tell whether there is a data version of which nothing is known, not even that."""
        row = self._do(
            f"SELECT 1 FROM node n WHERE n.kind = 'data' AND {_NEW} AND n.known "
            "AND n.id NOT IN (SELECT version FROM unlooked) LIMIT 1"
        ).fetchone()
        return row is not None

    def differences(self) -> Iterator[Sequence[int]]:
        """Yield keys and their marks, in order."""
        yield from self._do("SELECT key, mark FROM difference ORDER BY 1, 2")

    def _state(self, name: str) -> str:
        row = self._do("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return "" if row is None else str(row[0])


def _tree(value: object) -> TreeId:
    if not isinstance(value, bytes) or len(value) != DIGEST_BYTES:
        raise DamagedRowError("a row of content without a tree")
    return TreeId(value)
