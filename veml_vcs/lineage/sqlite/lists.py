"""Questions without a walk: single nodes, their edges, and lists of versions that fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from veml_vcs.lineage.conditions import Condition, holds
from veml_vcs.lineage.graph import Edge, EdgeKind, Node
from veml_vcs.lineage.sqlite.rows import EDGE, NODE, Tables, listed, no_garbage, to_edge, to_node
from veml_vcs.versions.data import RECORD_SUFFIX

_DATA = (
    "d (key) AS (SELECT key FROM node WHERE id = ?1 UNION SELECT n.key FROM node f "
    "CROSS JOIN edge h ON h.target = f.key AND h.kind = 'has' "
    "CROSS JOIN node n ON n.key = h.source AND n.kind = 'data' WHERE f.id = ?1)"
)
"""What ``?1`` names: a data version, or all data that has a fact."""
_OF_DATA = (
    "SELECT t.source FROM d CROSS JOIN edge t ON t.target = d.key AND t.kind = 'trained_on' "
    # Trained on, not measured on alone; most edges say just that.
    """AND (t.props = '{"roles":["train"]}' OR EXISTS """
    "(SELECT 1 FROM json_each(t.props, '$.roles') WHERE value = 'train'))"
)
_OF_FACT = (
    "WITH d (key) AS (SELECT h.source FROM node f CROSS JOIN edge h "
    "ON h.target = f.key AND h.kind = 'has' WHERE f.id = ?1) "
    "SELECT t.source FROM d CROSS JOIN edge t ON t.target = d.key AND t.kind = 'uses' "
    f"UNION {_OF_DATA}"
)
"""Trainings with a fact of their model, or of data that they were trained on."""


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
        self,
        facts: Collection[str],
        kind: str,
        where: Sequence[Condition] = (),
        *,
        among: Collection[str] | None = None,
    ) -> list[Node]:
        """List the nodes of one kind that have all these facts and fit all conditions."""
        wanted = set(facts)
        source, has = "node n", ""
        given: list[float | str] = []
        if among is not None:
            source = "json_each(?) a CROSS JOIN node n ON n.id = a.value"
            given.append(listed(among))
        given.append(kind)
        if wanted:
            # +: each of many was looked for below each that has the fact, which took a minute.
            by = "n.key" if among is None else "+n.key"
            has = (
                f"AND {by} IN (SELECT e.source FROM json_each(?) f CROSS JOIN node t "
                "ON t.id = f.value CROSS JOIN edge e ON e.target = t.key AND e.kind = 'has' "
                "GROUP BY e.source HAVING count(*) = ?) "
            )
            given += [listed(wanted), len(wanted)]
        maybe, values = _maybe(where, kind)
        rows = self._do(
            f"SELECT {NODE} FROM {source} WHERE n.kind = ? AND n.known {has}{maybe}"
            "ORDER BY n.name, n.id",
            (*given, *values),
        )
        with no_garbage():
            nodes = map(to_node, rows)
            return [node for node in nodes if holds(node, where)] if where else list(nodes)

    def models_trained(self, data: str) -> set[str]:
        """Return the models that were trained on (not measured on alone) some data."""
        rows = self._do(
            f"WITH {_DATA} SELECT m.id FROM ({_OF_DATA}) o "
            "CROSS JOIN edge u ON u.source = o.source AND u.kind = 'uses' "
            "CROSS JOIN node m ON m.key = u.target",
            (data,),
        )
        return {row[0] for row in rows}

    def trainings(self, facts: Collection[str], data: Collection[str]) -> set[str]:
        """Return the trainings whose models and data have all facts, and that saw all data."""
        asked = [(_OF_FACT, one) for one in sorted(set(facts))]
        asked += [(f"WITH {_DATA} {_OF_DATA}", one) for one in sorted(set(data))]
        found: set[int] | None = None
        for statement, given in asked:
            some = {int(key) for (key,) in self._do(statement, (given,))}
            found = some if found is None else found & some
        if found is None:
            rows = self._do("SELECT id FROM node WHERE kind = 'training' AND known")
        else:
            rows = self._do(
                "SELECT n.id FROM json_each(?) k CROSS JOIN node n ON n.key = k.value "
                "AND n.kind = 'training' AND n.known",
                (listed(found),),
            )
        return {row[0] for row in rows}

    def listed(self, kind: str) -> list[Node]:
        """List the nodes of one kind that are known."""
        return self.having((), kind)


def _maybe(where: Sequence[Condition], kind: str) -> tuple[str, list[float | str]]:
    """Return SQL that leaves out versions which cannot fit; ``holds`` decides on the others."""
    told = ""
    values: list[float | str] = []
    for one in where:
        if one.name == "name" and one.sign == "=":  # what is kept is the path of the record
            told += "AND n.name IN (?, ?, ?, ?) "
            names = (str(one.value), f"{kind}s/{one.value}")
            values += [name + end for name in names for end in ("", RECORD_SUFFIX)]
        # Other names would have to be written as JSON writes them, and a path has no escapes.
        if one.name == "name" or not one.name.isascii() or not one.name.isprintable():
            continue
        if set(one.name) & {'"', "\\"}:
            continue
        told += f"AND coalesce(json_extract(n.props, ?), json_extract(n.props, ?)) {one.sign} ? "
        values += [f'$."{one.name}"', f'$.metrics."{one.name}"', one.value]
    return told, values
