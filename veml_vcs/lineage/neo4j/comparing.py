"""What the mirror lacks, window by window: of the log, or of all there is, compared as a whole.

Reads the SQLite file, and of the server what may have to go; writes nothing.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from veml_vcs.lineage.graph import Edge
from veml_vcs.lineage.neo4j.changes import At, Stage
from veml_vcs.lineage.neo4j.rows import TYPES, key_of
from veml_vcs.lineage.neo4j.server import Server
from veml_vcs.lineage.neo4j.windows import Window
from veml_vcs.lineage.sqlite.database import Database
from veml_vcs.lineage.sqlite.rows import EDGE, NODE, to_edge, to_node

_SHORT = 200
"""Letters of an id that is surely short enough for an index (4 bytes each at most)."""

_MOST_LETTERS = 1_000_000
"""Of what rows say, in a window of more than one: the server has it all in memory, and a minute."""


class Comparison:
    """One SQLite file, and the mirror of it on one server.

    Args:
        base: The file.
        server: The server.
        rows: At most so many in a window.
    """

    def __init__(self, base: Database, server: Server, rows: int) -> None:
        self._do = base.connection.execute
        self._server = server
        self._name = server.place.name
        self._window = rows

    def next(self, at: At) -> Window | None:
        """Return the next window; None if there is nothing more to send."""
        make: Mapping[Stage, Callable[[At], Window | None]] = {
            "sweep": self._sweep, "nodes": self._all_nodes, "edges": self._all_edges,
            "log": self._log,
        }  # fmt: skip
        # One moment of the file, whoever writes to it meanwhile.
        self._do("BEGIN")
        try:
            window = make[at.stage](at)
        finally:
            self._do("COMMIT")
        if window is None:
            return None
        return replace(window, then=replace(window.then, token=secrets.token_hex(8)))

    def _sweep(self, at: At) -> Window:
        """What the server has, and SQLite has not."""
        given = {"repository": self._name, "after": at.after, "limit": self._window}
        ids = [
            str(row["id"])
            for row in self._server.read(
                "MATCH (n:Version {repository: $repository}) WHERE n.id > $after "
                "RETURN n.id AS id ORDER BY id LIMIT $limit", given,
            )
        ]  # fmt: skip
        if not ids:
            return Window(replace(at, stage="nodes", after="0"))
        have = self._ids(ids)
        there = Counter(
            (str(row["source"]), str(row["type"]).lower(), str(row["target"]))
            for row in self._server.read(
                "MATCH (n:Version {repository: $repository}) "
                "WHERE n.id > $after AND n.id <= $last "
                "MATCH (n)-[e]->(t:Version) WHERE type(e) IN $types "
                "RETURN n.id AS source, type(e) AS type, t.id AS target",
                {**given, "last": ids[-1], "types": list(TYPES.values())},
            )
        )
        kept = {
            (key_of(one.source), one.kind, key_of(one.target))
            for one in self._edges("s.id IN (SELECT value FROM json_each(?))", list(have.values()))
        }
        gone = [one for one in ids if one not in have]
        # One that somebody made a second time goes, and comes again once.
        cut = sorted(
            one for one, count in there.items()
            if one[0] in have and (count > 1 or one not in kept)
        )  # fmt: skip
        return Window(replace(at, after=ids[-1]), gone=gone, cut=cut)

    def _ids(self, keys: Sequence[str]) -> dict[str, str]:
        """Return those of some ids of the mirror that SQLite has -> its own ids."""
        rows = self._do(
            "SELECT id FROM node WHERE id IN (SELECT value FROM json_each(?)) OR length(id) > ?",
            (json.dumps(keys), _SHORT),
        )
        wanted = set(keys)
        return {key_of(row[0]): str(row[0]) for row in rows if key_of(row[0]) in wanted}

    def _all_nodes(self, at: At) -> Window:
        rows = self._do(
            f"SELECT n.key, {NODE} FROM node n WHERE n.key > ? ORDER BY n.key LIMIT ?",
            (int(at.after), self._window),
        ).fetchall()
        rows = rows[: _fitting(row[4] for row in rows)]
        if not rows:
            return Window(replace(at, stage="edges", after=""))
        return Window(
            replace(at, after=str(rows[-1][0])), nodes=[(to_node(row[1:]), row[3]) for row in rows]
        )

    def _all_edges(self, at: At) -> Window:
        source, kind, target = json.loads(at.after) if at.after else (-1, "", -1)
        rows = self._do(
            f"SELECT e.source, e.kind, e.target, {EDGE} FROM (SELECT * FROM edge "
            "WHERE (source, kind, target) > (?, ?, ?) ORDER BY source, kind, target LIMIT ?) e "
            "JOIN node s ON s.key = e.source JOIN node t ON t.key = e.target "
            "ORDER BY e.source, e.kind, e.target",
            (source, kind, target, self._window),
        ).fetchall()
        rows = rows[: _fitting(row[6] for row in rows)]
        if not rows:
            return Window(replace(at, stage="log", after=""))
        after = json.dumps(list(rows[-1][:3]))
        return Window(replace(at, after=after), edges=[to_edge(row[3:]) for row in rows])

    def _log(self, at: At, limit: int | None = None) -> Window | None:
        rows = self._do(
            "SELECT number, what, id, kind, target FROM changed WHERE number > ? "
            "ORDER BY number LIMIT ?",
            (at.number, limit or self._window),
        ).fetchall()
        if not rows:
            return None
        touched = {row[2] for row in rows if row[1] in ("node", "gone")}
        went = {row[2] for row in rows if row[1] == "gone"}
        node_rows = self._do(
            f"SELECT {NODE} FROM node n WHERE n.id IN (SELECT value FROM json_each(?)) "
            "ORDER BY n.id",
            (json.dumps(sorted(touched)),),
        ).fetchall()
        pairs = sorted({(row[2], row[3], row[4]) for row in rows if row[1] == "edge"})
        edge_rows = self._do(
            f"SELECT {EDGE} FROM json_each(?) w "
            "CROSS JOIN node s ON s.id = json_extract(w.value, '$[0]') "
            "CROSS JOIN node t ON t.id = json_extract(w.value, '$[2]') "
            "CROSS JOIN edge e ON e.source = s.key "
            "AND e.kind = json_extract(w.value, '$[1]') AND e.target = t.key",
            (json.dumps(pairs),),
        ).fetchall()
        said = [row[3] for row in (*node_rows, *edge_rows)]
        if len(rows) > 1 and _fitting(said) < len(said):
            return self._log(at, len(rows) // 2)
        nodes = [(to_node(row), row[2]) for row in node_rows]
        edges = [to_edge(row) for row in edge_rows]
        have = {(one.source, one.kind, one.target) for one in edges}
        cut = [(key_of(one[0]), one[1], key_of(one[2])) for one in pairs if one not in have]
        gone = sorted(map(key_of, went | (touched - {one.id for one, _ in nodes})))
        return Window(replace(at, number=int(rows[-1][0])), gone, nodes, cut, edges)

    def _edges(self, where: str, given: Sequence[str]) -> list[Edge]:
        rows = self._do(
            f"SELECT {EDGE} FROM edge e JOIN node s ON s.key = e.source "
            f"JOIN node t ON t.key = e.target WHERE {where}",
            (json.dumps(given),),
        )
        return [to_edge(row) for row in rows]


def _fitting(said: Iterable[str]) -> int:
    """Return how many of the first texts are no more than fits; one is, if there is any."""
    count = letters = 0
    for one in said:
        letters += len(one)
        if count and letters > _MOST_LETTERS:
            break
        count += 1
    return count
