"""What changes the tables: commits and versions come and go; what follows from that is settled."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from veml_vcs.lineage.graph import Edge, Node
from veml_vcs.lineage.records import Said
from veml_vcs.repository.git.brought import Brought


class Writer:
    """Changes the tables, inside one transaction.

    Args:
        connection: It.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._do = connection.execute
        self._many = connection.executemany
        self._do("CREATE TEMP TABLE IF NOT EXISTS touched (id TEXT PRIMARY KEY)")
        self._do("DELETE FROM touched")
        self._renamed = False

    def add_commits(self, commits: Sequence[tuple[Node, Sequence[Brought]]]) -> None:
        """Add commits with the versions that they brought."""
        self._nodes((node, True) for node, _ in commits)
        self._many(
            "INSERT OR REPLACE INTO brought "
            "SELECT key, ?, ?, ? FROM node WHERE id = ? AND kind = 'commit'",
            (
                (item.path, item.version, json.dumps(item.replaced), node.id)
                for node, brought in commits
                for item in brought
            ),
        )
        self.touch(item.version for _, brought in commits for item in brought)

    def add_parents(self, parents: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Say which commits come after which; all of them are there by now."""
        self._edges(
            Edge(commit, "parent", parent, {"order": order})
            for commit, above in parents
            for order, parent in enumerate(above)
        )

    def add_versions(self, said: Sequence[Said]) -> None:
        """Add versions with what their records say."""
        self._nodes((one.node, True) for one in said)
        self._nodes((fact, True) for one in said for fact in one.facts)
        self._nodes(
            (Node(version, kind, known=False), False)
            for one in said
            for version, kind in one.kinds.items()
        )
        self._edges(edge for one in said for edge in one.edges)

    def skip(self, skipped: Iterable[tuple[str, str]]) -> None:
        """Note versions whose records cannot be read: id, reason."""
        self._many("INSERT OR REPLACE INTO skipped VALUES (?, ?)", skipped)

    def keep_commits(self, keep: str) -> int:
        """Take out all commits but some.

        Args:
            keep: A query for the keys of those that stay.

        Returns:
            How many went.
        """
        self._do("CREATE TEMP TABLE gone AS SELECT key FROM node WHERE kind = 'commit' "
                 f"AND key NOT IN ({keep})")  # fmt: skip
        (count,) = self._do("SELECT count(*) FROM gone").fetchone()
        self._do("INSERT OR IGNORE INTO touched SELECT version FROM brought "
                 "WHERE commit_key IN (SELECT key FROM gone)")  # fmt: skip
        for statement in (
            "DELETE FROM brought WHERE commit_key IN (SELECT key FROM gone)",
            "DELETE FROM edge WHERE source IN (SELECT key FROM gone)",
            "DELETE FROM edge WHERE target IN (SELECT key FROM gone)",
            "DELETE FROM node WHERE key IN (SELECT key FROM gone)",
            "DROP TABLE gone",
        ):
            self._do(statement)
        self._renamed = True
        return int(count)

    def touch(self, versions: Iterable[str]) -> None:
        """Say that other commits bring versions now than before."""
        self._many("INSERT OR IGNORE INTO touched VALUES (?)", ((one,) for one in versions))

    def settle(self) -> None:
        """Bring up to date what follows from what commits brought; what is left over goes."""
        do = self._do
        keys = "(SELECT key FROM node WHERE id IN (SELECT id FROM touched))"
        gone = (
            "(SELECT id FROM touched WHERE NOT EXISTS "
            "(SELECT 1 FROM brought WHERE version = touched.id))"
        )
        # A version that no commit brings any more is unknown, though one that is left may name it.
        do(f"DELETE FROM edge WHERE source IN (SELECT key FROM node WHERE id IN {gone})")
        do(f"DELETE FROM skipped WHERE version IN {gone}")
        do(f"UPDATE node SET known = 0, props = '{{}}', name = '' WHERE id IN {gone}")
        do(f"DELETE FROM edge WHERE kind = 'revision_of' AND source IN {keys}")
        do("INSERT OR REPLACE INTO edge "
           "SELECT b.commit_key, 'contains', n.key, json_object('paths', json_group_array(b.path)) "
           "FROM (SELECT * FROM brought WHERE version IN (SELECT id FROM touched) "
           "ORDER BY path) b "
           "CROSS JOIN node n ON n.id = b.version AND n.known "
           "GROUP BY b.commit_key, n.key")  # fmt: skip
        # CROSS: in this order. SQLite's own choice looked through all nodes for each.
        do("INSERT OR IGNORE INTO edge "
           "SELECT n.key, 'revision_of', o.key, '{}' FROM touched t "
           "CROSS JOIN brought b ON b.version = t.id CROSS JOIN json_each(b.replaced) r "
           "CROSS JOIN node n ON n.id = b.version AND n.known "
           "CROSS JOIN node o ON o.id = r.value AND +o.kind = n.kind AND o.known")  # fmt: skip
        do("UPDATE node SET name = "
           "coalesce((SELECT min(path) FROM brought WHERE version = node.id), '') "
           f"WHERE known AND key IN {keys}")  # fmt: skip
        self._sweep()
        if self._renamed:  # of two ways to write a fact, the one that is shown may have gone
            do("UPDATE node SET name = coalesce((SELECT min(json_extract(props, '$.name')) "
               "FROM edge WHERE target = key AND kind = 'has'), name) "
               "WHERE id LIKE '%:%'")  # fmt: skip

    def replace_drift(self, edges: Iterable[Edge]) -> None:
        """Set all edges that notes say; before ``settle``."""
        self._do("DELETE FROM edge WHERE kind = 'drifted_from'")
        told = list(edges)
        self._nodes(
            (Node(one, "data", known=False), False)
            for edge in told
            for one in (edge.source, edge.target)
        )
        self._edges(told)

    def state(self, name: str, value: str) -> None:
        """Remember something."""
        self._do("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    def _sweep(self) -> None:
        """Take out facts and unknown versions that nothing points to any more."""
        while True:
            done = self._do(
                "DELETE FROM node WHERE (known = 0 OR kind NOT IN ('commit', 'data', 'model', "
                "'training', 'inference')) AND NOT EXISTS (SELECT 1 FROM edge WHERE target = key) "
                "AND NOT EXISTS (SELECT 1 FROM edge WHERE source = key)"
            )
            if not done.rowcount:
                return

    def _nodes(self, nodes: Iterable[tuple[Node, bool]]) -> None:
        """Add nodes; what is known takes the place of what is only named, never the other way."""
        self._many(
            "INSERT INTO node (id, kind, name, props, known) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, props = excluded.props, "
            "name = CASE WHEN node.known AND node.name <> '' "
            "THEN min(node.name, excluded.name) ELSE excluded.name END, known = 1 "
            "WHERE excluded.known",
            ((one.id, one.kind, one.name, _json(one.props), known) for one, known in nodes),
        )

    def _edges(self, edges: Iterable[Edge]) -> None:
        self._many(
            "INSERT OR REPLACE INTO edge SELECT a.key, ?, b.key, ? FROM node a, node b "
            "WHERE a.id = ? AND b.id = ?",
            ((one.kind, _json(one.props), one.source, one.target) for one in edges),
        )


def _json(props: Mapping[str, Any]) -> str:
    return json.dumps(props, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
