"""Questions about commits: what their history brought, and how much there was."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping

from veml_vcs.lineage.graph import VERSIONS, VersionKind
from veml_vcs.lineage.sqlite.chains import reached
from veml_vcs.lineage.sqlite.rows import FIRST, SECOND, STANDS, THIRD, Tables, listed, path_of
from veml_vcs.lineage.sqlite.values import sent

_PARTS = (
    f"part (chain, low, high) AS MATERIALIZED (SELECT {FIRST}, {SECOND}, {THIRD} FROM json_each(?))"
)
"""Parts of chains: of each its name, and the keys that it lies above and ends with."""
_IN_PART = "place p ON p.chain = part.chain AND p.key > part.low AND p.key <= part.high"
_KINDS = ", ".join(f"'{one}'" for one in VERSIONS)
_THERE = (
    f"WITH {_PARTS}, old (key) AS (SELECT p.key FROM part CROSS JOIN {_IN_PART}), "
    "have (key) AS (SELECT DISTINCT c.target FROM old CROSS JOIN edge c "
    "ON c.source = old.key AND c.kind = 'contains'), "
    "there (key) AS MATERIALIZED (SELECT key FROM old UNION SELECT key FROM have UNION "
    "SELECT e.target FROM have CROSS JOIN edge e ON e.source = have.key AND e.kind = 'has') "
    "SELECT n.kind, count(*) FROM there CROSS JOIN node n ON n.key = there.key "
    "GROUP BY 1 UNION ALL "
    "SELECT e.kind, count(*) FROM there CROSS JOIN edge e ON e.source = there.key "
    # +: seeking each target below each source took minutes.
    "WHERE +e.target IN (SELECT key FROM there) GROUP BY 1 ORDER BY 1"
)
"""How many nodes and edges there are of what commits in some parts brought, of each kind."""
_BUT = (
    f"WITH {_PARTS}, new (key) AS MATERIALIZED (SELECT p.key FROM part CROSS JOIN {_IN_PART}), "
    # Versions that no other commit has, and those that none has; then facts of these alone.
    "lack (key) AS MATERIALIZED (SELECT c.target FROM new CROSS JOIN edge c "
    "ON c.source = new.key AND c.kind = 'contains' WHERE NOT EXISTS (SELECT 1 FROM edge o "
    "WHERE o.target = c.target AND o.kind = 'contains' AND o.source NOT IN (SELECT key FROM new)) "
    "UNION SELECT key FROM node WHERE name = '' AND NOT known "
    f"AND kind IN ({_KINDS})), "
    "fact (key) AS MATERIALIZED (SELECT DISTINCT h.target FROM lack CROSS JOIN edge h "
    "ON h.source = lack.key AND h.kind = 'has'), "
    "away (key) AS MATERIALIZED (SELECT key FROM new UNION SELECT key FROM lack UNION "
    "SELECT key FROM fact WHERE NOT EXISTS (SELECT 1 FROM edge o "
    "WHERE o.target = fact.key AND o.kind = 'has' AND o.source NOT IN (SELECT key FROM lack))) "
    "SELECT kind, sum(count) FROM (SELECT kind, count FROM tally UNION ALL "
    "SELECT n.kind, -1 FROM away CROSS JOIN node n ON n.key = away.key UNION ALL "
    "SELECT e.kind, -1 FROM away CROSS JOIN edge e ON e.source = away.key UNION ALL "
    "SELECT e.kind, -1 FROM away CROSS JOIN edge e ON e.target = away.key "
    "WHERE +e.source NOT IN (SELECT key FROM away)) GROUP BY 1 HAVING sum(count) > 0 ORDER BY 1"
)
"""The same of all but the commits in some parts."""


class Past:
    """What commits and their ancestors brought; see ``Within``.

    Args:
        connection: To the file.
        commits: Keys of commits.
    """

    def __init__(self, connection: sqlite3.Connection, commits: Collection[int]) -> None:
        self._do = connection.execute
        self.reached: Mapping[int, int] = reached(connection, commits)

    def among(self, ids: Collection[str]) -> set[str]:
        """Return those of some versions that are in it."""
        rows = self._do(
            "SELECT n.id, c.source, p.chain FROM json_each(?) i "
            "CROSS JOIN node n ON n.id = i.value "
            "CROSS JOIN edge c ON c.target = n.key AND c.kind = 'contains' "
            "CROSS JOIN place p ON p.key = c.source",
            (listed(ids),),
        )
        return {one for one, key, chain in rows if key <= self.reached.get(chain, 0)}

    def versions(self, limit: int) -> set[str] | None:
        """Return all of it; None where more commits than a limit brought it."""
        parts = json.dumps([(chain, 0, key) for chain, key in self.reached.items()])
        (count,) = self._do(
            f"WITH {_PARTS} SELECT count(*) FROM "
            f"(SELECT 1 FROM part CROSS JOIN {_IN_PART} LIMIT ?)",
            (parts, limit + 1),
        ).fetchone()
        if count > limit:
            return None
        found = self._do(
            f"WITH {_PARTS} SELECT n.id FROM part CROSS JOIN {_IN_PART} CROSS JOIN edge c "
            "ON c.source = p.key AND c.kind = 'contains' CROSS JOIN node n ON n.key = c.target",
            (parts,),
        )
        return {one for (one,) in found}

    def but(self, other: Past) -> str:
        """Return the parts of chains that are in it and not in another, as a parameter."""
        before = other.reached
        return json.dumps([
            (chain, before.get(chain, 0), key)
            for chain, key in self.reached.items() if key > before.get(chain, 0)
        ])  # fmt: skip


class Commits(Tables):
    """Answers about commits; see ``LineageStore``."""

    def as_of(self, commits: Iterable[str]) -> Past:
        """Return the versions that commits and their ancestors brought."""
        rows = self._do(
            "SELECT key FROM node WHERE +kind = 'commit' AND id IN "
            "(SELECT value FROM json_each(?))",
            (listed(commits),),
        ).fetchall()
        return Past(self._connection, [key for (key,) in rows])

    def places(self, version: str) -> dict[str, list[str]]:
        """Return the commits that brought a version -> the paths where they have it."""
        found: dict[str, list[str]] = {}
        for commit, path in self._do(
            "SELECT n.id, b.path FROM brought b JOIN node n ON n.key = b.commit_key "
            f"WHERE b.version = ?1 AND {STANDS} "
            "ORDER BY n.id, b.path",
            (version,),
        ):
            found.setdefault(commit, []).append(path)
        return found

    def called(self, kind: VersionKind, name: str) -> set[str]:
        """Return the known versions of a kind that some commit has under a name."""
        rows = self._do(
            "SELECT n.id FROM (SELECT DISTINCT version FROM brought b "
            f"WHERE b.path = ?1 AND {STANDS}) b "
            "CROSS JOIN node n ON n.id = b.version WHERE n.kind = ?2 AND n.known",
            (sent(path_of(kind, name)), kind),
        )
        return {row[0] for row in rows}

    def between(self, old: str, new: str) -> dict[str, list[str]]:
        """Return what the history of one commit brought and that of another did not."""
        before, after = self.as_of([old]), self.as_of([new])
        if not before.reached or not after.reached:
            return {}
        found: dict[str, set[str]] = {}
        told: dict[str, list[str]] = {}  # few texts say what most commits say
        for version, text in self._do(
            f"WITH {_PARTS} SELECT n.id, c.props FROM part CROSS JOIN {_IN_PART} "
            "CROSS JOIN edge c ON c.source = p.key AND c.kind = 'contains' "
            "CROSS JOIN node n ON n.key = c.target",
            (after.but(before),),
        ):
            if text not in told:
                told[text] = json.loads(text)["paths"]
            found.setdefault(version, set()).update(told[text])
        there = before.among(found)
        return {one: sorted(found[one]) for one in sorted(found) if one not in there}

    def since(self, then: Past) -> str:
        """Return the parts of chains that are not in a past, as a parameter."""
        ends = self._do("SELECT chain, max(key) FROM place GROUP BY chain").fetchall()
        return json.dumps([
            (chain, then.reached.get(chain, 0), end)
            for chain, end in ends if end > then.reached.get(chain, 0)
        ])  # fmt: skip

    def counts(self, at: str | None = None) -> dict[str, int]:
        """Return how many nodes and edges there are of each kind."""
        if at is None:
            rows = self._do("SELECT kind, count FROM tally WHERE count > 0 ORDER BY 1")
            return dict(rows.fetchall())
        with self._reading():
            then = self.as_of([at])
            later = self.since(then)
            # What is there is counted, or what is not, whichever is less.
            ((more,),) = self._do(
                f"WITH {_PARTS} SELECT (SELECT count(*) FROM part CROSS JOIN {_IN_PART}) * 2 "
                "> (SELECT count FROM tally WHERE what = 'node' AND kind = 'commit')",
                (later,),
            )
            rows = self._do(
                _THERE if more else _BUT, (then.but(self.as_of([])) if more else later,)
            )
            return dict(rows.fetchall())
