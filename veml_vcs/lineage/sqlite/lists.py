"""Questions without a walk: single nodes, their edges, and lists of versions that fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from veml_vcs.lineage.conditions import Condition, holds
from veml_vcs.lineage.graph import Edge, EdgeKind, Node
from veml_vcs.lineage.sqlite.rows import EDGE, NODE, Tables, listed, to_edge, to_node


class Lists(Tables):
    """Answers without a walk; see ``LineageStore``."""

    def node(self, node_id: str) -> Node | None:
        """Return a node, or None."""
        row = self._do(f"SELECT {NODE} FROM node n WHERE n.id = ?", (node_id,)).fetchone()
        return None if row is None else to_node(row)

    def nodes(self, ids: Collection[str]) -> dict[str, Node]:
        """Return the nodes of some ids, in order of these."""
        rows = self._do(
            f"SELECT {NODE} FROM json_each(?) i CROSS JOIN node n ON n.id = i.value ORDER BY n.id",
            (listed(ids),),
        )
        return {row[0]: to_node(row) for row in rows}

    def find(self, prefix: str, limit: int = 20) -> list[Node]:
        """List the commits and versions whose ids begin with some digits."""
        rows = self._do(
            f"SELECT {NODE} FROM node n WHERE n.id >= ? AND n.id < ? "
            "AND n.id NOT LIKE '%:%' ORDER BY n.id LIMIT ?",
            (prefix, prefix + "g", limit),
        )
        return [to_node(row) for row in rows]

    def edges_of(self, node_id: str, kinds: Sequence[EdgeKind] | None = None) -> list[Edge]:
        """List the edges of a node in both directions."""
        rows = self._do(
            f"SELECT {EDGE} FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target WHERE s.id = ?1 UNION "
            f"SELECT {EDGE} FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target WHERE t.id = ?1 ORDER BY 2, 1, 3",
            (node_id,),
        )
        return [to_edge(row) for row in rows if kinds is None or row[1] in kinds]

    def edges_from(
        self, ids: Collection[str], kinds: Sequence[EdgeKind] | None = None
    ) -> list[Edge]:
        """List the edges that some nodes are the source of."""
        rows = self._do(
            f"SELECT {EDGE} FROM json_each(?) i "
            "CROSS JOIN node s ON s.id = i.value CROSS JOIN edge e ON e.source = s.key "
            "CROSS JOIN node t ON t.key = e.target ORDER BY 1, 2, 3",
            (listed(ids),),
        )
        return [to_edge(row) for row in rows if kinds is None or row[1] in kinds]

    def having(
        self, facts: Collection[str], kind: str, where: Sequence[Condition] = ()
    ) -> list[Node]:
        """List the nodes of one kind that have all these facts and fit all conditions."""
        wanted = set(facts)
        has = ""
        if wanted:
            has = (
                "AND n.key IN (SELECT e.source FROM json_each(?) f CROSS JOIN node t "
                "ON t.id = f.value CROSS JOIN edge e ON e.target = t.key AND e.kind = 'has' "
                "GROUP BY e.source HAVING count(*) = ?) "
            )
        maybe, values = _maybe(where)
        rows = self._do(
            f"SELECT {NODE} FROM node n WHERE n.kind = ? AND n.known {has}{maybe}"
            "ORDER BY n.name, n.id",
            (kind, *((listed(wanted), len(wanted)) if wanted else ()), *values),
        )
        return [node for node in map(to_node, rows) if holds(node, where)]

    def trained_with(self, data: Collection[str]) -> set[str]:
        """Return the models that were trained on (not measured on alone) any of some data."""
        rows = self._do(
            "SELECT DISTINCT m.id FROM json_each(?) d CROSS JOIN node n ON n.id = d.value "
            "CROSS JOIN edge t ON t.target = n.key AND t.kind = 'trained_on' "
            "AND EXISTS (SELECT 1 FROM json_each(t.props, '$.roles') WHERE value = 'train') "
            "CROSS JOIN edge u ON u.source = t.source AND u.kind = 'uses' "
            "CROSS JOIN node m ON m.key = u.target",
            (listed(data),),
        )
        return {row[0] for row in rows}

    def listed(self, kind: str) -> list[Node]:
        """List the nodes of one kind that are known."""
        return self.having((), kind)


def _maybe(where: Sequence[Condition]) -> tuple[str, list[float | str]]:
    """Return SQL that leaves out versions which cannot fit; ``holds`` decides on the others."""
    told = ""
    values: list[float | str] = []
    for one in where:
        # Other names would have to be written as JSON writes them, and a path has no escapes.
        if one.name == "name" or not one.name.isascii() or not one.name.isprintable():
            continue
        if set(one.name) & {'"', "\\"}:
            continue
        told += f"AND coalesce(json_extract(n.props, ?), json_extract(n.props, ?)) {one.sign} ? "
        values += [f'$."{one.name}"', f'$.metrics."{one.name}"', one.value]
    return told, values
