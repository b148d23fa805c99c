"""What changes the tables: commits and versions come and go; what follows from that is settled."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence

from veml_vcs.lineage.graph import VERSIONS, Edge, Node
from veml_vcs.lineage.sqlite.adjacency import AdjacencyWriter
from veml_vcs.lineage.sqlite.chains import Places
from veml_vcs.lineage.sqlite.database import LOOKED, drop_indexes
from veml_vcs.lineage.sqlite.first import First
from veml_vcs.lineage.sqlite.rows import STANDS, props_of
from veml_vcs.lineage.sqlite.values import ValuesWriter
from veml_vcs.lineage.told import Told, encode, text_of
from veml_vcs.repository.git.brought import Brought
from veml_vcs.repository.git.notes import COMPARISONS, NOTES_PREFIX

_OVER = "ON CONFLICT (source, kind, target) DO UPDATE SET props = excluded.props"
"""Not REPLACE: triggers would see an edge come that was there."""
_COUNTED = [
    (table, event, changes)
    for table in ("node", "edge")
    for event, changes in (
        ("INSERT", {"NEW": 1}), ("DELETE", {"OLD": -1}), ("UPDATE OF kind", {"NEW": 1, "OLD": -1}),
    )
]  # fmt: skip
"""Tables, what happens to a row, and how that changes how many there are of its kind."""
_SAID_KIND = (
    "CASE WHEN e.kind IN ('trained_on', 'measured_on', 'drifted_from', 'similar_to') THEN 'data' "
    "WHEN e.kind = 'uses' THEN 'model' "
    "WHEN e.kind IN ('initialised_from', 'deployed_from') THEN 'training' "
    "WHEN e.kind = 'derived_from' THEN (SELECT kind FROM node WHERE key = e.source) "
    "ELSE n.kind END"
)
"""What an edge says of its target's kind, as ``records`` has it."""
_NOTED = "('drifted_from', 'similar_to')"
_NOTES = "path IN ({})".format(", ".join(f"'{NOTES_PREFIX}{one}'" for one in COMPARISONS))
"""Of a row of ``skipped``: it is of a note; records have other paths, with a suffix."""
"""Edges that notes say, not records."""
_Row = tuple[int, str, str, str, str, bool]
"""Of ``node``."""


