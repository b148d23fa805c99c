"""Questions without a walk: single nodes, their edges, and lists of versions that fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from veml_vcs.lineage.conditions import Condition, holds
from veml_vcs.lineage.graph import Edge, EdgeKind, Node
from veml_vcs.lineage.sqlite.rows import (
    EDGE,
    NODE,
    Tables,
    listed,
    to_edges,
    to_node,
    to_nodes,
)
from veml_vcs.lineage.sqlite.values import fitting, sent
from veml_vcs.versions.data import RECORD_SUFFIX

_DATA = (
    "d (key) AS (SELECT key FROM node WHERE id = ?1 UNION SELECT n.key FROM node f "
    "CROSS JOIN edge h ON h.target = f.key AND h.kind = 'has' "
    "CROSS JOIN node n ON n.key = h.source AND n.kind = 'data' WHERE f.id = ?1)"
)
"""What ``?1`` names: a data version, or all data that has a fact."""
_TRAIN = (
    """(t.props = '{"roles":["train"]}' OR EXISTS """
    "(SELECT 1 FROM json_each(t.props, '$.roles') WHERE value = 'train'))"
)
"""Of an edge ``t``: trained on, not measured on alone. Most edges say just that."""
_OF_DATA = (
    "SELECT t.source FROM d CROSS JOIN edge t ON t.target = d.key AND t.kind = 'trained_on' "
    f"AND {_TRAIN}"
)
_OF_FACT = (
    "WITH d (key) AS (SELECT h.source FROM node f CROSS JOIN edge h "
    "ON h.target = f.key AND h.kind = 'has' WHERE f.id = ?1) "
    "SELECT t.source FROM d CROSS JOIN edge t ON t.target = d.key AND t.kind = 'uses' "
    f"UNION {_OF_DATA}"
)
"""Trainings with a fact of their model, or of data that they were trained on."""
_NAMED = "(SELECT key FROM node WHERE id = {0})"
_TRAINED = _TRAIN.replace("{", "{{").replace("}", "}}")
_SAW = (
    "EXISTS (SELECT 1 FROM edge t WHERE t.source = k.value AND t.kind = 'trained_on' "
    f"AND {_TRAINED} AND (t.target = {_NAMED} OR EXISTS "
    "(SELECT 1 FROM edge h CROSS JOIN node n ON n.key = h.source AND n.kind = 'data' "
    f"WHERE h.source = t.target AND h.kind = 'has' AND h.target = {_NAMED})))"
)
"""Whether a training ``k.value`` is in ``_OF_DATA``, of a parameter."""
_HAS = (
    "EXISTS (SELECT 1 FROM edge t CROSS JOIN edge h ON h.source = t.target AND h.kind = 'has' "
    "WHERE t.source = k.value AND t.kind IN ('uses', 'trained_on') "
    f"AND (t.kind = 'uses' OR {_TRAINED}) AND h.target = {_NAMED})"
)
"""Whether it is in ``_OF_FACT``."""
_FEW = 5000
"""So many versions are asked one by one, where all that fit otherwise can be many more."""


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
        return {one.id: one for one in to_nodes(rows)}

    def find(self, prefix: str, limit: int = 20) -> list[Node]:
        """List the commits and versions whose ids begin with some digits."""
        rows = self._do(
            f"SELECT {NODE} FROM node n WHERE n.id >= ? AND n.id < ? "
            "AND n.id NOT LIKE '%:%' ORDER BY n.id LIMIT ?",
            (prefix, prefix + "g", limit),
        )
        return to_nodes(rows)

    def edges_of(self, node_id: str, kinds: Sequence[EdgeKind] | None = None) -> list[Edge]:
        """List the edges of a node in both directions."""
        rows = self._do(
            f"SELECT {EDGE} FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target WHERE s.id = ?1 UNION "
            f"SELECT {EDGE} FROM edge e JOIN node s ON s.key = e.source "
            "JOIN node t ON t.key = e.target WHERE t.id = ?1 ORDER BY 2, 1, 3",
            (node_id,),
        )
        return to_edges(row for row in rows if kinds is None or row[1] in kinds)

    def edges_from(
        self, ids: Collection[str], kinds: Sequence[EdgeKind] | None = None
    ) -> list[Edge]:
        """List the edges that some nodes are the source of."""
        given = [listed(ids)]
        wanted = ""
        if kinds is not None:  # +: a node has few edges; they are read once, not for each kind
            wanted = "AND +e.kind IN (SELECT value FROM json_each(?)) "
            given.append(listed(kinds))
        rows = self._do(
            f"SELECT {EDGE} FROM json_each(?) i CROSS JOIN node s ON s.id = i.value "
            f"CROSS JOIN edge e ON e.source = s.key {wanted}"
            "CROSS JOIN node t ON t.key = e.target ORDER BY 1, 2, 3",
            given,
        )
        return to_edges(rows)

    def having(
        self,
        facts: Collection[str],
        kind: str,
        where: Sequence[Condition] = (),
        *,
        among: Collection[str] | None = None,
    ) -> list[Node]:
        """List the nodes of one kind that have all these facts and fit all conditions."""
        targets = self._targets(facts)
        keys = self._may_fit(kind, where, among)
        return [] if targets is None else self._fitting(kind, where, keys, targets)

    def models_trained(self, data: str) -> set[str]:
        """Return the models that were trained on (not measured on alone) some data."""
        rows = self._do(
            f"WITH {_DATA} SELECT m.id FROM ({_OF_DATA}) o "
            "CROSS JOIN edge u ON u.source = o.source AND u.kind = 'uses' "
            "CROSS JOIN node m ON m.key = u.target",
            (data,),
        )
        return {row[0] for row in rows}

    def trainings(
        self,
        facts: Collection[str],
        data: Collection[str],
        where: Sequence[Condition] = (),
        *,
        among: Collection[str] | None = None,
    ) -> list[Node]:
        """List the trainings whose models and data have all facts, and that saw all data."""
        keys = self._may_fit("training", where, among)
        if facts or data:
            few = keys is not None and len(keys) <= _FEW
            made = self._made_of(facts, data, keys if few else None)
            keys = made if keys is None else keys & made
        return self._fitting("training", where, keys)

    def listed(self, kind: str) -> list[Node]:
        """List the nodes of one kind that are known."""
        return self.having((), kind)

    def _may_fit(
        self, kind: str, where: Sequence[Condition], among: Collection[str] | None
    ) -> set[int] | None:
        """Return the keys of the versions that may fit, as ``fitting``, of some ids alone."""
        keys = fitting(self._connection, kind, where)
        if among is None:
            return keys
        if keys is None or len(among) < len(keys):
            rows = self._do(
                "SELECT n.key FROM json_each(?) a CROSS JOIN node n ON n.id = a.value",
                (listed(among),),
            )
            some = {int(key) for (key,) in rows}
            return some if keys is None else some & keys
        only = set(among)
        rows = self._do(
            "SELECT n.key, n.id FROM json_each(?) k CROSS JOIN node n ON n.key = k.value",
            (listed(keys),),
        )
        return {int(key) for key, one in rows if one in only}

    def _targets(self, ids: Collection[str]) -> list[int] | None:
        """Return the keys of facts, those that few have first; None where one is not there."""
        rows = self._do(
            "SELECT n.key, (SELECT count(*) FROM (SELECT 1 FROM edge e WHERE e.target = n.key "
            "AND e.kind = 'has' LIMIT ?)) FROM json_each(?) f CROSS JOIN node n ON n.id = f.value "
            "ORDER BY 2",
            (_FEW, listed(ids)),
        ).fetchall()
        return [int(key) for key, _ in rows] if len(rows) == len(set(ids)) else None

    def _fitting(
        self,
        kind: str,
        where: Sequence[Condition],
        keys: Collection[int] | None,
        targets: Sequence[int] = (),
    ) -> list[Node]:
        """List the known nodes of a kind that fit and have facts: some, or all that there are."""
        source = "node n"
        given: list[float | str] = []
        if keys is not None:
            source = "json_each(?) k CROSS JOIN node n ON n.key = k.value"
            given.append(listed(keys))
        elif targets:
            source = (
                "edge h CROSS JOIN node n ON n.key = h.source AND h.target = ? AND h.kind = 'has'"
            )
            given.append(targets[0])
            targets = targets[1:]
        named, names = _named(where, kind)
        has = "AND EXISTS (SELECT 1 FROM edge WHERE source = n.key AND kind = 'has' AND target = ?)"
        rows = self._do(
            f"SELECT {NODE} FROM {source} WHERE n.kind = ? AND n.known {named}{has * len(targets)} "
            "ORDER BY n.name, n.id",
            (*given, kind, *names, *targets),
        )
        nodes = to_nodes(rows)
        return [node for node in nodes if holds(node, where)] if where else nodes

    def _made_of(
        self, facts: Collection[str], data: Collection[str], keys: Collection[int] | None
    ) -> set[int]:
        """Return the keys of trainings that were made of all of these; of some alone, if given."""
        if keys is None:
            asked = [(_OF_FACT, one) for one in sorted(set(facts))]
            asked += [(f"WITH {_DATA} {_OF_DATA}", one) for one in sorted(set(data))]
            sets = [{int(key) for (key,) in self._do(one, (given,))} for one, given in asked]
            return set.intersection(*sets)
        named = [*facts, *data]
        made = [_HAS if place < len(facts) else _SAW for place in range(len(named))]
        rows = self._do(
            "SELECT k.value FROM json_each(?1) k WHERE "
            + " AND ".join(one.format(f"?{place}") for place, one in enumerate(made, 2)),
            (listed(keys), *named),
        )
        return {int(key) for (key,) in rows}


def _named(where: Sequence[Condition], kind: str) -> tuple[str, list[str]]:
    """Return SQL that leaves out versions of another name; what is kept is the record's path."""
    told = ""
    values: list[str] = []
    for one in where:
        if one.name == "name" and one.sign == "=":
            told += "AND n.name IN (?, ?, ?, ?) "
            name = sent(str(one.value))
            names = (name, f"{kind}s/{name}")
            values += [path + end for path in names for end in ("", RECORD_SUFFIX)]
    return told, values