class Writer:
    """Changes the tables, inside one transaction, which nobody else changes meanwhile.

    Keys of rows are given here, not by SQLite: an edge is written without looking up its ends.

    Args:
        connection: It.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._do = connection.execute
        self._many = connection.executemany
        for table in ("touched (id TEXT PRIMARY KEY)", "loose (key INTEGER PRIMARY KEY)"):
            self._do(f"CREATE TEMP TABLE IF NOT EXISTS {table}")
            self._do(f"DELETE FROM {table.partition(' ')[0]}")
        (last,) = self._do("SELECT coalesce(max(key), 0) FROM node").fetchone()
        self._adjacency = AdjacencyWriter(connection)
        self._values = ValuesWriter(connection)
        if last:
            self._count_changes()
            self._adjacency.follow()
        else:
            drop_indexes(connection)
        self._next = int(last) + 1
        self._first = None if last else First(connection)
        self._places = Places(connection, self._next)
        self._keys: dict[str, int] = {}
        self._facts: dict[str, str] = {}
        self._unknown: dict[str, str] = {}
        self._owed: set[str] = set()

    def kinds(self, ids: Iterable[str]) -> dict[str, str]:
        """Return which of some nodes are known -> their kinds."""
        if self._first is not None:
            return self._first.known(ids)
        rows = self._do(
            "SELECT id, kind FROM node WHERE id IN (SELECT value FROM json_each(?)) AND known",
            (json.dumps(list(ids)),),
        )
        return dict(rows.fetchall())

    def add_commits(self, commits: Sequence[tuple[Node, Sequence[str], Sequence[Brought]]]) -> None:
        """Add commits with their parents and the versions that they brought."""
        self._look_up([
            one for node, parents, _ in commits for one in (node.id, *parents)
        ])  # fmt: skip
        self._known([self._row(node) for node, _, _ in commits])
        self._edges(
            (node.id, "parent", parent, text_of({"order": order}))
            for node, parents, _ in commits
            for order, parent in enumerate(parents)
        )
        keys = self._keys
        self._places.add(
            (keys[node.id], [keys[one] for one in parents]) for node, parents, _ in commits
        )
        self._many(
            "INSERT OR REPLACE INTO brought VALUES (?, ?, ?, ?)",
            (
                (keys[node.id], item.path, item.version, encode(item.replaced))
                for node, _, brought in commits
                for item in brought
            ),
        )
        if self._first is None:
            self.touch(item.version for _, _, brought in commits for item in brought)
        else:
            self._first.brought(self._keys, ((node.id, brought) for node, _, brought in commits))

    def stand(self, branches: Iterable[str]) -> None:
        """Say where branches stand, that are known or not; before ``add_commits``."""
        self._places.stand(self._keys_of(branches))

    def add_versions(self, told: Sequence[Told]) -> None:
        """Add versions with what their records say."""
        facts: dict[str, tuple[str, str]] = {}
        for one in told:
            for fact, kind, name in one.facts:
                if fact not in facts or name < facts[fact][1]:
                    facts[fact] = (kind, name)
        self._look_up([
            *[one.version for one in told], *facts, *[end for one in told for end, _ in one.kinds]
        ])  # fmt: skip
        keys = self._keys
        for one in told:
            if one.version in self._owed or one.version in self._unknown:
                self._values.come(keys[one.version], one.kind, one.props)
        self._known(
            [(keys[one.version], one.version, one.kind, "", one.text, True) for one in told]
        )
        self._insert([
            (keys[fact], fact, kind, name, "{}", True) for fact, (kind, name) in facts.items()
            if fact in self._owed
        ])  # fmt: skip
        for fact, (_, name) in facts.items():
            # Of two ways to write a name the first in order is shown, whoever said it first.
            if self._facts.setdefault(fact, name) > name:
                self._facts[fact] = name
                self._do("UPDATE node SET name = ? WHERE key = ?", (name, keys[fact]))
        self._named(end for one in told for end in one.kinds)
        self._edges(
            (one.version, kind, target, text)
            for one in told for kind, target, text in one.edges
        )  # fmt: skip

    def skip(self, skipped: Iterable[tuple[str, str, str]]) -> None:
        """Note versions that cannot be read at a path: id, path, reason; before ``add_commits``."""
        told = list(skipped)
        self._many("INSERT OR REPLACE INTO skipped VALUES (?, ?, ?)", told)
        if self._first is not None:
            self._first.skipped.update((version, path) for version, path, _ in told)

    def remove_commits(self, dropped: Iterable[str], heads: Collection[str]) -> int:
        """Take out commits that no head reaches any more.

        A commit goes if it is no head and all of its children have gone, so that as much is read
        as goes, not all of history.

        Args:
            dropped: Commits that were heads and are none.
            heads: Those that are.

        Returns:
            How many went.
        """
        if self._first is not None:
            return 0
        gone: set[int] = set()
        stay = self._keys_of(heads)
        pending = sorted(self._keys_of(dropped) - stay)
        while pending:
            key = pending.pop()
            above = self._do(
                "SELECT source FROM edge WHERE target = ? AND kind = 'parent'", (key,)
            ).fetchall()
            if key in gone or key in stay or any(child not in gone for (child,) in above):
                continue
            gone.add(key)
            below = self._do("SELECT target FROM edge WHERE source = ? AND kind = 'parent'", (key,))
            pending += [parent for (parent,) in below]
        self._places.remove(gone)
        self._do("CREATE TEMP TABLE gone AS SELECT value AS key FROM json_each(?)",
                 (json.dumps(sorted(gone)),))  # fmt: skip
        self._do("INSERT OR IGNORE INTO touched SELECT version FROM brought "
                 "WHERE commit_key IN (SELECT key FROM gone)")  # fmt: skip
        for statement in (
            "DELETE FROM brought WHERE commit_key IN (SELECT key FROM gone)",
            f"DELETE FROM edge WHERE source IN (SELECT key FROM gone) AND kind NOT IN {_NOTED}",
            "DELETE FROM node WHERE key IN (SELECT key FROM gone) "
            "AND NOT EXISTS (SELECT 1 FROM edge WHERE target = node.key) "
            "AND NOT EXISTS (SELECT 1 FROM edge WHERE source = node.key)",
            # A stranger's record, or a note, may name a commit.
            "UPDATE node SET kind = 'data', name = '', props = '{}', known = 0 "
            "WHERE key IN (SELECT key FROM gone)",
            "INSERT OR IGNORE INTO loose SELECT key FROM gone",
            "DROP TABLE gone",
        ):
            self._do(statement)
        self._keys.clear()
        self._unknown.clear()
        return len(gone)

    @property
    def owes(self) -> bool:
        """Whether there are edges to nodes that are not there yet."""
        return bool(self._owed)

    def touch(self, versions: Iterable[str]) -> None:
        """Say that other commits bring versions now than before."""
        self._many("INSERT OR IGNORE INTO touched VALUES (?)", ((one,) for one in versions))

    def settle(self) -> None:
        """Bring up to date what follows from what commits brought; what is left over goes."""
        self._places.close()
        if self._first is not None:
            self._first.settle(self._keys)
            self._adjacency.build()
            self._values.close()
            return
        do = self._do
        do("DELETE FROM skipped WHERE version IN (SELECT id FROM touched) AND NOT EXISTS "
           "(SELECT 1 FROM brought b WHERE b.version = skipped.version AND b.path = skipped.path) "
           f"AND NOT {_NOTES}")  # fmt: skip
        # A version that no commit brings any more is unknown, though one that is left may name it.
        do("CREATE TEMP TABLE lost AS SELECT n.key, n.kind, n.props FROM touched t "
           "CROSS JOIN node n ON n.id = t.id WHERE n.known AND NOT EXISTS "
           f"(SELECT 1 FROM brought b WHERE b.version = t.id AND {STANDS})")  # fmt: skip
        do("INSERT OR IGNORE INTO loose SELECT e.target FROM lost l CROSS JOIN edge e "
           "ON e.source = l.key UNION SELECT key FROM lost")  # fmt: skip
        for key, kind, props in do("SELECT key, kind, props FROM lost"):
            self._values.gone(key, kind, props_of(props))
        # What a note says of it is still said.
        do(f"DELETE FROM edge WHERE source IN (SELECT key FROM lost) AND kind NOT IN {_NOTED}")
        do("UPDATE node SET known = 0, props = '{}', name = '' WHERE key IN (SELECT key FROM lost)")
        do("DROP TABLE lost")
        # CROSS: in this order. SQLite's own choice looked through all nodes for each.
        do("DELETE FROM edge WHERE kind = 'revision_of' AND source IN "
           "(SELECT n.key FROM touched t CROSS JOIN node n ON n.id = t.id)")  # fmt: skip
        do("INSERT INTO edge "
           "SELECT b.commit_key, 'contains', n.key, json_object('paths', json_group_array(b.path)) "
           f"FROM (SELECT * FROM touched t CROSS JOIN brought b ON b.version = t.id WHERE {STANDS} "
           "ORDER BY b.commit_key, b.version, b.path) b "
           "CROSS JOIN node n ON n.id = b.version AND n.known "
           f"GROUP BY b.commit_key, b.version {_OVER}")  # fmt: skip
        do("INSERT OR IGNORE INTO edge "
           "SELECT n.key, 'revision_of', o.key, '{}' FROM touched t "
           "CROSS JOIN brought b ON b.version = t.id CROSS JOIN json_each(b.replaced) r "
           "CROSS JOIN node n ON n.id = b.version AND n.known "
           "CROSS JOIN node o ON o.id = r.value AND +o.kind = n.kind AND o.known "
           f"WHERE {STANDS}")  # fmt: skip
        do("UPDATE node SET name = coalesce((SELECT min(b.path) FROM brought b "
           f"WHERE b.version = node.id AND {STANDS}), '') "
           "WHERE known AND key IN "
           "(SELECT n.key FROM touched t CROSS JOIN node n ON n.id = t.id)")  # fmt: skip
        # Those of which nobody asked for a sample are known to be new without this list.
        do("INSERT OR IGNORE INTO unlooked SELECT n.id FROM touched t CROSS JOIN node n "
           "ON n.id = t.id WHERE n.kind = 'data' AND n.known "
           "AND EXISTS (SELECT 1 FROM state WHERE name = ?)", (LOOKED,))  # fmt: skip
        self._sweep()
        for table, event, _ in _COUNTED:
            do(f"DROP TRIGGER temp.count_{table}_{event[:6]}")
        self._adjacency.catch_up()
        self._values.close()

    def replace_noted(self, edges: Iterable[Edge], about: Collection[str] | None = None) -> None:
        """Set the edges that notes say; before ``settle``.

        Args:
            edges: These.
            about: All that notes on these versions say is new; None is of all versions.
        """
        if self._first is None:
            which, given = f"kind IN {_NOTED}", []
            if about is not None:
                which += (" AND source IN (SELECT n.key FROM json_each(?) i "
                          "CROSS JOIN node n ON n.id = i.value)")  # fmt: skip
                given = [json.dumps(sorted(about))]
            for end in ("source", "target"):
                self._do(f"INSERT OR IGNORE INTO loose SELECT {end} FROM edge WHERE {which}", given)
            self._do(f"DELETE FROM edge WHERE {which}", given)
            about_them = "version = '' OR version IN (SELECT value FROM json_each(?))"
            self._do(
                f"DELETE FROM skipped WHERE {_NOTES} AND ({about_them if given else 1})", given
            )
        told = list(edges)
        ends = [(one, "data") for edge in told for one in (edge.source, edge.target)]
        self._look_up([one for one, _ in ends])
        self._named(ends)
        self._edges((one.source, one.kind, one.target, text_of(one.props)) for one in told)

    def state(self, name: str, value: str) -> None:
        """Remember something."""
        self._do("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def _sweep(self) -> None:
        """Take out facts and unknown versions that nothing points to any more."""
        facts = "n.kind NOT IN ('commit', 'data', 'model', 'training', 'inference')"
        alone = ("NOT EXISTS (SELECT 1 FROM edge WHERE target = n.key) "
                 "AND NOT EXISTS (SELECT 1 FROM edge WHERE source = n.key)")  # fmt: skip
        self._do("DELETE FROM node WHERE key IN (SELECT n.key FROM loose l CROSS JOIN node n "
                 f"ON n.key = l.key WHERE (NOT n.known OR {facts}) AND {alone})")  # fmt: skip
        # What was known to be something, or was said to be, is what those that are left say.
        self._do(f"UPDATE node AS n SET kind = coalesce((SELECT min({_SAID_KIND}) FROM edge e "
                 "WHERE e.target = n.key AND NOT EXISTS (SELECT 1 FROM edge o "
                 f"WHERE o.source = n.key AND o.kind IN {_NOTED})), 'data') "
                 "WHERE key IN (SELECT key FROM loose) AND NOT known")  # fmt: skip
        # Of two ways to write a fact, the one that is shown may have gone.
        said = "json_extract(e.props, '$.name')"
        self._do(f"UPDATE node AS n SET name = (SELECT min({said}) FROM edge e "
                 "WHERE e.target = n.key AND e.kind = 'has') "
                 f"WHERE n.key IN (SELECT key FROM loose) AND {facts} AND NOT EXISTS "
                 "(SELECT 1 FROM edge e WHERE e.target = n.key AND e.kind = 'has' "
                 f"AND {said} = n.name)")  # fmt: skip

    def _count_changes(self) -> None:
        """Keep ``tally`` right from now on, by triggers of this connection alone."""
        for table, event, changes in _COUNTED:
            told = "".join(
                f"INSERT INTO tally VALUES ('{table}', {row}.kind, {by}) ON CONFLICT "
                "(what, kind) DO UPDATE SET count = count + excluded.count; "
                for row, by in changes.items()
            )
            self._do(f"CREATE TEMP TRIGGER count_{table}_{event[:6]} "
                     f"AFTER {event} ON main.{table} BEGIN {told} END")  # fmt: skip

    def _keys_of(self, ids: Iterable[str]) -> set[int]:
        rows = self._do(
            "SELECT key FROM node WHERE id IN (SELECT value FROM json_each(?)) "
            "AND +kind = 'commit'",
            (json.dumps(list(ids)),),
        )
        return {int(row[0]) for row in rows}

    def _look_up(self, ids: Iterable[str]) -> None:
        """Give every node a key: its own, or a new one, for which a row is owed."""
        new = dict.fromkeys(one for one in ids if one not in self._keys)
        if self._first is None and new:
            rows = self._do(
                "SELECT key, id, kind, name, known FROM node WHERE id IN "
                "(SELECT value FROM json_each(?))", (json.dumps(list(new)),),
            )  # fmt: skip
            for key, one, kind, name, known in rows:
                self._keys[one] = key
                del new[one]
                if not known:
                    self._unknown[one] = kind
                elif kind != "commit" and kind not in VERSIONS:
                    self._facts[one] = name
        for one in new:
            self._keys[one] = self._next
            self._next += 1
        self._owed.update(new)

    def _known(self, rows: Sequence[_Row]) -> None:
        """Add commits or versions; what is known takes the place of what is only named."""
        if self._first is not None:
            self._first.kinds.update([(row[1], row[2]) for row in rows])
        self._insert([row for row in rows if row[1] in self._owed])
        self._many(
            "UPDATE node SET kind = ?3, name = ?4, props = ?5, known = 1 WHERE key = ?1",
            [row[:5] for row in rows if self._unknown.pop(row[1], None)],
        )

    def _named(self, named: Iterable[tuple[str, str]]) -> None:
        """Add versions that somebody names, if they are not there: id, kind."""
        new: dict[str, str] = {}
        for one, kind in named:
            if one in self._owed:
                new[one] = min(kind, new.get(one, kind))
            elif self._unknown.get(one, "") > kind:  # who said it first does not count
                self._unknown[one] = kind
                self._do("UPDATE node SET kind = ? WHERE key = ?", (kind, self._keys[one]))
        self._insert([(self._keys[one], one, kind, "", "{}", False) for one, kind in new.items()])
        self._unknown |= new

    def _row(self, node: Node) -> _Row:
        return self._keys[node.id], node.id, node.kind, node.name, text_of(node.props), True

    def _insert(self, rows: Sequence[_Row]) -> None:
        self._many("INSERT INTO node VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._owed.difference_update([row[1] for row in rows])

    def _edges(self, edges: Iterable[tuple[str, str, str, str]]) -> None:
        """Add edges: ids of source and target, with the kind between, and JSON."""
        keys = self._keys
        self._many(
            f"INSERT INTO edge VALUES (?, ?, ?, ?) {_OVER}",
            [(keys[source], kind, keys[target], text) for source, kind, target, text in edges],
        )
